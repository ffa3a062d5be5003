"""MiniHack: NetHack levels small enough to study one skill at a time, really seeded."""
