"""Leagues from Python, for notebooks: ``arena.league(game, agents).run()``, results as data frames.

What it plays is what ``arena tournament run`` plays, and lands in a store that the command line and
the viewer read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.envs.errors import InputError
from arena.leagues import runner
from arena.leagues.executors import make_executor
from arena.leagues.league import League
from arena.leagues.ratings.estimates import Estimate, Estimates
from arena.leagues.ratings.ranking import Ranking
from arena.leagues.standings import rank
from arena.leagues.store import Store

if TYPE_CHECKING:
    import pandas as pd

Show = Callable[[int, int], None]
"""Told how many matches are played, of how many."""


def league(
    game: str,
    agents: Sequence[str] | Mapping[str, str],
    *,
    deals: int | None = None,
    schedule: Mapping[str, Any] | None = None,
    seed: int = 0,
    clock: float | None = None,
    name: str = "league",
    store: str | Path | None = None,
) -> LeagueRun:
    """A league that ``run`` plays, or continues where the store has some of it.

    Args:
        game: its spec, such as ``holdem?seats=2,stack=20``.
        agents: specs, or specs by the names that tables should show.
        deals: of each pairing in a round robin; ``schedule`` says more, as in a league file.
        seed: of everything; clock: seconds that a call of an agent may take.
        store: a SQLite file or a database URL; None: a temporary file that ends with the object.

    Raises:
        InputError: for what a league file would be refused for.
    """
    listed = (
        [{"name": key, "spec": spec} for key, spec in agents.items()]
        if isinstance(agents, Mapping)
        else list(agents)
    )
    plan = dict(schedule or {}) | ({} if deals is None else {"deals": deals})
    config = {
        "name": name,
        "game": game,
        "agents": listed,
        "schedule": plan,
        "seed": seed,
        "clock": clock,
    }
    return LeagueRun(League.from_config(config, "arena.league"), store)


class LeagueRun:
    """A league and its store; see ``league``.

    Attributes:
        league: its configuration; store: where its matches are.
    """

    def __init__(self, configured: League, store: str | Path | None) -> None:
        self.league = configured
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if store is None:
            self._folder = tempfile.TemporaryDirectory(prefix="arena-")
            store = Path(self._folder.name) / "arena.db"
        self.store = Store(str(store), create=True)

    def run(self, *, workers: int = 0, progress: Show | None = None) -> LeagueRun:
        """Play what is missing, in this process or in ``workers`` of them; returns itself."""
        with make_executor(runner.roster(self.league), workers) as executor:
            for state in runner.run(self.league, self.store, executor):
                if progress is not None:
                    progress(state.played, state.total)
        return self

    @property
    def ranking(self) -> Ranking:
        """The ranking of what is played, with all that lies behind it."""
        return rank(self.store, self.league)

    @property
    def ratings(self) -> pd.DataFrame:
        """A row for each agent, best first; an estimate has columns for value, low and high."""
        return ratings(self.ranking, self.league)

    @property
    def payoffs(self) -> pd.DataFrame:
        """What row earns against column, in the game's unit."""
        return self._matrix("payoff")

    @property
    def win_rates(self) -> pd.DataFrame:
        """The share of contests in which row is ahead of column."""
        return self._matrix("win_rate")

    def _matrix(self, name: str) -> pd.DataFrame:
        import pandas as pd

        ranking = self.ranking
        names = [self.league.names[standing.agent] for standing in ranking.standings]
        values: Estimates = getattr(ranking, name)
        return pd.DataFrame(values.value, index=names, columns=names)

    @property
    def matches(self) -> pd.DataFrame:
        """A row for each deal, seating and seat: who sat there, what it earned, how it ended."""
        import numpy as np
        import pandas as pd

        from arena.leagues.match import STATUS_NAMES

        frames = []
        for number, result in self.store.results(self.league):
            match = result.match
            deals, seatings, seats = result.returns.shape
            keys = [match.entrants[entrant] for seating in match.seatings for entrant in seating]
            names = [self.league.names[key] for key in keys]
            columns = {
                "number": number,
                "match": match.id,
                "deal": np.repeat(match.first_deal + np.arange(deals), seatings * seats),
                "seating": np.tile(np.repeat(np.arange(seatings), seats), deals),
                "seat": np.tile(np.arange(seats), deals * seatings),
                "agent": np.tile(names, deals),
                "return": result.returns.ravel(),
                "status": np.array(STATUS_NAMES)[result.statuses.ravel()],
            }
            frames.append(pd.DataFrame(columns))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def _repr_html_(self) -> str:
        """What a notebook shows: the ratings."""
        shown: str = self.ratings.to_html(float_format="{:.1f}".format)
        return shown


def ratings(ranking: Ranking, configured: League) -> pd.DataFrame:
    """A ranking as a data frame; see ``LeagueRun.ratings``.

    Raises InputError where pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise InputError("data frames need pandas: pip install 'arena[report]'") from None
    frame = pd.DataFrame([_flat(standing) for standing in ranking.standings])
    frame["agent"] = frame["agent"].map(configured.names)
    return frame.set_index("agent")


def _flat(record: Any) -> dict[str, Any]:
    """A dataclass as one row: estimates and mappings become several columns."""
    row: dict[str, Any] = {}
    for name, value in vars(record).items():
        if isinstance(value, Estimate):
            row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        elif isinstance(value, Mapping):
            row |= {f"{name}_{key}": each for key, each in value.items()}
        elif is_dataclass(value) and not isinstance(value, type):
            row |= {f"{name}_{key}": each for key, each in asdict(value).items()}
        else:
            row[name] = value
    return row
