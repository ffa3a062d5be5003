"""What ``arena eval`` evaluates; ``arena.evaluation`` says what a suite is."""

from __future__ import annotations

from importlib.resources import files


def names() -> list[str]:
    """The names of all suites."""
    return sorted(
        file.name.removesuffix(".py")
        for file in files(__package__).iterdir()
        if file.name.endswith(".py") and file.name != "__init__.py"
    )
