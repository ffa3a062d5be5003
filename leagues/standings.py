"""A league's ranking, computed from its log whenever somebody looks."""

from __future__ import annotations

from arena.agents.registry import null_kind
from arena.envs.game import Game
from arena.envs.specs import Spec
from arena.leagues.league import League
from arena.leagues.ratings import History, Log, Ranking, alarms, history, summarise
from arena.leagues.store import Store


def rank(store: Store, league: League) -> Ranking:
    """The ranking of what ``store`` holds of ``league`` now; payoffs in the game's unit."""
    return rank_log(league, Log.of(result for _, result in store.results(league)))


def rank_log(league: League, log: Log) -> Ranking:
    """The ranking of a log of ``league``; payoffs in the game's unit."""
    game = league.make_game()
    return summarise(
        log,
        seed=league.seed,
        session=league.session or game.session,
        unit=game.unit,
        unit_scale=game.unit_scale,
    )


def trace(league: League, log: Log) -> History:
    """How the ratings of a log of ``league`` came to be what they are."""
    session = league.session or league.make_game().session
    return history(log, seed=league.seed, session=session)


def warnings(league: League, ranking: Ranking) -> list[str]:
    """What a reader of the ranking should know, a sentence each.

    A game whose deals are about how much and that says nothing of sessions is ranked by deals
    won, which may put who wins often and little first. Entrants that play alike are named, for
    copies count as so many opponents.

    Null players are held against ``random``: one that is clearly above it is an alarm, and one that
    forfeits everything should be clearly below it. Who is not clearly above a language model that
    says the same to everything has not been seen to understand anything.
    """
    specs = {key: Spec.parse(who.spec) for key, who in league.identities.items()}
    kinds = {key: null_kind(spec) for key, spec in specs.items()}
    agents = [standing.agent for standing in ranking.standings]
    nulls = [key for key in agents if kinds[key]]
    yardstick = next((key for key, spec in specs.items() if spec.family == "random"), "")
    names, random = league.names, league.names.get(yardstick)
    above = alarms(ranking, nulls, yardstick)
    out = [
        f"note: {names[agents[i]]} and {names[agents[j]]} earn the same against everybody, as "
        "copies do; the Nash mixture counts them as one"
        for i, j in ranking.alike
    ]
    if ranking.uneven and league.session is None and not _says_session(league):
        out.append(
            f"alarm: {league.game} does not say after how many deals it is seen who is ahead, and "
            "its deals differ in how much is won: who wins most deals ranks first, whatever the "
            "others cost; set session in the league's configuration, to 100 or, where only winning "
            "counts, to 1"
        )
    for key in above:
        but = ", unless one and the same action is worth that much in this game"
        out.append(
            f"alarm: {names[key]} plays no game, and ranks clearly above {random}; look for a "
            f"fault in the game, the scoring or the schedule{but * (kinds[key] == 'constant')}"
        )
    if yardstick in agents:
        below = ranking.clear[agents.index(yardstick)]
        out += [
            f"note: {names[key]} gives no legal answer, and is not clearly below {random}; "
            "more deals would tell"
            for i, key in enumerate(agents)
            if kinds[key] == "forfeiting" and key not in above and not below[i]
        ]
    players = [i for i, key in enumerate(agents) if key not in (*nulls, yardstick)]
    for at, key in enumerate(agents):
        doubtful = [names[agents[i]] for i in players if not ranking.clear[i, at]]
        if specs[key].family == "lm_null" and kinds[key] == "constant" and doubtful:
            out.append(
                f"note: not clearly above {names[key]}, which says the same to everything: "
                + ", ".join(doubtful)
            )
    return out


def _says_session(league: League) -> bool:
    """Whether the league's game has a session of its own, be it 1."""
    game = league.make_game()
    return "session" in vars(game) or any(
        "session" in vars(kind) for kind in type(game).__mro__ if kind is not Game
    )
