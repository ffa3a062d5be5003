"""A league's tables on the terminal: the ranking, and who earned what against whom."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

import orjson
from rich.table import Table

from arena.cli.console import meter, say, show, table
from arena.leagues.league import League
from arena.leagues.luck import Luckless
from arena.leagues.ratings import Ranking
from arena.leagues.ratings.estimates import Estimate
from arena.leagues.standings import rank, warnings
from arena.leagues.store import Store

# Wider matrices are left to the web page and to --json.
_MATRIX = 14
# With fewer sessions' deals the share of sessions won is told badly.
_TRUSTED = 10


def ranking_json(store: Store, league: League, luck: str | None = None) -> str:
    """The ranking as JSON text, with the league's configuration and the agents' names.

    ``luck`` names the player by whose value function luck is taken out, if it is to be.
    """
    data = {
        "league": league.to_json(),
        "names": league.names,
        "ranking": rank(store, league).to_json(),
    }
    if luck is not None:
        data["luckless"] = Luckless.of(store, league, luck).to_json()
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()


def print_ranking(store: Store, league: League, luck: str | None = None) -> None:
    """Print ranking, payoff matrix, warnings, and where the replays are; ``luck`` as above."""
    with meter("rating"):
        ranking = rank(store, league)
        luckless = None if luck is None else Luckless.of(store, league, luck)
    played = f"{ranking.deals:,} deals"
    if ranking.session > 1:
        played += f" in sessions of {ranking.session}"
    say(f"{league.name}: {league.game}, {played}, seed {league.seed}", "bold")
    show(_standings(league, ranking, luckless), keys=4)
    for line in [*_legend(ranking), *_without_luck(ranking, luckless)]:
        say(line, "dim")
    if 2 <= len(ranking.standings) <= _MATRIX:
        what = "what row earns" if ranking.payoff_is == "return" else "row less column"
        print()
        say(f"Payoff, {what}, {ranking.unit}, ± 95 %", "bold")
        show(_matrix(league, ranking))
    for warning in warnings(league, ranking):
        say(warning, "bold red")
    example = next(iter(store.results(league)), None)
    if example is not None:
        option = "" if store.where == "arena.db" else f" --store {shlex.quote(store.where)}"
        print(
            f"\nreplays of all matches: {store.where}\n"
            f"  list: arena tournament matches{option}\n"
            f"  one: arena replay show {example[1].match.id} --deal 0{option}"
        )


def _without_luck(ranking: Ranking, luckless: Luckless | None) -> list[str]:
    """By what luck was taken out, and how many times the deals that is worth."""
    if luckless is None:
        return []
    errors = [(s.payoff.error, luckless.payoff[s.agent].error) for s in ranking.standings]
    worth = [(plain / left) ** 2 for plain, left in errors if 0 < left < math.inf > plain]
    times = f", as if {sorted(worth)[len(worth) // 2]:,.1f} times the deals" if worth else ""
    player = luckless.player
    return [f"No luck: less what cards and draws brought, by the value of {player.spec} "
            f"({player.key}){times}."]  # fmt: skip


def _standings(league: League, ranking: Ranking, luckless: Luckless | None) -> Table:
    forfeited = any(any(standing.forfeits.values()) for standing in ranking.standings)
    skilled = any(standing.skill for standing in ranking.standings)
    mixed = any(standing.nash for standing in ranking.standings)
    won = "sessions won" if ranking.session > 1 else "win rate"
    ranks = table(
        "rank>", "all ranks^", "its own^", "agent", "rating>", "95 % interval^", f"{won}>",
        f"{ranking.unit}>", *["no luck>"] * bool(luckless), *["against Nash>"] * mixed, "deals>",
        *["openskill μ ± σ>"] * skilled, *["forfeits"] * forfeited,
    )  # fmt: skip
    digits = digits_of([standing.payoff for standing in ranking.standings])
    for standing in ranking.standings:
        row = [
            str(standing.rank),
            _span(standing.rank_low, standing.rank_high),
            _span(standing.own_rank_low, standing.own_rank_high),
            league.names[standing.agent],
            f"{standing.rating.value:.0f}" + "*" * (not standing.settled),
            _interval(standing.rating),
            _percent(standing.win_rate),
            plus_minus(standing.payoff, digits),
            *([plus_minus(luckless.payoff[standing.agent], digits)] if luckless else []),
            *([plus_minus(standing.nash, digits)] if standing.nash else []),
            f"{standing.deals:,}",
        ]
        if skilled:
            skill = standing.skill
            row.append("" if skill is None else f"{skill.mu:.1f} ± {skill.sigma:.1f}")
        if forfeited:
            kinds = (f"{count} {kind}" for kind, count in standing.forfeits.items() if count)
            row.append(", ".join(kinds))
        ranks.add_row(*row)
    return ranks


def _matrix(league: League, ranking: Ranking) -> Table:
    payoffs = table("", *(f"{standing.rank}>" for standing in ranking.standings))
    n = len(ranking.standings)
    digits = digits_of([ranking.payoff[i, j] for i in range(n) for j in range(n) if i != j])
    for row, standing in enumerate(ranking.standings):
        cells = [
            "" if row == column else plus_minus(ranking.payoff[row, column], digits)
            for column in range(n)
        ]
        payoffs.add_row(f"{standing.rank} {league.names[standing.agent]}", *cells)
    return payoffs


def _legend(ranking: Ranking) -> list[str]:
    """What the columns hold, in as few words as it takes."""
    said = ["All ranks hold together at 95 %; its own ranks, like every other interval, alone."]
    if ranking.session > 1 and ranking.deals < _TRUSTED * ranking.session:
        said.append(
            f"Fewer deals than {_TRUSTED} sessions: how far the agents are apart is hardly known."
        )
    if any(standing.nash for standing in ranking.standings):
        said.append("Nash: the mixture of these agents that none of them beats.")
    if ranking.transitive is not None and len(ranking.standings) > 2:
        said.append(
            f"{100 * ranking.transitive:.0f} % of the payoffs, squared, are a ladder; "
            "the rest goes round."
        )
    if not all(standing.settled for standing in ranking.standings):
        said.append("*: fewer deals than a session, so it changes nothing for the others.")
    return said


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"


def _interval(estimate: Estimate) -> str:
    if math.isinf(estimate.low):
        return "not known"
    return f"{estimate.low:.0f} … {estimate.high:.0f}"


def _percent(estimate: Estimate) -> str:
    if math.isnan(estimate.value):  # met nobody
        return "–"
    half = 50 * (estimate.high - estimate.low)
    value = f"{100 * estimate.value:.1f}"
    if value in ("100.0", "0.0"):  # nothing that was estimated is certain
        value = "> 99.9" if estimate.value > 0.5 else "< 0.1"
    return f"{value} ± {max(half, 0.1):.1f} %"


def digits_of(estimates: Sequence[Estimate]) -> int:
    """How many decimals show two digits of a typical interval's half-width."""
    halves = sorted(half for e in estimates if 0 < (half := (e.high - e.low) / 2) < math.inf)
    typical = halves[len(halves) // 2] if halves else 1.0
    return min(4, max(0, 1 - math.floor(math.log10(typical))))


def plus_minus(estimate: Estimate, digits: int) -> str:
    """The value and the half-width of its interval."""
    if math.isnan(estimate.value):  # they never met
        return "–"
    value = round(estimate.value, digits) + 0.0  # no minus zero
    half = (estimate.high - estimate.low) / 2
    return f"{value:+,.{digits}f} ± " + ("?" if math.isinf(half) else f"{half:,.{digits}f}")
