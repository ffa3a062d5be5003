"""No-limit Texas Hold'em for 2 to 10 players; see README.md."""

import gymnasium

from arena.envs.holdem.game import Holdem

__all__ = ["Holdem"]

gymnasium.register(f"ArenaHoldem-v{Holdem.version}", "arena.envs.holdem.env:HoldemEnv")
