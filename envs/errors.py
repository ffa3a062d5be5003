"""The one exception that stands for a user's mistake."""


class InputError(ValueError):
    """Bad input from outside: a file, a field, an option, a spec.

    Its message is one sentence that names what is wrong and what would be right. The command line
    prints it without a traceback and exits with code 2.
    """
