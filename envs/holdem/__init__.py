"""No-limit Texas Hold'em for 2 to 10 players; see README.md."""

from arena.envs.holdem.game import Holdem

__all__ = ["Holdem"]
