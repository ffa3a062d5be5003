"""Ratings: what a league's log says of who is stronger, and how sure that is.

::

    log = Log.of(results)  # arena.leagues.match.Result, in any order
    ranking = summarise(log, seed=0, session=100, unit="mbb/hand", unit_scale=1000)
    ranking.standings[0].rating                              # Estimate(value, error, low, high)
    ranking.to_json()                                        # plain values
    history(log, seed=0, session=100)                        # the ratings over deals played

Everything is computed from the log and depends on nothing else: neither on the order of matches nor
on how deals were split into them. The chain is

1. ``log``: per lineup and deal, all its seatings, what each entrant came away with. A forfeited
   deal is lost, whatever the chips say; its chips stay in the payoff.
2. ``tally``: who has won how many contests against whom. A contest is a deal or, where a deal is
   about how much, a session of many.
3. ``bradley_terry``: strengths from the table of wins.
4. ``bootstrap``: the deals resampled, for the intervals of ratings, ranks and "is stronger than".
5. ``estimates``: payoffs and win rates, with standard errors over deals.
6. ``ranking`` and ``history``: what is shown. ``skill``: openskill, beside it.

The unit of statistics is the deal. Every pairing plays the same deals with the seats permuted, so
results on one deal, of one pair or of many, are not independent; results on different deals are.
Intervals are at 95 %. ``docs/ratings.md`` tells users what the numbers mean.
"""

from arena.leagues.ratings.estimates import Estimate, Estimates
from arena.leagues.ratings.history import History, history
from arena.leagues.ratings.log import Log
from arena.leagues.ratings.ranking import Ranking, Standing, alarms, summarise
from arena.leagues.ratings.skill import Skill, skills

__all__ = [
    "Estimate",
    "Estimates",
    "History",
    "Log",
    "Ranking",
    "Skill",
    "Standing",
    "alarms",
    "history",
    "skills",
    "summarise",
]
