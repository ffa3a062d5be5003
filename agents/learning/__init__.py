"""How players learn: settings, runs, and one readable file an algorithm."""
