"""A person at a table of any game: episodes against chosen agents, logged as any match is.

The episode is played by ``arena.leagues.play`` in a thread of its own, in which the person is an
agent that waits for an answer from the browser. So its replay verifies like any other, and the
browser is sent what the person's own seat may see and nothing else until the episode is over.
"""

from __future__ import annotations

import hashlib
import queue
import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from arena.agents.agent import Agent, Decisions, Identity
from arena.agents.brought.python_file import refuse_code
from arena.agents.registry import GROUP, identify, make_agent, null_kind
from arena.agents.scripted.generic import batch
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns
from arena.envs.plugins import points
from arena.envs.registry import game_names, named_game
from arena.envs.specs import Spec
from arena.leagues import replay
from arena.leagues.league import Entrant, League
from arena.leagues.match import Match, Result
from arena.leagues.play import play
from arena.viewer.drawings import drawing_of
from arena.viewer.episodes import steps
from arena.viewer.library import Library, NotFound, game_of

LEAGUE = "human"
HUMAN = Identity("human", "", hashlib.sha256(orjson.dumps(["human", 1, {}])).hexdigest())
_MOST_TABLES = 16
_PATIENCE = 1800.0  # seconds until an empty chair ends the hand, unlogged
_WAIT = 25.0  # seconds that one request waits for the agents


class _Left(BaseException):
    """The person is gone: nothing is logged. Not an Exception, which a match would forfeit."""


class _Human(Agent):
    """The person: waits for the browser's answer."""

    def __init__(self, table: PersonsTable) -> None:
        self.table = table

    def act(self, turns: Turns) -> Decisions:
        """Hand the turn to the browser, and its answer back."""
        return Decisions(batch(turns.game.action_space, [self.table.ask(turns)]))


class _Seen(Agent):
    """Another agent, whose decision the person sees being made, but not how."""

    def __init__(self, agent: Agent, table: PersonsTable) -> None:
        self.agent, self.table = agent, table

    def begin(self, tables: Ints, seats: Ints) -> None:
        """Pass it on."""
        self.agent.begin(tables, seats)

    def act(self, turns: Turns) -> Decisions:
        """Show the table, let the agent decide, show what it did."""
        self.table.watch(turns)
        decisions = self.agent.act(turns)
        if decisions.actions is not None and not decisions.failures:
            self._show(turns, np.asarray(decisions.actions)[:1])
        return decisions

    def took(self, turns: Turns, actions: NDArray[Any]) -> None:
        """Show what was drawn from its policy, and pass it on."""
        self._show(turns, actions)
        self.agent.took(turns, actions)

    def _show(self, turns: Turns, actions: NDArray[Any]) -> None:
        if turns.legal(actions).all():
            self.table.tell(int(turns.seats[0]), turns.describe(0, actions[0]))

    def end(self, tables: Ints, seats: Ints, returns: NDArray[np.float64]) -> None:
        """Pass it on."""
        self.agent.end(tables, seats, returns)


