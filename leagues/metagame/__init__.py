"""The game above the game: choose an agent, earn what it earns against the other's.

``nash`` finds the mixture of agents that no agent beats, and of all such the most even.
"""

from arena.leagues.metagame.nash import maximum_entropy_nash

__all__ = ["maximum_entropy_nash"]
