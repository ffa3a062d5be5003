"""Questions with known answers: what a language model is examined on outside of a game."""
