"""The exception for what a user can mend."""


class UserError(Exception):
    """A mistake in the input: its one-line message says what came, what was expected, what to do.

    The command lines print it without a traceback and end with exit status 2.
    """


class Partial(Exception):
    """Some items of a batch failed, each already named; the command ends with exit status 1."""


def why(error: Exception) -> str:
    """Say in a few words what went wrong: the system's errors without their number and path."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or (str(error).splitlines() or [type(error).__name__])[0]
