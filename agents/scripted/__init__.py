"""Players by fixed rules: the null kinds, which any game can be played with, and each game's own."""
