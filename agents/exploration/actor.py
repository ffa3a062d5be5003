"""A policy network at many tables, and as a player."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from arena.agents.agent import Agent
from arena.agents.scripted.generic import certain
from arena.envs.game import Ints, Observation, Turns


class Actor:
    """A policy's probabilities at many tables, with a memory for each where it is recurrent."""

    def __init__(self, policy: Any, recurrent: bool, tables: int = 0) -> None:
        self.policy, self.recurrent = policy, recurrent
        self.policy.set_training_mode(False)
        self._states = [self._zeros(tables) for _ in range(2)] if recurrent else []

    def _zeros(self, tables: int) -> torch.Tensor:
        layers, size = self.policy.lstm_actor.num_layers, self.policy.lstm_actor.hidden_size
        return torch.zeros(layers, tables, size)

    def begin(self, tables: Ints) -> None:
        """Forget what was remembered at these tables."""
        if not self.recurrent or not len(tables):
            return
        missing = int(tables.max()) + 1 - self._states[0].shape[1]
        if missing > 0:
            self._states = [torch.cat([s, self._zeros(missing)], 1) for s in self._states]
        for state in self._states:
            state[:, tables] = 0

    @torch.no_grad()
    def probabilities(self, seen: Observation, tables: Ints) -> NDArray[np.float64]:
        """A distribution over the actions for each row."""
        keys = self.policy.observation_space.spaces
        inputs, _ = self.policy.obs_to_tensor({k: np.ascontiguousarray(seen[k]) for k in keys})
        if self.recurrent:
            states = (self._states[0][:, tables], self._states[1][:, tables])
            starts = torch.zeros(len(tables))
            distribution, after = self.policy.get_distribution(inputs, states, starts)
            for kept, new in zip(self._states, after, strict=True):
                kept[:, tables] = new
        else:
            distribution = self.policy.get_distribution(inputs)
        logits = distribution.distribution.logits.double()
        found: NDArray[np.float64] = torch.softmax(logits, 1).cpu().numpy()
        return found


class Acting(Agent):
    """Plays an actor that is at hand; ``greedy`` takes the likeliest action instead of drawing."""

    def __init__(self, actor: Actor, *, greedy: bool = False) -> None:
        self.actor, self.greedy = actor, greedy

    def begin(self, tables: Ints, seats: Ints) -> None:
        """A recurrent policy forgets the last episode."""
        self.actor.begin(tables)

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The network's, or certain of its likeliest action."""
        probabilities = self.actor.probabilities(turns.observation, turns.tables)
        if self.greedy:
            return certain(probabilities.argmax(1), probabilities.shape[1])
        return probabilities
