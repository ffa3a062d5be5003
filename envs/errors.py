"""What stands for a mistake of the user's, and of a plug-in's."""

from arena.envs.printable import one_line


class InputError(ValueError):
    """Bad input from outside: a file, a field, an option, a spec.

    Its message is one sentence that names what is wrong and what would be right, on one line: what
    it quotes is escaped. The command line prints it without a traceback and exits with code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class NotConforming(AssertionError):
    """A game or a player breaks its contract; the message says how, and at which decision."""
