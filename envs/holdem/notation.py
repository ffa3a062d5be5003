"""Hand histories in files: read them, write them, and replay them through the engine.

The ending names the format: ``.phh`` and ``.phhs`` (``arena.envs.holdem.phh``), ``.acpc`` and
``.log`` (``arena.envs.holdem.acpc``), each also packed as ``arena.envs.outside`` can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs import files, outside
from arena.envs.errors import InputError
from arena.envs.game import Exporter, Recording
from arena.envs.holdem import acpc, cards, phh, rules
from arena.envs.holdem.history import STREETS, HandHistory, episode_histories, raised
from arena.envs.holdem.rules import BOARD_CARDS, OVER

if TYPE_CHECKING:
    from arena.envs.holdem.game import Holdem
    from arena.envs.holdem.tables import HoldemTables

ENDINGS = (".phh", ".phhs", ".acpc", ".log")
_BOARD_CARDS = np.array(BOARD_CARDS)


# -- files -----------------------------------------------------------------------------------------


class Reading(NamedTuple):
    """The hands of a file that can be read and follow the rules, and why the others do not."""

    hands: list[HandHistory]
    faults: list[InputError]


def read(path: str | Path) -> list[HandHistory]:
    """The hands in a file.

    Raises InputError, naming file, hand and fault, for a file that cannot be read, or where one of
    its hands cannot be understood.
    """
    return [raised(found) for found in _readings(Path(path))]


def survey(path: str | Path) -> Reading:
    """The hands of a file that can be played, and of each other one why not.

    Raises InputError for a file that cannot be read, and where none of its hands can be played.
    """
    found = list(_readings(Path(path)))
    hands = [hand for hand in found if isinstance(hand, HandHistory)]
    faults = [hand for hand in found if isinstance(hand, InputError)]
    played = _played(hands)
    faults += [result for result in played if isinstance(result, InputError)]
    if len(faults) == len(found):
        raise faults[0]
    return Reading(
        [h for h, r in zip(hands, played, strict=True) if isinstance(r, HandReplay)], faults
    )


def _readings(path: Path) -> Iterator[HandHistory | InputError]:
    ending = _ending(path)
    readings = acpc.readings if ending in (".acpc", ".log") else phh.readings
    return readings(outside.read_text(path), str(path))


def write(path: str | Path, hands: Sequence[HandHistory]) -> None:
    """Write hands in the format that the path's ending names.

    Raises InputError for another ending, for several hands to one ``.phh``, and for what the format
    cannot say.
    """
    path = Path(path)
    files.write(path, outside.pack(_dumps(hands, _ending(path)), path))


def _dumps(hands: Sequence[HandHistory], ending: str) -> bytes:
    if ending in (".acpc", ".log"):
        return acpc.dumps(hands).encode()
    if ending == ".phhs":
        return phh.dumps_all(hands).encode()
    if len(hands) != 1:
        raise InputError(f"a .phh file holds one hand, not {len(hands)}; write .phhs")
    return phh.dumps(hands[0]).encode()


def exporters() -> dict[str, Exporter]:
    """How Hold'em's episodes are written, for ``Game.exporters``."""
    return {ending: partial(_export, ending) for ending in ENDINGS}


def _export(ending: str, recordings: Iterable[Recording]) -> bytes:
    hands: list[HandHistory] = []
    for recording in recordings:
        tables, _ = state = next(recording.states)
        decisions = [a for _, batch in chain([state], recording.states) for _, a in batch]
        game = cast("Holdem", tables.game)
        seed = int(cast("HoldemTables", tables).hands["seed"][0])
        hands += episode_histories(game, seed, decisions, recording.players)
    return _dumps([replace(hand, number=i) for i, hand in enumerate(hands)], ending)


def _ending(path: Path) -> str:
    ending = outside.ending(path)
    if ending not in ENDINGS:
        raise InputError(
            f"{path} names no format of hand histories; end it in {', '.join(ENDINGS)}, or in "
            f"these and {', '.join(outside.PACKED)}"
        )
    return ending


# -- replaying -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HandReplay:
    """What came of a hand in the engine.

    Attributes:
        status: ``exact`` where every stack ends as stated, to the chip; ``mismatch`` where one does
            not; ``open`` where that cannot be told: nothing is stated, or a hand at the showdown is
            unknown.
        finishing: the stacks as the engine leaves them.
        detail: the difference, or why it is open; empty where exact.
    """

    status: Literal["exact", "mismatch", "open"]
    finishing: tuple[int, ...]
    detail: str = ""


class Verification(NamedTuple):
    """How many hands were replayed, how many came out to the chip, what differs in others, and why
    the rest of the file could not be replayed."""

    hands: int
    exact: int
    mismatches: list[str]
    faults: list[InputError]


def verify_file(path: str | Path, *, strict: bool = False) -> Verification:
    """Replay the hands of a file.

    Raises InputError where it cannot be read, and where none of its hands can be replayed (with
    ``strict``, where one cannot).
    """
    hands, faults = survey(path)
    if strict and faults:
        raise faults[0]
    replays = replay(hands)
    return Verification(
        len(hands),
        sum(result.status == "exact" for result in replays),
        [
            f"{hand.where}: {result.detail}"
            for hand, result in zip(hands, replays, strict=True)
            if result.status == "mismatch"
        ],
        faults,
    )


def replay(hands: Sequence[HandHistory]) -> list[HandReplay]:
    """Play hands again by the engine's rules, all of them together.

    Raises InputError, naming hand and action, where one deals a card twice, acts out of turn,
    makes a move that is not legal, or is not played to its end. (A fold is always accepted.)
    """
    replays = []
    for result in _played(hands):
        if isinstance(result, InputError):
            raise result
        replays.append(result)
    return replays


def _played(hands: Sequence[HandHistory]) -> list[HandReplay | InputError]:
    """What comes of each hand, or why it cannot be played."""
    scripts = [_scripted(hand) for hand in hands]
    ready = [(h, s) for h, s in zip(hands, scripts, strict=True) if isinstance(s, _Script)]
    records = np.zeros(len(ready), rules.HAND)
    for record, (hand, script) in zip(records, ready, strict=True):
        seats = len(hand.stacks)
        record["seats"] = seats
        record["button"] = seats - 1
        record["stacks"][:seats] = hand.stacks
        record["antes"][:seats] = hand.antes
        record["dead_antes"] = not hand.trimmed
        record["blinds"][:seats] = hand.blinds
        record["min_bet"] = record["big_blind"] = hand.min_bet
        record["deck"][: 2 * seats + 5] = script.deck
    starts = np.cumsum([0, *(len(script.moves) for _, script in ready)])
    moves = [move for _, script in ready for move in script.moves]
    stops = _replay(records, starts, np.array(moves, np.int64).reshape(-1, 3), _BOARD_CARDS)
    made = iter(zip(ready, records, stops - starts[:-1], strict=True))
    return [
        script if isinstance(script, InputError) else _judged(*next(made)) for script in scripts
    ]


def _judged(
    ready: tuple[HandHistory, _Script], record: Any, made: np.int64
) -> HandReplay | InputError:
    try:
        return _judge(*ready, record, int(made))
    except InputError as error:
        return error


def _scripted(hand: HandHistory) -> _Script | InputError:
    try:
        return _Script.of(hand)
    except InputError as error:
        return error


class _Script(NamedTuple):
    """A hand as the engine plays it.

    Attributes:
        deck: holes by seat, then the board; UNKNOWN for what is not told, and for mucked holes,
            which lose every showdown.
        moves: seat, move and how many board cards lay before it.
        actions: of each move, its number among the hand's actions, from 1.
        board: how many board cards were dealt in all.
        hidden: seats whose holes are unknown, mucked ones left out.
    """

    deck: list[int]
    moves: list[tuple[int, int, int]]
    actions: list[int]
    board: int
    hidden: set[int]

    @classmethod
    def of(cls, hand: HandHistory) -> _Script:
        seats = len(hand.stacks)
        holes = [[cards.UNKNOWN, cards.UNKNOWN] for _ in range(seats)]
        mucked: set[int] = set()
        board: list[int] = []
        moves: list[tuple[int, int, int]] = []
        actions: list[int] = []
        for number, (verb, seat, amount, dealt) in enumerate(hand.actions, 1):
            if verb in ("hole", "show"):
                if dealt and len(dealt) != 2:
                    raise InputError(f"{hand.where}: action {number} has {len(dealt)} hole cards")
                for i, card in enumerate(dealt):
                    if holes[seat][i] not in (cards.UNKNOWN, card) and set(dealt) != set(
                        holes[seat]
                    ):
                        raise InputError(
                            f"{hand.where}: action {number} shows {cards.names(dealt)}, but p"
                            f"{seat + 1} was dealt {cards.names(holes[seat])}"
                        )
                if cards.UNKNOWN in holes[seat]:
                    holes[seat] = list(dealt) or holes[seat]
            elif verb == "muck":
                mucked.add(seat)
            elif verb == "board":
                board += dealt
                if len(board) not in BOARD_CARDS:
                    raise InputError(
                        f"{hand.where}: after action {number} the board has {len(board)} cards"
                    )
            else:
                total = (
                    amount if amount > 0 else rules.ILLEGAL
                )  # lest it be a call's or fold's code
                move = {"fold": rules.FOLD, "call": rules.CALL}.get(verb, total)
                moves.append((seat, move, len(board)))
                actions.append(number)
        _refuse_twins(hand, [card for hole in holes for card in hole] + board)
        hidden = {s for s, hole in enumerate(holes) if cards.UNKNOWN in hole} - mucked
        for seat in mucked:
            holes[seat] = [cards.UNKNOWN, cards.UNKNOWN]
        deck = [card for hole in holes for card in hole]
        deck += board + [cards.UNKNOWN] * (5 - len(board))
        return cls(deck, moves, actions, len(board), hidden)


def _refuse_twins(hand: HandHistory, dealt: list[int]) -> None:
    known = [card for card in dealt if card != cards.UNKNOWN]
    if len(set(known)) < len(known):
        twin = next(card for card in known if known.count(card) > 1)
        raise InputError(f"{hand.where}: {cards.name(twin)} is dealt twice")


@numba.njit(cache=True)
def _replay(
    hands: NDArray[Any], starts: NDArray[np.int64], moves: NDArray[np.int64], boards: NDArray[Any]
) -> NDArray[np.int64]:
    """Play each hand's moves; of each, the index of the first move that cannot be made."""
    stops = np.empty(len(hands), np.int64)
    for i in range(len(hands)):
        hand = hands[i]
        rules.begin_hand(hand)
        stops[i] = starts[i + 1]
        for j in range(starts[i], starts[i + 1]):
            seat, move, board = moves[j]
            if hand.actor != seat or board != boards[hand.street]:
                stops[i] = j
                break
            if move != rules.FOLD and move != rules.CALL:
                least, most = rules.raise_bounds(hand)
                if most == 0 or not least <= move <= most:
                    stops[i] = j
                    break
            rules.play(hand, move)
    return stops


