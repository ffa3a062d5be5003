"""Nim for Arena: a game and a player that know nothing of each other."""
