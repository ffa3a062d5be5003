"""Rooms and doors on a grid: MultiRoom without NetHack, a million steps a second."""
