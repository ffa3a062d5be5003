"""How a bidder sees and acts through the faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.faces.view import Info, SeatView
from arena.envs.game import Ints
from arena.envs.rtb.text import totals

if TYPE_CHECKING:
    from arena.envs.rtb.game import Market

MOST = 2.0
"""The largest multiple of its value that is bid for an impression."""


class MarketView(SeatView):
    """The market's view: one number decides a tick, unless each bid is wanted.

    Args:
        game: the market.
        actions: ``multiples``: Box (1,) in 0 … 2, float32, what multiple of its value is bid for
            each impression of the tick; ``bids``: the bids themselves, the game's own actions,
            float64 without an upper end, with which most learners get nowhere.
        options: see ``SeatView``.

    Infos hold the figures of ``arena.envs.rtb.text.totals`` (spend, clicks, conversions, eCPC,
    budget use, regrets) so far, and the market's revenue and welfare.
    """

    def __init__(
        self, game: Market, *, actions: Literal["multiples", "bids"] = "multiples", **options: Any
    ) -> None:
        super().__init__(game, **options)
        if actions not in ("multiples", "bids"):
            raise InputError(f"{game.name}: actions={actions} is neither multiples nor bids")
        self.multiples = actions == "multiples"
        if self.multiples:
            self.action_space = spaces.Box(0.0, MOST, (1,), np.float32)

    def native(self, tables: Any, at: Ints, seats: Ints, actions: NDArray[Any]) -> NDArray[Any]:
        """Multiples as bids."""
        if not self.multiples:
            return actions
        value: NDArray[np.float64] = tables.value[at, seats].astype(np.float64)
        return value * np.asarray(actions, np.float64).reshape(len(at), 1)

    def info(self, tables: Any, at: Ints, seats: Ints) -> Info:
        """See the class."""
        revenue, welfare = tables.market[at].T.copy()
        return totals(tables, at, seats) | {"revenue": revenue, "welfare": welfare}
