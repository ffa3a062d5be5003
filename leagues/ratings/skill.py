"""The skill that openskill gives the entrants of many-seat tables, made order-free.

openskill's Plackett–Luce model (Weng and Lin, JMLR 12, 2011) is an online filter: it sees one
ranking after another, and what it ends with depends on their order. A league has no order, so the
filter is run over several seeded shuffles of the contests and its answers are averaged; skills do
not drift within a league, so its drift (tau) is 0.

Mu and sigma are for comparison with other leaderboards. Sigma is the filter's own belief; it knows
nothing of deals. What is to be believed is the rating and its interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.leagues.ratings.log import Log

#: As many shuffles as make about so many updates (40 µs each at six seats), at least one.
_UPDATES = 20_000
_MOST_SHUFFLES = 8


@dataclass(frozen=True)
class Skill:
    """An openskill rating; a newcomer has mu 25 and sigma 25/3."""

    mu: float
    sigma: float


def skills(log: Log, *, seed: int) -> tuple[Skill, ...]:
    """Each entrant's skill, in the order of ``log.entrants``."""
    from openskill.models import PlackettLuce

    model = PlackettLuce(tau=0.0)
    contests = [
        ([int(who) for who in lineup if who >= 0], [float(f) for f in finish if f > 0])
        for lineup, finish in zip(log.lineup, log.finishes, strict=True)
        if len({int(who) for who in lineup if who >= 0}) == np.count_nonzero(lineup >= 0) > 1
    ]
    generator = np.random.default_rng(seed)
    shuffles = max(1, min(_MOST_SHUFFLES, _UPDATES // max(1, len(contests))))
    totals = np.zeros((len(log.entrants), 2))
    for _ in range(shuffles):
        ratings = [model.rating() for _ in log.entrants]
        for index in generator.permutation(len(contests)):
            lineup, finish = contests[index]
            after = model.rate([[ratings[who]] for who in lineup], ranks=finish)
            for who, (rating,) in zip(lineup, after, strict=True):
                ratings[who] = rating
        totals += [(rating.mu, rating.sigma) for rating in ratings]
    return tuple(Skill(mu, sigma) for mu, sigma in (totals / shuffles).tolist())
