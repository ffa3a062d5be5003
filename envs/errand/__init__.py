"""A goal in words: walk to the one thing in a room that is meant."""
