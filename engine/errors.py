"""The exceptions for what a user can correct, and how an error reads in one line."""


class UserError(Exception):
    """A mistake in the input: its one-line message says what came, what was expected, what to do.

    The command lines print it without a traceback and end with exit status 2. A message names a
    function's argument in backticks, as in ``"`device` tpu: expected auto, cpu, cuda or cuda:N"``;
    the command lines write the option that it is there: ``--device tpu: ...``.
    """


class Partial(Exception):
    """Some items of a batch failed, each already named; the command ends with exit status 1."""


def why(error: BaseException, *, whole: bool = False) -> str:
    """Return in one line what went wrong.

    Parameters
    ----------
    error : BaseException
    whole : bool
        Return all lines of the message joined to one, with the number and path that the system's
        errors carry. By default: the first line, and the system's errors without these.

    Returns
    -------
    str
        The name of the exception's type where it has no message.

    Examples
    --------
    >>> error = FileNotFoundError(2, "No such file or directory", "a.png")
    >>> why(error)
    'No such file or directory'
    >>> why(error, whole=True)
    "[Errno 2] No such file or directory: 'a.png'"
    """
    said = str(error)
    if not whole:
        system = error.strerror if isinstance(error, OSError) else None
        said = system or (said.splitlines() or [""])[0]
    return " ".join(said.split()) or type(error).__name__
