"""A league's ranking, computed from its log whenever somebody looks."""

from __future__ import annotations

from leagues.league import League
from leagues.ratings import History, Log, Ranking, alarms, history, summarise
from leagues.store import Store

# Families that play no game: one of them above ``random`` says that the scoring is at fault.
NULL_FAMILIES = frozenset({"first", "fold", "timeout", "crash", "illegal"})


def rank(store: Store, league: League) -> Ranking:
    """The ranking of what ``store`` holds of ``league`` now; payoffs in the game's unit."""
    return rank_log(league, Log.of(result for _, result in store.results(league)))


def rank_log(league: League, log: Log) -> Ranking:
    """The ranking of a log of ``league``; payoffs in the game's unit."""
    game = league.make_game()
    return summarise(
        log,
        seed=league.seed,
        session=game.session,
        unit=game.unit,
        unit_scale=game.unit_scale,
    )


def trace(league: League, log: Log) -> History:
    """How the ratings of a log of ``league`` came to be what they are."""
    return history(log, seed=league.seed, session=league.make_game().session)


def warnings(league: League, ranking: Ranking) -> list[str]:
    """What a reader of the ranking should know, a sentence each."""
    families = {key: who.spec.partition("?")[0] for key, who in league.identities.items()}
    nulls = [key for key, family in families.items() if family in NULL_FAMILIES]
    yardstick = next((key for key, family in families.items() if family == "random"), "")
    return [
        f"alarm: {league.names[key]} plays no game, and ranks clearly above "
        f"{league.names[yardstick]}; look for a fault in the game, the scoring or the schedule"
        for key in alarms(ranking, nulls, yardstick)
    ]
