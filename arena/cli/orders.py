"""Other orders than the rating's: by payoff, by the Nash mixture, by α-Rank, over all games."""

from __future__ import annotations

from dataclasses import asdict

import orjson
from rich.table import Table

from arena.cli.console import meter, say, show, table
from arena.cli.ranking import digits_of, plus_minus
from arena.envs.errors import InputError
from arena.leagues.league import League
from arena.leagues.overall import overall
from arena.leagues.ratings import Ranking, Standing
from arena.leagues.standings import rank
from arena.leagues.store import Store

ORDERS = {
    "payoff": "payoff against whomever each met",
    "nash": "payoff against the mixture that nobody beats",
    "alpharank": "share of the time evolution spends with each",
}


def print_order(store: Store, league: League, by: str) -> None:
    """Print a league's entrants in one of ``ORDERS``; InputError where it needs pairs not met."""
    with meter("rating"):
        ranking = rank(store, league)
    if by != "payoff" and any(standing.nash is None for standing in ranking.standings):
        raise InputError(f"--by {by} needs every pair of {league.name} to have met")
    say(f"{league.name}: {league.game}, by {ORDERS[by]}", "bold")
    show(_ordered(league, ranking, by), keys=2)
    if ranking.transitive is not None:
        say(f"{100 * ranking.transitive:.0f} % of the payoffs, squared, are a ladder; "
            "the rest goes round.", "dim")  # fmt: skip


def _ordered(league: League, ranking: Ranking, by: str) -> Table:
    headings = {
        "payoff": [f"{ranking.unit}>"],
        "nash": [f"{ranking.unit} against Nash>", "share of the mixture>"],
        "alpharank": ["share of evolution>"],
    }
    shown = table("rank>", "agent", *headings[by], "deals>")
    standings = sorted(ranking.standings, key=lambda standing: -_worth(standing, by))
    digits = digits_of([standing.payoff for standing in standings])
    for standing in standings:
        better = sum(_worth(other, by) > _worth(standing, by) for other in standings)
        if by == "alpharank":
            cells = [f"{100 * (standing.evolution or 0):.1f} %"]
        elif by == "nash" and standing.nash:
            share = f"{100 * (standing.share or 0):.1f} %"
            cells = [plus_minus(standing.nash, digits), share]
        else:
            cells = [plus_minus(standing.payoff, digits)]
        name = league.names[standing.agent]
        shown.add_row(str(1 + better), name, *cells, f"{standing.deals:,}")
    return shown


def _worth(standing: Standing, by: str) -> float:
    """What is sorted by, to where rounding ends."""
    if by == "alpharank":
        worth = standing.evolution or 0.0
    elif by == "nash" and standing.nash:
        worth = standing.nash.value
    else:
        worth = standing.payoff.value
    return round(worth, 9)


def print_overall(store: Store, *, json: bool) -> None:
    """Print one table over all leagues of the store, every game counting the same."""
    leagues = [entry.league for entry in store.leagues() if entry.matches]
    if not leagues:
        raise InputError(f"store {store.where} holds no match yet; run arena tournament run")
    with meter("rating"):
        rows = overall((league, rank(store, league)) for league in leagues)
    if json:
        plainly = [{**asdict(row), "score": row.score.to_json()} for row in rows]
        print(orjson.dumps(plainly, option=orjson.OPT_INDENT_2).decode())
        return
    games = sorted({game for row in rows for game in row.games})
    shown = table("agent", "won, %>", "games>", *(f"{game}>" for game in games))
    for row in rows:
        each = (f"{row.games[game]:.1f}" if game in row.games else "" for game in games)
        shown.add_row(row.name, plus_minus(row.score, 1).lstrip("+"), str(len(row.games)), *each)
    show(shown, keys=1)
    say("Each game counts the same; ± 95 % over games, as if they were drawn from many.", "dim")
    if any(len(row.games) < len(games) for row in rows):
        say("Who did not play all games stands below who did; their scores do not compare.", "dim")