class PersonsTable:
    """One person's table. Methods may be called from any thread."""

    def __init__(self, library: Library, game: str, opponents: Sequence[str]) -> None:
        self.id = secrets.token_hex(8)
        self._library = library
        game, self._game = named_game(game)
        if len(opponents) != self._game.seats - 1:
            raise InputError(
                f"{game} has {self._game.seats} seats: choose {self._game.seats - 1} "
                f"opponents, not {len(opponents)}."
            )
        for spec in opponents:
            refuse_code(spec)
        who = [identify(spec, self._game) for spec in opponents]
        agents = {identity.key: make_agent(identity.spec, self._game) for identity in who}
        self._lineup = [HUMAN, *who]
        self._identities = {identity.key: identity for identity in self._lineup}
        self._agents: dict[str, Agent] = {
            HUMAN.key: _Human(self),
            **{key: _Seen(agent, self) for key, agent in agents.items()},
        }
        self._league = _league(game, self._game, self._identities)
        # Where several seats decide at once, nobody sees what the others have decided.
        self._sealed = _asked_at_once(self._game)
        self._changed = threading.Condition()
        self._answers: queue.Queue[Any] = queue.Queue(1)
        self._hand = -1
        self._total = 0.0
        self._clear()

    def _clear(self) -> None:
        self._steps: list[dict[str, Any]] = []
        self._turn: Turns | None = None
        self._result: Result | None = None
        self._failure: str | None = None

    # -- the browser's side --------------------------------------------------------------------

    def deal(self) -> dict[str, Any]:
        """Begin the next hand, one seat further on; InputError while one is being played."""
        with self._changed:
            if self._hand >= 0 and self._result is None and self._failure is None:
                raise InputError("a hand is being played at this table: finish it first.")
            self._hand += 1
            self._clear()
        threading.Thread(target=self._play, name=f"table-{self.id}", daemon=True).start()
        return self.state(0)

    def decide(self, hand: int, action: int | str, known: int) -> dict[str, Any]:
        """Take the person's action; the state once the others have answered it.

        The action is a number of a Discrete space, or words of the game's grammar. Raises
        InputError where it is not the person's turn in that hand or the action is not legal.
        """
        with self._changed:
            turn = self._turn
            if turn is None or hand != self._hand:
                raise InputError("it is not your turn.")
            taken = turn.parse(0, action) if isinstance(action, str) else action
            if (problem := turn.why_not(0, taken)) is not None:
                raise InputError(f"{problem}.")
            self._turn = None
            self._steps[-1]["decisions"] = [{"seat": self.seat, "label": turn.describe(0, taken)}]
        self._answers.put(taken)
        return self.state(known)

    def state(self, known: int) -> dict[str, Any]:
        """The steps from number ``known`` on, and whose turn it is, or how the hand ended.

        Waits for a while for the agents, if they are to act.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._turn is not None or self._result is not None or self._failure, _WAIT
            )
            return {
                "table": self.id,
                "hand": self._hand,
                "seat": self.seat,
                "seats": [
                    {"name": "You" if at == self.seat else self._lineup[entrant].spec}
                    for at, entrant in enumerate(self._seating())
                ],
                "from": known,
                "steps": self._steps[known:],
                "turn": None if self._turn is None else _turn(self._turn),
                "over": None if self._result is None else self._over(self._result),
                "failure": self._failure,
                "total": self._total,
                "unit": "points" if self._game.unit_scale != 1 else self._game.unit,
                "game": self._league.game,
                "drawing": drawing_of(self._game),
            }

    def close(self) -> None:
        """End the hand that is being played, if any, without logging it."""
        with self._changed:
            waiting, self._turn = self._turn is not None, None
        if waiting:
            self._answers.put(None)

    # -- the hand's side -----------------------------------------------------------------------

    @property
    def seat(self) -> int:
        """Where the person sits in this hand."""
        return self._seating().index(0)

    def _seating(self) -> tuple[int, ...]:
        n = len(self._lineup)
        return tuple((seat + self._hand) % n for seat in range(n))

    def look(self, turns: Turns) -> None:
        """Add a step: the table as the person's seat sees it, whoever is to act."""
        own = Turns(turns._source, np.zeros(1, np.int64), np.array([self.seat]))
        with self._changed:
            self._steps.append({"frame": own.frame(0), "decisions": []})
            self._changed.notify_all()

    def watch(self, turns: Turns) -> None:
        """Look on while another is to act, unless all act at once."""
        if not self._sealed:
            self.look(turns)

    def tell(self, seat: int, label: str) -> None:
        """Say what was decided at the last step, unless it is sealed."""
        if self._sealed:
            return
        with self._changed:
            self._steps[-1]["decisions"] = [{"seat": seat, "label": label}]

    def ask(self, turns: Turns) -> Any:
        """Wait for the person's decision."""
        self.look(turns)
        with self._changed:
            self._turn = turns
            self._changed.notify_all()
        try:
            action = self._answers.get(timeout=_PATIENCE)
        except queue.Empty:
            action = None
        if action is None:
            raise _Left
        return action

    def _play(self) -> None:
        # A seed of its own for each hand: no page and no log tells the cards of the next one.
        match = Match(
            game=self._league.game,
            game_version=self._league.game_version,
            entrants=tuple(identity.key for identity in self._lineup),
            specs=tuple(identity.spec for identity in self._lineup),
            seed=secrets.randbits(63),
            first_deal=0,
            deals=1,
            seatings=(self._seating(),),
        )
        try:
            (result,) = play(self._game, self._agents, [match], self._identities)
            record = replay.read(result.replay, "this hand")
            store = self._library.store(create=True)
            assert store is not None
            store.add_league(self._league)
            store.append(self._league, result)
            (shown,) = steps(self._game, match, record.episodes[0], [self.seat])
            with self._changed:
                # The captured steps lack what followed the last decision, and how it was put.
                self._steps += shown[len(self._steps) :]
                self._result = result
                self._total += float(result.returns[0, 0, self.seat])
        except _Left:
            with self._changed:
                self._failure = "You left the table; the hand was not logged."
        except Exception as error:
            with self._changed:
                self._failure = f"The hand could not be finished ({error})."
        with self._changed:
            self._changed.notify_all()

    def _over(self, result: Result) -> dict[str, Any]:
        return {
            "match": result.match.id,
            "league": self._league.id,
            "returns": result.returns[0, 0].tolist(),
        }


