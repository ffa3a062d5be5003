"""Science Birds: build letters that stand and can be read, as in ChatGPT4PCG 2.

The game is ``game.ScienceBirds``; nothing is imported here, so that the grid, the scores and the
level files can be used where Box2D is not installed.
"""