def _judge(hand: HandHistory, script: _Script, record: Any, made: int) -> HandReplay:
    """What came of a hand of which ``made`` moves could be made."""
    actor, street = int(record["actor"]), int(record["street"])
    if made < len(script.moves):
        raise InputError(
            f"{hand.where}: action {script.actions[made]}{_fault(hand, record, script, made)}"
        )
    if actor != OVER:
        raise InputError(f"{hand.where}: the actions end when p{actor + 1} is to act")
    showdown = int(record["showdown"])
    dealt = 5 if showdown else BOARD_CARDS[street]
    if script.board != dealt:
        raise InputError(
            f"{hand.where}: the board has {script.board} cards at the end, not {dealt}"
        )
    finishing = tuple(int(chips) for chips in record["stacks"][: len(hand.stacks)])
    unseen = [f"p{seat + 1}" for seat in sorted(script.hidden) if rules.has(showdown, seat)]
    if unseen:
        return HandReplay("open", finishing, f"the cards of {', '.join(unseen)} are unknown")
    if hand.finishing is None:
        return HandReplay("open", finishing, "no finishing stacks are stated")
    differences = [
        f"p{seat} ends with {ours * hand.chip}, stated is {stated * hand.chip}"
        for seat, (ours, stated) in enumerate(zip(finishing, hand.finishing, strict=True), 1)
        if ours != stated
    ]
    return HandReplay("mismatch" if differences else "exact", finishing, "; ".join(differences))


def _fault(hand: HandHistory, record: Any, script: _Script, made: int) -> str:
    """Why a move cannot be made, to go on after its number."""
    seat, _, board = script.moves[made]
    total = hand.actions[script.actions[made] - 1].amount
    actor, street = int(record["actor"]), int(record["street"])
    if actor == OVER:
        return f": p{seat + 1} acts, but the hand is over"
    if actor != seat:
        return f": p{seat + 1} acts, but p{actor + 1} is to act"
    if board != BOARD_CARDS[street]:
        return f": p{seat + 1} acts on a board of {board} cards, but it is the {STREETS[street]}"
    least, most = rules.raise_bounds(record)
    allowed = f"from {least} to {most}" if most else "not allowed here"
    return f": p{seat + 1} raises to {total}, but a raise is {allowed}"
