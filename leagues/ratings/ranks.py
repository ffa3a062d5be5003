"""Which ranks are possible, for all entrants together and for one by itself.

A rank says how many are above, so it rests on comparisons with all others, and a league's ranks on
all comparisons of all pairs. That all of them hold together at 95 % is what Mogstad, Romano, Shaikh
and Wilhelm (Review of Economic Studies 91, 2024) ask of a confidence set for ranks; it is got from
the joint distribution of the resampled differences:

- each difference of two strengths is measured in its own standard error;
- the critical value is what the largest deviation among all comparisons exceeds in 5 % of the
  resamples, so it knows that comparisons of one league depend on one another;
- comparisons that are decided are set aside and the value is found anew among the rest, until
  nothing more is decided (step-down: Romano and Wolf, Econometrica 73, 2005).

The resamples lie askew where somebody is nearly unbeaten: then the standard error is that of the
side towards 0, or the whole's as far as chance explains why that is larger. Where sessions are won,
both sides must agree: a skewed payoff makes one too short.
For few deals the critical value is lengthened as Student's t is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from arena.leagues.ratings.bootstrap import LEVEL, quantile, reach, wider
from arena.leagues.ratings.cells import Floats, Ints

#: Strengths that differ by less are equal: a fit ends a rounding error apart.
_EQUAL = 1e-9
_TAIL = (1 - LEVEL) / 2
#: Two standard errors of a standard error that one side's quantile tells, times √samples.
_CHANCE = 2.7


@dataclass(frozen=True)
class Comparison:
    """All comparisons of ``n`` entrants, from ``s`` resamples.

    Attributes:
        theta: float64 ``(n,)``, the strengths.
        draws: float64 ``(n, s)``, resampled.
        deals: int64 ``(n,)``, from how many deals each is known.
        groups: int64 ``(n,)``; only entrants of one group are compared.
        both_sides: whether the wider side of a difference's distribution counts.
    """

    theta: Floats
    draws: Floats
    deals: Ints
    groups: Ints
    both_sides: bool

    @cached_property
    def stronger(self) -> Floats:
        """The probability that row is stronger than column, ½ where they cannot be compared."""
        return self._measured[1]

    @cached_property
    def clear(self) -> NDArray[np.bool_]:
        """Bool ``(n, n)``: row is above column, and all of these hold together at 95 %."""
        decided = np.zeros((len(self.theta),) * 2, np.bool_)
        while True:
            largest = self._deviations(~decided).max(axis=0, initial=0)
            more = self._beyond(self._needed(quantile(np.sort(largest), LEVEL))) & ~decided
            if not more.any():
                return decided
            decided |= more

    @cached_property
    def ranks(self) -> tuple[Ints, Ints]:
        """The best and the worst rank of each that ``clear`` leaves open, int64 ``(n,)``, twice."""
        return 1 + self.clear.sum(axis=0), len(self.theta) - self.clear.sum(axis=1)

    @cached_property
    def own_ranks(self) -> tuple[Ints, Ints]:
        """The same from each entrant's own comparisons: at 95 % they hold for it alone."""
        everything = np.ones((len(self.theta),) * 2, np.bool_)
        largest = self._deviations(everything, both=True)
        critical = quantile(np.sort(largest, axis=1), LEVEL)
        needed = self._needed(critical)
        above, below = self._beyond(needed.T), self._beyond(needed)
        return 1 + above.sum(axis=0), len(self.theta) - below.sum(axis=1)

    def _beyond(self, needed: Floats) -> NDArray[np.bool_]:
        """Whether row is above column by more than the ``needed`` standard errors."""
        gap = self.theta[:, None] - self.theta
        comparable = (self.deals > 1) & (self.deals[:, None] > 1)
        comparable &= self.groups[:, None] == self.groups
        with np.errstate(invalid="ignore"):  # what must be endlessly long and has no error is not
            ahead: NDArray[np.bool_] = gap > np.maximum(_EQUAL, needed * self._measured[0])
        return comparable & ahead

    def _needed(self, critical: Floats | float) -> Floats:
        """The critical value, of all or of each row, for as few deals as row and column have."""
        known, which = np.unique(np.maximum(self.deals, 2), return_inverse=True)
        tails = np.broadcast_to(ndtr(-np.asarray(critical)), self.deals.shape)
        by_deals = reach(known, tails[:, None]) * wider(known)
        needed: Floats = np.take_along_axis(by_deals, np.minimum(which[:, None], which), axis=1)
        return needed

    def _deviations(self, among: NDArray[np.bool_], *, both: bool = False) -> NDArray[np.float32]:
        """For each entrant the largest deviation of its comparisons, in each resample, ``(n, s)``.

        Of the comparisons that it is above, and where ``both`` also of those that it is below.
        """
        error = self._measured[0]
        largest = np.zeros(self.draws.shape, np.float32)
        for row in range(len(self.theta)):
            fallen = self._off[row] - self._off
            for sign, scale in ((1, error[row]), (-1, error[:, row]))[: 1 + both]:
                use = among[row] & (scale > 0) & (self.groups[row] == self.groups)
                if use.any():
                    weight = (sign / scale[use]).astype(np.float32)
                    most = (fallen[use] * weight[:, None]).max(axis=0)
                    largest[row] = np.maximum(largest[row], most)
        return largest

    @cached_property
    def _off(self) -> NDArray[np.float32]:
        """How far each resample lies below the estimate."""
        return (self.theta[:, None] - self.draws).astype(np.float32)

    @cached_property
    def _measured(self) -> tuple[Floats, Floats]:
        """The standard error of row's lead over column, and how probable the lead is."""
        n, samples = self.draws.shape
        error, stronger = np.zeros((n, n)), np.full((n, n), 0.5)
        np.fill_diagonal(stronger, np.nan)
        end = int(_TAIL * (samples + 1)) - 1
        kth = [k % samples for k in (max(0, end), end + 1, -end - 2, min(-1, -end - 1))]
        for row in range(n - 1):
            others = row + 1 + np.flatnonzero(self.groups[row + 1 :] == self.groups[row])
            off = self._off[row] - self._off[others]
            gap = (self.theta[row] - self.theta[others])[:, None]
            ahead = (off < gap).mean(axis=1) + (off == gap).mean(axis=1) / 2
            stronger[row, others], stronger[others, row] = ahead, 1 - ahead
            off.partition(kth, axis=1)
            lower, upper = quantile(off, 1 - _TAIL), -quantile(off, _TAIL)
            error[row, others] = lower / ndtri(1 - _TAIL)
            error[others, row] = upper / ndtri(1 - _TAIL)
        if n > 1:
            spread = np.cov(self._off.astype(np.float64))
            variance = np.diagonal(spread)
            either = np.sqrt(np.maximum(variance[:, None] + variance - 2 * spread, 0))
            if not self.both_sides:
                either = np.minimum(either, error * (1 + _CHANCE / np.sqrt(samples)))
            error = np.maximum(error, either)
        return error, stronger
