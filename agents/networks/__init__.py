"""Networks: what they read of a turn, how they are built, saved and loaded."""
