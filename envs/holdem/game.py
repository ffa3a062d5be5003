"""Texas Hold'em as a game of the house: its options and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np

from arena.envs.errors import InputError
from arena.envs.game import Exporter, Game
from arena.envs.holdem import episode
from arena.envs.holdem.encoding import HoldemVector
from arena.envs.holdem.history import CHIPS
from arena.envs.holdem.observation import observation_space
from arena.envs.holdem.rules import MAX_SEATS
from arena.envs.holdem.tables import HoldemTables

LEVELS = (1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_MOST_HANDS = 10**6
_MODES = {"reset": episode.RESET, "carry": episode.CARRY, "rebuy": episode.REBUY}


class Holdem(Game):
    """No-limit Texas Hold'em, ``holdem`` in specs, e.g. ``holdem?seats=6,stack=50``.

    Seat 0 sits left of the first hand's button, which is at the last seat: with three or more
    players seats 0 and 1 post the blinds, heads-up seat 1 posts the small blind and acts first
    pre-flop. (Seat i is player i + 1 of a PHH hand history.)

    Actions are integers. With ``m = len(menu)``: 0 folds, 1 checks or calls, ``2 + i`` bets or
    raises by ``menu[i]`` of the pot (as the pot is after a call), ``2 + m`` is all-in. Beyond the
    menu, ``actions + c``, where ``actions`` is ``m + 3``, bets or raises to ``c`` chips in total
    for the street, any legal amount. Folding is legal only when facing a bet.

    Args:
        seats: 2 to 10.
        stack: chips of each seat in big blinds, or one value a seat (``100/50/20``).
        small_blind, big_blind, ante: in chips.
        ante_by: whether ``each`` player posts the ante, or the ``big_blind`` one for all: dead
            money, which is the main pot's.
        straddles: how many players left of the big blind straddle, each twice the post before.
        menu: pot fractions of the action menu.
        hands: how many hands an episode has; a sit-and-go has as many as it needs.
        stacks: what happens to stacks between the hands of an episode: they are *reset*, they
            *carry* over (who has none sits out; the episode ends when one player has all), or
            they carry over and a player with none makes a *rebuy* of the first stack.
        format: ``cash``, or ``sit_and_go``: a tournament until one player has all chips.
        levels: factors of blinds and ante, level by level; after the last they double.
        hands_per_level: how many hands a level lasts.
        prizes: shares of the prize pool for the first places, which sum to 1.

    Returns are big blinds a hand (over ``hands``), in a sit-and-go buy-ins.
    """

    name: ClassVar[str] = "holdem"
    version: ClassVar[int] = 1
    observation_version: ClassVar[int] = 2
    unit = "mbb/hand"
    unit_scale = 1000.0
    return_unit = "bb"
    session = 100

    def __init__(
        self,
        *,
        seats: int = 2,
        stack: float | tuple[float, ...] = 100.0,
        small_blind: int = 50,
        big_blind: int = 100,
        ante: int = 0,
        ante_by: Literal["each", "big_blind"] = "each",
        straddles: int = 0,
        menu: tuple[float, ...] = (0.5, 1.0),
        hands: int = 1,
        stacks: Literal["reset", "carry", "rebuy"] = "reset",
        format: Literal["cash", "sit_and_go"] = "cash",
        levels: tuple[float, ...] = LEVELS,
        hands_per_level: int = 10,
        prizes: tuple[float, ...] = (1.0,),
    ) -> None:
        _demand(2 <= seats <= MAX_SEATS, f"seats={seats}; 2 to {MAX_SEATS} can play")
        _demand(
            0 < small_blind <= big_blind < CHIPS,
            f"small_blind={small_blind} and big_blind={big_blind}; the blinds are chips, the small "
            "one positive and no larger than the big one, and that is less than 2**40",
        )
        _demand(0 <= ante < CHIPS, f"ante={ante}; it is 0 or more chips, and less than 2**40")
        _demand(
            0 <= straddles <= seats - 2,
            f"straddles={straddles}; with {seats} seats 0 to {seats - 2} players can straddle",
        )
        _demand(1 <= hands <= _MOST_HANDS, f"hands={hands}; an episode has 1 to {_MOST_HANDS:,}")
        _demand(
            1 <= hands_per_level <= _MOST_HANDS // episode.MAX_LEVELS,
            f"hands_per_level={hands_per_level}; it is 1 to {_MOST_HANDS // episode.MAX_LEVELS:,}",
        )
        fractions = tuple(float(f) for f in menu)
        _demand(
            len(fractions) <= episode.MAX_MENU
            and all(0 < f <= 1000 for f in fractions)
            and all(a < b for a, b in pairwise(fractions)),
            f"menu={_write(menu)}; it is at most {episode.MAX_MENU} positive pot fractions, "
            "ascending, none above 1000",
        )
        each = tuple(stack) if isinstance(stack, Sequence) else (stack,)
        _demand(
            len(each) in (1, seats),
            f"stack={_write(each)} names {len(each)} stacks; give one, or one for each of "
            f"the {seats} seats",
        )
        chips = [x * big_blind for x in (each * seats if len(each) == 1 else each)]
        _demand(
            all(0 < c < CHIPS and c == round(c) for c in chips) and sum(chips) < CHIPS,
            f"stack={_write(each)}; a stack is a positive whole number of chips (a big blind is "
            f"{big_blind} chips), and all of them are less than 2**40",
        )
        tournament = format == "sit_and_go"
        _demand(
            not tournament or (hands == 1 and stacks == "reset"),
            "hands and stacks are options of cash games; a sit-and-go goes on until it is won",
        )
        _demand(
            tournament or (tuple(levels) == LEVELS and hands_per_level == 10 and prizes == (1.0,)),
            "levels, hands_per_level and prizes are options of format=sit_and_go",
        )
        _demand(
            0 < len(levels) <= episode.MAX_LEVELS
            and levels[0] > 0
            and all(a <= b for a, b in pairwise(levels))
            and levels[-1] * max(big_blind, ante) < CHIPS,
            f"levels={_write(levels)}; they are 1 to {episode.MAX_LEVELS} positive factors that "
            "never fall, and no blind or ante is 2**40 chips",
        )
        _demand(
            len(prizes) <= seats and all(p >= 0 for p in prizes) and abs(sum(prizes) - 1) < 1e-9,
            f"prizes={_write(prizes)}; they are shares for at most {seats} places that sum to 1",
        )
        self.seats = seats
        self.menu = fractions
        self.small_blind = small_blind
        self.big_blind = big_blind
        if tournament:
            self.unit, self.unit_scale, self.session = "buy-ins", 1.0, 1
            self.return_unit = ""
        else:
            self.session = max(1, self.session // hands)
        self.action_space = gymnasium.spaces.Discrete(len(fractions) + 3)
        self.observation_space = observation_space(seats)

        config = np.zeros(1, episode.CONFIG)
        record = config[0]
        record["seats"] = seats
        record["mode"] = episode.TOURNAMENT if tournament else _MODES[stacks]
        record["straddles"] = straddles
        record["dead_antes"] = ante_by == "big_blind"
        record["hands_per_level"] = hands_per_level
        record["hands"] = hands_per_level * episode.MAX_LEVELS if tournament else hands
        record["stacks"][:seats] = chips
        factors = _schedule(levels if tournament else (1.0,), tournament, sum(chips) / big_blind)
        record["small_blind"] = np.maximum(1, np.rint(factors * small_blind))
        record["big_blind"] = np.maximum(1, np.rint(factors * big_blind))
        record["ante"] = np.rint(factors * ante)
        record["prizes"][: len(prizes)] = prizes
        record["menu_size"] = len(fractions)
        record["menu"][: len(fractions)] = fractions
        config.flags.writeable = False
        self.config = config

    def tables(self, capacity: int) -> HoldemTables:
        """``capacity`` idle tables."""
        return HoldemTables(self, capacity)

    @cached_property
    def vector(self) -> HoldemVector:
        """See ``arena.envs.holdem.encoding``."""
        return HoldemVector(self.seats)

    def exporters(self) -> Mapping[str, Exporter]:
        """Hand histories as PHH and ACPC; see ``arena.envs.holdem.notation``."""
        from arena.envs.holdem import notation

        return notation.exporters()


def _schedule(levels: Sequence[float], doubling: bool, most: float) -> Any:
    """The factor of every level: as given, then doubling until the blinds are all chips."""
    factors = list(levels)
    while len(factors) < episode.MAX_LEVELS:
        factors.append(min(factors[-1] * 2, max(most, factors[-1])) if doubling else factors[-1])
    return np.array(factors)


def _demand(condition: bool, problem: str) -> None:
    if not condition:
        raise InputError(f"holdem: {problem}")


def _write(values: Sequence[float]) -> str:
    return "/".join(f"{value:g}" for value in values)
