"""Players that users bring: a class in a Python file, a checkpoint of another library."""
