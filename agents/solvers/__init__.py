"""Exact solutions of small games, and how far any player is from being unbeatable in them."""
