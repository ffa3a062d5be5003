"""Small trained players that ship, so that ratings of different users can be compared."""
