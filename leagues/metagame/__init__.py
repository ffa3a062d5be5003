"""The game above the game: choose an agent, earn what it earns against the other's.

``nash`` finds the mixture of agents that no agent beats, and of all such the most even;
``alpharank`` how much of the time evolution spends with each; ``cycles`` how much is a ladder.
"""

from arena.leagues.metagame.alpharank import alpha_rank
from arena.leagues.metagame.cycles import hodge, transitivity
from arena.leagues.metagame.nash import maximum_entropy_nash

__all__ = ["alpha_rank", "hodge", "maximum_entropy_nash", "transitivity"]
