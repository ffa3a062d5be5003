"""Language models as players: back ends, prompts, decoding, players, suites and training."""
