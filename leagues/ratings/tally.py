"""Who is ahead of whom how often: by deals won, or by sessions of many deals.

Where a deal is about *how much*, counting the deals won misleads: who goes all-in with every hand
of poker wins most deals (the blinds) and loses few (its chips). There a contest is a *session*: row
beats column if its total over K deals is the larger one.

A league is not cut into sessions: few would be left, and where to cut is arbitrary. A pair's share
of sessions won is what it is among all sessions of K deals that can be drawn from the pair's deals
(``arena.leagues.ratings.sessions`` has it exactly). Each of the D deals then counts as that share
of a contest won. Counting them for D / K contests would change nothing between pairs but let the
prior, one tied contest, weigh K times as much.

*For resamples of the deals* the share is worked out from what adds up over deals: the mean m and
the variance s² of what row gains on column give Φ(√K · m / s + c), and c makes the formula exact
for the deals as they are: the normal distribution says how the share moves, not what it is.

*The length is fixed.* D deals say √K · m / s to within √(K / D), so fewer deals than a session say
little about where one is after a whole one, and the intervals show it. Since shares lie between 0
and 1, what is uncertain is drawn towards ½, and more so the fewer the deals; resamples are spread
by √(1 + K / 2D) to make up for that (by √1.5 at most). In planted leagues of two and of eight
intervals then cover 93 to 96 % for anything from D = K / 5 to D = 10 K, without it 91 to 95 %.

A *forfeited* deal is a lost contest, as where deals are won; the pair's other contests go by the
share, to which all the chips count as they fell. (Were a session lost by one forfeit, a winner that
runs out of time once in a hundred deals would lose 63 % of its sessions, and 1 - (1 - f)^K would
have to be told from one or two forfeits.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtr

from arena.leagues.ratings.cells import Cells, Floats, Ints, Pairs
from arena.leagues.ratings.log import Log, rounded
from arena.leagues.ratings.sessions import correction

#: Neighbouring deals are resampled together where there are more: the spread is the same, and the
#: time does not grow with the log.
MOST_UNITS = 1000


@dataclass(frozen=True)
class Tally:
    """What is added up over deals, and what the sums say of who has won.

    A *unit* is a deal, or some neighbouring ones (``MOST_UNITS``).

    Attributes:
        pairs: the ``m`` pairs that met.
        session: how many deals make a contest.
        deals: int64 ``(units,)``, how many deals each unit has.
        sums: sparse float64 ``(units, blocks * m)``. Where ``session`` is 1 there are two blocks:
            contests won by i and by j, ties half each. Else five: contests not forfeited, contests
            that j forfeited and i did not, and the reverse, i's gain on j, and its square; both
            forfeited is half of either.
        shift: float64 ``(m, 1)``, the c of the formula above.
    """

    pairs: Pairs
    session: int
    deals: Ints
    sums: csr_array
    shift: Floats

    @classmethod
    def of(cls, log: Log, session: int) -> Tally:
        """By deals won where ``session`` is 1, else by sessions of that many deals."""
        pairs = log.pairs
        count = min(log.deals, MOST_UNITS)
        unit = np.arange(log.deals) * count // max(1, log.deals)
        of_unit = unit[log.deal[pairs.contest]]
        cells = Cells.of(of_unit, pairs.cells.column[pairs.cells.row], len(pairs.i))
        gains = gained(log)
        blocks = [won(log), 1 - won(log)] if session == 1 else [*by_forfeit(log), gains, gains**2]
        return cls(
            pairs,
            session,
            np.bincount(unit, minlength=count),
            _stacked([cells.add(block) for block in blocks], cells, count),
            correction(pairs, gains, session)[:, None],
        )

    def wins(self, sums: Floats) -> tuple[Floats, Floats]:
        """Contests won by i and by j of each pair, ties half, float64 ``(m, s)``, twice.

        Args:
            sums: float64 ``(blocks * m, s)``, of any number of deals.
        """
        return self._wins(sums, sums, resampled=False)

    def resampled_wins(self, draws: Floats, sums: Floats) -> tuple[Floats, Floats]:
        """The same of deals with random weights.

        Args:
            draws: float64 ``(blocks * m, s)``, with exponential weights.
            sums: float64 ``(blocks * m, 1)``, with weights of 1.
        """
        return self._wins(draws, sums, resampled=True)

    def _wins(self, sums: Floats, whole: Floats, *, resampled: bool) -> tuple[Floats, Floats]:
        if self.session == 1:
            won, lost = np.split(sums, 2)
            return won, lost
        fair, won, lost, gain, square = np.split(sums, 5)
        contests = sum(np.split(whole, 5)[:3])
        with np.errstate(divide="ignore", invalid="ignore"):
            total = fair + won + lost
            mean = gain / total
            # The sum of the squared weights, 1 / D as they are and about 2 / (D + 1) where they
            # are exponential, is what the variance around the sample's own mean lacks.
            lacking = (2 / (contests + 1)) if resampled else 1 / contests
            variance = np.maximum(square / total - mean**2, 0)
            variance /= np.where(lacking < 1, 1 - lacking, 1)
            longer = 1 + np.minimum(1, self.session / contests) / 2 if resampled else 1
            # A total that is nothing but rounding is a tie.
            level = np.abs(gain) <= 1e-9 * np.sqrt(square * total)
            reach = np.sqrt(longer * self.session / variance) * mean + self.shift
            share = np.where(level, 0.5, ndtr(reach))
        return won + fair * share, lost + fair * (1 - share)


def won(log: Log) -> Floats:
    """Whether i finished ahead of j, a tie half, float64 ``(rows of log.pairs,)``."""
    first, second = log.pairs.of_both(log.finishes)
    score: Floats = 0.5 + 0.5 * np.sign(second - first)
    return score


def gained(log: Log) -> Floats:
    """I's return less j's, float64 ``(rows,)``; 0 where they are equal by ``Log.finishes``."""
    first, second = log.pairs.of_both(rounded(log.returns))
    here, there = log.pairs.of_both(log.returns)
    return np.where(first == second, 0, here - there)


def by_forfeit(log: Log) -> tuple[Floats, Floats, Floats]:
    """Whether nobody forfeited, whether i won by a forfeit and whether j did, ``(rows,)`` each.

    A contest that both forfeited is half won and half lost.
    """
    first, second = (gave.astype(np.float64) for gave in log.pairs.of_both(log.forfeited))
    return (1 - first) * (1 - second), second * (1 - first / 2), first * (1 - second / 2)


def _stacked(blocks: list[Floats], cells: Cells, units: int) -> csr_array:
    """The cells of each block beside one another, a row a unit."""
    m = cells.columns
    column = np.concatenate([cells.column + block * m for block in range(len(blocks))])
    unit = np.tile(cells.deal, len(blocks))
    shape = (units, len(blocks) * m)
    return csr_array((np.concatenate(blocks), (unit, column)), shape=shape)
