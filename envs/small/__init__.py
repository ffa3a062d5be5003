"""Small games whose answers are known: Kuhn and Leduc poker, Liar's dice, matrix games."""
