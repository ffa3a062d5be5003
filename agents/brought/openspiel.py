"""``openspiel:cfr?iterations=1000``: OpenSpiel's solvers as players of Kuhn and Leduc poker.

References that nobody here has written (``pip install arena[bench]``). What a seat sees is told to
OpenSpiel as a state of its own game, whose hidden card is any that is left.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay
from arena.envs.errors import InputError
from arena.envs.game import Game, Observation, Turns
from arena.envs.small.kuhn import Kuhn
from arena.envs.small.leduc import LONGEST, Leduc

_SOLVERS = {"cfr": "CFRSolver", "cfr+": "CFRPlusSolver"}


class OpenSpiel(Agent):
    """Plays the average strategy of a solver of OpenSpiel's: ``cfr`` or ``cfr+``.

    Args:
        game: kuhn, or leduc with three ranks in two suits.
        checkpoint: which solver.
        iterations: how many it makes.
    """

    def __init__(
        self, game: Game, checkpoint: str | None = None, *, iterations: int = 1000
    ) -> None:
        if checkpoint not in _SOLVERS:
            raise InputError(
                f"openspiel:{checkpoint or ''} is not there; write openspiel:cfr or cfr+"
            )
        if not 1 <= iterations <= 10**7:
            raise InputError(f"openspiel: iterations={iterations}; it is from 1 to 10,000,000")
        if isinstance(game, Leduc) and (game.ranks, game.suits) == (3, 2):
            name = "leduc_poker"
        elif isinstance(game, Kuhn) and len(game.deals) == 6:
            name = "kuhn_poker"
        else:
            raise CannotPlay(f"openspiel plays kuhn and leduc as they are, not this {game.name}")
        self._game, self._average = _solved(name, _SOLVERS[checkpoint], iterations)

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The solver's average strategy, float64 ``(n, actions)``."""
        found = np.zeros((len(turns), int(turns.game.action_space.n)))  # type: ignore[attr-defined]
        for row in range(len(turns)):
            state = self._state(turns.observation, row)
            for action, chance in self._average.action_probabilities(state).items():
                found[row, action] = chance
        odds: NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)
        return odds

    def _state(self, seen: Observation, row: int) -> Any:
        """OpenSpiel's state in which the seat sees the same."""
        seat, card = int(seen["seat"][row]), int(seen["card"][row])
        board = int(seen["board"][row]) - 1 if "board" in seen else -1
        hidden = next(other for other in range(6) if other not in (card, board))
        state = self._game.new_initial_state()
        for dealt in (card, hidden) if seat == 0 else (hidden, card):
            state.apply_action(dealt)
        for number, bet in enumerate(seen["bets"][row].tolist()):
            if number == LONGEST and board >= 0:
                state.apply_action(board)
            if bet:
                state.apply_action(bet - 1)
        return state


@cache
def _solved(name: str, solver: str, iterations: int) -> tuple[Any, Any]:
    try:
        import pyspiel
    except ImportError:
        raise InputError("openspiel needs OpenSpiel: pip install open_spiel") from None
    game = pyspiel.load_game(name)
    working = getattr(pyspiel, solver)(game)
    for _ in range(iterations):
        working.evaluate_and_update_policy()
    return game, working.tabular_average_policy()  # another one lives no longer than the solver
