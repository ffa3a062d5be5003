"""Bidding for clicks with a budget, four at a table, against scripted bidders.

    arena eval bidding --agent lm:smollm2 -o runs/bidding

Every deal is played in all rotations of the seats, so that each bidder has had each campaign. The
league preset ``rtb`` has --auctions 960 --rounds 10 --deals 20.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.evaluation.report import SuiteReport
    from arena.leagues.league import League
    from arena.leagues.store import Store

HELP = "real-time bidding with budgets, against scripted bidders"

_SCRIPTED = {
    "paced": "paced",
    "ortb": "ortb",
    "truthful": "truthful",
    "shaded-60": "shaded?factor=0.6",
    "random": "random",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--auctions", type=int, default=240, help="of an episode (default 240)")
    parser.add_argument("--rounds", type=int, default=2, help="in which all play (default 2)")
    parser.add_argument("--deals", type=int, default=2, help="of each table (default 2)")
    parser.add_argument(
        "--workers", type=int, default=0, help="processes (default 0: none but this)"
    )


def run(options: argparse.Namespace) -> SuiteReport:
    """Play the league."""
    from arena.envs.errors import InputError
    from arena.evaluation.answering import named, open_folder
    from arena.evaluation.leaguing import entrants, play

    if options.workers < 0:
        raise InputError("--workers must not be negative")
    agents = named(options.agent)
    settings = {name: getattr(options, name) for name in ("auctions", "rounds", "deals", "seed")}
    config = {
        "name": "bidding",
        "game": f"rtb?bidders=4,auctions={options.auctions}",
        "seed": options.seed,
        "agents": entrants(agents, _SCRIPTED),
        "schedule": {"kind": "rotation", "rounds": options.rounds, "deals": options.deals},
    }
    open_folder(options.output, {"suite": "bidding", **settings})
    store, (league,) = play(options.output, "bidding", [config], options.workers)
    return _report(settings, agents, store, league)


def _report(
    settings: Mapping[str, Any], agents: Mapping[str, str], store: Store, league: League
) -> SuiteReport:
    from arena.evaluation.report import Bar, Bars, Part, SuiteReport, Table, percent
    from arena.leagues.standings import rank

    ranking = rank(store, league)
    names = league.names
    rows = [(names[standing.agent], standing) for standing in ranking.standings]
    parts: list[Part] = [
        Table(
            "Ranking",
            ("agent", "rating", f"{ranking.unit} an episode", "deals won, %", "deals", "forfeits"),
            [
                (
                    *(name, s.rating, s.payoff, percent(s.win_rate)),
                    *(s.deals, sum(s.forfeits.values())),
                )
                for name, s in rows
            ],
            digits=(0, 0, 3, 1, 0, 0),
        ),
        Bars(
            f"{ranking.unit.capitalize()} an episode",
            ranking.unit,
            [("", [Bar(name, s.payoff, baseline=name in _SCRIPTED) for name, s in rows])],
        ),
    ]
    data = {
        "settings": dict(settings),
        "agents": {**agents, **_SCRIPTED},
        "names": names,
        "ranking": ranking.to_json(),
    }
    lead = (
        f"{league.game}, {ranking.deals} deals in all seatings, seed {league.seed}. Intervals are "
        f"of 95 %, over deals. Replays: arena view --store {store.where}"
    )
    return SuiteReport("Bidding", lead, parts, data)
