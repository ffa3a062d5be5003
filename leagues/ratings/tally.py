"""Who is ahead of whom how often: by deals won, or by sessions of many deals.

Where a deal is about *how much*, counting the deals won misleads: who goes all-in with every hand
of poker wins most deals (the blinds) and loses few (its chips). There a contest is a *session*: row
beats column if its total over K deals is the larger one.

A league is not cut into sessions: few would be left, and where to cut is arbitrary. From all the
deals of a pair follow the mean m and the variance s² of what row gains on column in a deal, and a
sum of K deals is nearly normal, so row is ahead after a session with probability
p = Φ(√K · m / s). (In the demo league, ten players on 2,000 deals of heads-up Hold'em, that differs
from the share of resampled 100-deal sessions by .005, root mean square over pairs, and by .02 at
most.) Each of the D deals then counts as p contests won and 1 - p lost. Counting them for D / K
contests would change nothing between pairs but let the prior, one tied contest, weigh K times as
much, and the intervals would cover less: in leagues drawn from the demo's deals 92 % instead of
93 % at D = 10 K, and 83 % instead of 93 % at D = K.

*A session is at most a tenth of the deals.* D deals say √K · m / s to within √(K / D). At D = K
that is the whole scale: every pair looks nearly decided, and with the pairs' errors independent the
intervals of 8 entrants cover 84 %. No other formula for p helped (Student's predictive distribution
draws the estimate towards ½, not the truth; Kolmogorov's unbiased estimate does not exist there);
asking for a shorter session does (92 to 95 %). Who is above ½ does not depend on K. So a pair with
few deals is certain of nothing: its sessions are short, it counts for no more than its deals, and
the prior's tie stands against them.

A *forfeited* deal is a lost contest, as where deals are won; the pair's other contests go by p, to
which all the chips count as they fell. (Were a session lost by one forfeit, a winner that runs out
of time once in a hundred deals would lose 63 % of its sessions, and 1 - (1 - f)^K would have to be
told from one or two forfeits.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from scipy.special import ndtr

from arena.leagues.ratings.log import Floats, Ints, Log

#: How many sessions the deals of a pair must amount to, on average over pairs.
_FEWEST_SESSIONS = 10


@dataclass(frozen=True)
class Tally:
    """What is added up over deals, and what the sums say of who has won.

    Attributes:
        n: how many entrants.
        session: how many deals make a contest.
        sums: float64 ``(deals, columns)``. Where ``session`` is 1 they are ``Log.wins``. Else each
            pair i < j has five columns (in five blocks): contests not forfeited, contests that j
            forfeited and i did not, and the reverse, i's gain on j, and its square; both forfeited
            is half of either.
    """

    n: int
    session: int
    sums: csr_array

    @classmethod
    def of(cls, log: Log, session: int) -> Tally:
        """By deals won where ``session`` is 1, else by sessions of at most that many deals.

        A session is shortened to a tenth of the deals that a pair has played on average, no less
        than two.
        """
        n = len(log.entrants)
        if session == 1:
            return cls(n, 1, log.wins)
        contests = log.contests.sum(axis=0)
        played = contests.sum() / max(1, np.count_nonzero(contests))
        pairs = _pairs(n)
        blocks = [columns[:, pairs] for columns in (*log.forfeits_by_pair, *log.gains)]
        return cls(n, max(2, min(session, int(played) // _FEWEST_SESSIONS)), hstack(blocks, "csr"))

    def wins(self, sums: Floats) -> Floats:
        """Contests won by row against column, ties half, float64 ``(n, n)``.

        Args:
            sums: float64 ``(columns,)``, of any number of deals.
        """
        return self._wins(sums, 1.0, sums)

    def resampled_wins(self, draws: Floats, sums: Floats) -> Floats:
        """The same of deals with random weights, float64 ``(samples, n, n)``.

        Args:
            draws: float64 ``(samples, columns)``, with exponential weights.
            sums: float64 ``(columns,)``, with weights of 1.
        """
        return self._wins(draws, 2.0, sums)

    def _wins(self, sums: Floats, spent: float, whole: Floats) -> Floats:
        shape = (*sums.shape[:-1], self.n, self.n)
        if self.session == 1:
            return sums.reshape(shape)
        fair, won, lost, gain, square = np.split(sums, 5, axis=-1)
        contests = sum(np.split(whole, 5)[:3])
        with np.errstate(divide="ignore", invalid="ignore"):
            total = fair + won + lost
            mean = gain / total
            # The sum of the squared weights, 1 / D as they are and about 2 / (D + 1) where they
            # are exponential, is what the variance around the sample's own mean lacks.
            lacking = spent / (contests + (spent - 1))
            variance = np.maximum(square / total - mean**2, 0)
            variance /= np.where(lacking < 1, 1 - lacking, 1)
            # A total that is nothing but rounding is a tie.
            level = np.abs(gain) <= 1e-9 * np.sqrt(square * total)
            reach = np.where(level, 0, np.sqrt(self.session / variance) * mean)
        i, j = np.triu_indices(self.n, 1)
        wins = np.zeros(shape)
        wins[..., i, j] = won + fair * ndtr(reach)
        wins[..., j, i] = lost + fair * ndtr(-reach)
        return wins


def _pairs(n: int) -> Ints:
    """The cells above the diagonal of an ``(n, n)`` table."""
    i, j = np.triu_indices(n, 1)
    cells: NDArray[np.int64] = i * n + j
    return cells
