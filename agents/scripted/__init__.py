"""Players by fixed rules: the null kinds, for any game, and each game's own."""