class Floor:
    """The tables at which persons sit; NotFound for a table that is not there."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._tables: dict[str, PersonsTable] = {}

    def open(self, game: str, opponents: Sequence[str]) -> PersonsTable:
        """A new table; the oldest is closed where there are too many."""
        table = PersonsTable(self._library, game, opponents)
        self._tables[table.id] = table
        while len(self._tables) > _MOST_TABLES:
            self._tables.pop(next(iter(self._tables))).close()
        return table

    def table(self, id: str) -> PersonsTable:
        """The table of that id."""
        if id not in self._tables:
            raise NotFound(f"there is no table {id!r}; take a seat at a new one.")
        return self._tables[id]

    def close(self) -> None:
        """End what is being played, unlogged."""
        for table in self._tables.values():
            table.close()


def choices(library: Library, game: str) -> dict[str, Any]:
    """The game of a spec: how many sit at it, and specs to choose the others from.

    These are players of the store's leagues of the game, then scripts.
    """
    spec, made = named_game(game)
    known = [
        who.identity.spec
        for entry in library.leagues()
        if Spec.parse(entry.league.game).family == made.name
        for who in entry.league.entrants
    ]
    agents = dict.fromkeys(who for who in [*known, *_scripted(spec)] if who != HUMAN.spec)
    return {"game": spec, "seats": made.seats, "agents": list(agents), "games": game_names()}


@lru_cache(32)
def _scripted(spec: str) -> tuple[str, ...]:
    """Families of ours or of the game's package that play as they are; no other is imported."""
    game = game_of(spec)
    own = f"{type(game).__module__.partition('.')[0]}."
    ours = ("arena.agents.scripted.",)
    found = []
    for point in points(GROUP).values():
        scripted = point.value.startswith(ours if own == "arena." else (*ours, own))
        if scripted and null_kind(point.name) != "forfeiting":
            with suppress(InputError):  # it plays another game, or needs a checkpoint
                make_agent(point.name, game)
                found.append(point.name)
    return tuple(found)


def _asked_at_once(game: Game) -> bool:
    """Whether several seats are asked together where an episode begins."""
    tables = game.tables(1)
    tables.renew(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    return len(tables.turns()) > 1


def _league(game: str, made: Game, identities: dict[str, Identity]) -> League:
    """The league that counts a person's hands against these agents."""
    return League(
        name=LEAGUE,
        game=game,
        game_version=made.version,
        seed=0,
        entrants=tuple(Entrant(who.spec, who) for who in identities.values()),
        schedule={"kind": "human"},
    )


def _turn(turns: Turns) -> dict[str, Any]:
    """What the person may do, and what the game's drawing may make controls from.

    ``legal`` are a Discrete space's actions, ``actions`` how many it has; else ``legal`` holds
    examples in words.
    """
    mask = turns.action_mask
    legal: list[dict[str, Any]] = (
        [{"action": word, "label": word} for word in turns.words[0]]
        if mask is None
        else [
            {"action": action, "label": turns.describe(0, action)}
            for action in np.flatnonzero(mask[0]).tolist()
        ]
    )
    return {
        "legal": legal,
        "actions": None if mask is None else mask.shape[1],
        "facts": turns.facts[0],
        "text": turns.text[0],
    }
