"""What stands for a mistake of the user's, and of a plug-in's."""


class InputError(ValueError):
    """Bad input from outside: a file, a field, an option, a spec.

    Its message is one sentence that names what is wrong and what would be right. The command line
    prints it without a traceback and exits with code 2.
    """


class NotConforming(AssertionError):
    """A game or a player breaks its contract; the message says how, and at which decision."""
