"""Leagues small enough for a test, and agents that misbehave in every way."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from arena.bench.postgresql import Unavailable, cluster
from arena.leagues import runner
from arena.leagues.executors import InProcess
from arena.leagues.league import League
from arena.leagues.store import Store

ROGUES = '''
import ctypes, os, signal, time
import numpy as np
from arena.agents.agent import Agent, Decisions
from arena.envs.holdem import Holdem

class Rogue(Agent):
    def __init__(self, game, checkpoint=None):
        pass

    def act(self, turns):
        return Decisions(turns.action_mask.argmax(axis=1))

class Killer(Rogue):
    """Ends the process it is in, as a segmentation fault would."""
    def act(self, turns):
        os.kill(os.getpid(), signal.SIGKILL)

def once():
    """True for the first who asks in any process."""
    try:
        open(__file__ + ".once", "x").close()
    except FileExistsError:
        return False
    return True

class Unlucky(Rogue):
    """Its process is killed once, as the system may do that is short of memory."""
    def act(self, turns):
        if once():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().act(turns)

class Delayed(Rogue):
    """Is kept from answering once, through no fault of its own."""
    def act(self, turns):
        if once():
            time.sleep(3600)
        return super().act(turns)

class Paused(Rogue):
    """Is kept from answering once, where no clock can interrupt it."""
    def act(self, turns):
        if once():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            time.sleep(3600)
        return super().act(turns)

class Stuck(Rogue):
    """Hangs where no exception reaches it: the signal is blocked."""
    def act(self, turns):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        time.sleep(3600)

class Stubborn(Rogue):
    """Catches every Exception while it hangs."""
    def act(self, turns):
        while True:
            try:
                time.sleep(3600)
            except Exception:
                pass

class Flaky(Rogue):
    """Raises at turns whose own seed says so, whatever else is in the batch."""
    def act(self, turns):
        if (turns.uniforms()[:, 0] < 0.1).any():
            raise RuntimeError("flaky")
        return super().act(turns)

class Short(Rogue):
    """Answers fewer turns than it was asked."""
    def act(self, turns):
        return Decisions(np.zeros(len(turns) - 1, np.int64))

class Wordy(Rogue):
    """Says what it thought."""
    def act(self, turns):
        notes = [{"prompt": "p", "answer": f"seat {seat}"} for seat in turns.seats]
        mask = turns.action_mask
        return Decisions(mask.argmax(axis=1), mask / mask.sum(axis=1, keepdims=True), notes)

class Ragged(Rogue):
    def act(self, turns):
        return Decisions(turns.action_mask.argmax(axis=1), np.ones((len(turns) - 1, 3)))

class Narrow(Rogue):
    def act(self, turns):
        return Decisions(turns.action_mask.argmax(axis=1), np.ones((len(turns), 1)))

class Listed(Rogue):
    """Gives its probabilities as lists, which are as good as an array."""
    def act(self, turns):
        mask = turns.action_mask
        return Decisions(mask.argmax(axis=1), (mask / mask.sum(axis=1, keepdims=True)).tolist())

class Mumbling(Rogue):
    def act(self, turns):
        return Decisions(turns.action_mask.argmax(axis=1), notes="x" * len(turns))

class Quitter(Rogue):
    def act(self, turns):
        raise SystemExit(3)

class Unready(Rogue):
    def begin(self, tables, seats):
        raise SystemExit(3)

class Sore(Rogue):
    def end(self, tables, seats, returns):
        raise RuntimeError("unfair")

class Sleeper(Rogue):
    def begin(self, tables, seats):
        time.sleep(3600)

class Swallower(Rogue):
    """Catches everything, and answers in the end."""
    def act(self, turns):
        for _ in range(2):
            try:
                time.sleep(3600)
            except BaseException:
                pass
        return super().act(turns)

class Interrupted(Rogue):
    """Is deciding while the user interrupts, and takes it for an error of its own."""
    def act(self, turns):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        except BaseException:
            pass
        return super().act(turns)

class Patchy(Rogue):
    """Crashes in a batch; alone, has no answer where its seed says so."""
    def act(self, turns):
        if len(turns) > 1:
            raise RuntimeError("one by one, please")
        late = turns.uniforms()[0, 0] < 0.3
        return Decisions(turns.action_mask.argmax(axis=1), failures={0: "timeout"} if late else {})

class Unwritable(Rogue):
    def act(self, turns):
        return Decisions(turns.action_mask.argmax(axis=1), notes=[{"x": object()}] * len(turns))

class Confused(Rogue):
    def act(self, turns):
        return Decisions(turns.action_mask.argmax(axis=1), failures={0: "perplexed"})

class Compiler(Rogue):
    """Compiles a kernel of its own at its first decision, which takes longer than its clock."""
    def act(self, turns):
        import numba
        @numba.njit
        def kernel(mask):
            out = np.zeros(len(mask), np.int64)
            for row in range(len(mask)):
                np.sort(mask[row].astype(np.float64))  # makes the compiler work longer
                out[row] = np.argmax(mask[row])
            return out
        return Decisions(kernel(turns.action_mask))

class Chatty(Rogue):
    def act(self, turns):
        print("let me think")
        return super().act(turns)

class Silent(Rogue):
    """Has no answer to every second turn of a batch, and says which."""
    def act(self, turns):
        seeded = turns.uniforms()[:, 0] < 0.5
        return Decisions(
            turns.action_mask.argmax(axis=1),
            failures={int(row): "timeout" for row in np.flatnonzero(seeded)},
        )

class Rememberer(Rogue):
    """Counts its decisions at each table from begin to end; raises where they do not match."""
    def __init__(self, game, checkpoint=None):
        self.open = {}

    def begin(self, tables, seats):
        for place in zip(tables.tolist(), seats.tolist()):
            assert place not in self.open
            self.open[place] = 0

    def act(self, turns):
        for place in zip(turns.tables.tolist(), turns.seats.tolist()):
            self.open[place] += 1
        return super().act(turns)

    def end(self, tables, seats, returns):
        assert len(returns) == len(tables)
        for place in zip(tables.tolist(), seats.tolist()):
            del self.open[place]

class Doom(Exception):
    def __init__(self, what, when):  # cannot be unpickled
        super().__init__(f"doom: {what}")

class Cursed(Holdem):
    """A game with a fault."""
    def tables(self, capacity):
        def step(*_):
            raise Doom("the deck is gone", "now")
        tables = super().tables(capacity)
        tables.step = step
        return tables
'''


@pytest.fixture(autouse=True)
def rogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents killer, stuck, … installed as a distribution of somebody else's."""
    folder = tmp_path / "site"
    info = folder / "rogues-0.dist-info"
    info.mkdir(parents=True)
    (folder / "arena_test_rogues.py").write_text(ROGUES)
    names = [
        line.split("class ")[1].split("(")[0]
        for line in ROGUES.splitlines()
        if line.startswith("class ") and "(Rogue)" in line
    ]
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rogues\nVersion: 0\n")
    points = "\n".join(f"{name.lower()} = arena_test_rogues:{name}" for name in names)
    games = "[arena.envs]\ncursed = arena_test_rogues:Cursed\n"
    (info / "entry_points.txt").write_text(f"[arena.agents]\n{points}\n{games}")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "arena_test_rogues", raising=False)  # another test's


MakeLeague = Callable[..., League]


@pytest.fixture
def make_league() -> MakeLeague:
    """``make_league(agents, game=…, clock=…, **schedule)``: a league of few deals."""

    def make(
        agents: Sequence[str],
        *,
        game: str = "holdem?seats=2",
        seed: int = 7,
        clock: float | None = None,
        **schedule: Any,
    ) -> League:
        config = {"name": "test", "game": game, "seed": seed, "agents": list(agents)}
        config["schedule"] = schedule or {"deals": 20, "deals_per_match": 10}
        return League.from_config({**config, "clock": clock}, "test")

    return make


@pytest.fixture
def play() -> Callable[[League, Store], list[runner.Progress]]:
    """``play(league, store)``: run the league to its end in this process."""

    def run(league: League, store: Store) -> list[runner.Progress]:
        with InProcess(runner.roster(league)) as executor:
            return list(runner.run(league, store, executor))

    return run


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A new store, ``a.db``."""
    return Store(str(tmp_path / "a.db"), create=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL of the tests' own; skips where there is none."""
    try:
        with cluster() as url:
            yield url
    except Unavailable as why:
        pytest.skip(str(why))


_NUMBERS = itertools.count()


@pytest.fixture
def postgresql(postgresql_server: str) -> str:
    """The URL of an empty database in PostgreSQL."""
    name = f"test{next(_NUMBERS)}"
    engine = sa.create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return postgresql_server.replace("/postgres?", f"/{name}?")
