"""The exceptions for what a user can correct, and how any error becomes one line.

A parser raises whatever the first strange byte leads it to, so no list of exceptions is complete.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # of a disk that takes no more


class UserError(Exception):
    """A mistake in the input: its one-line message says what came, what was expected, what to do.

    The command lines print it without a traceback and end with exit status 2. A message names a
    function's argument in backticks, as in ``"`device` tpu: expected auto, cpu, cuda or cuda:N"``;
    the command lines write the option that it is there: ``--device tpu: ...``.
    """


class Partial(Exception):
    """Some items of a batch failed, each already named; the command ends with exit status 1."""


class Paused(Exception):
    """Work stopped where it was asked to, and its state is kept: the same command goes on from it.

    The command lines print the message and end with exit status 75, as other programs do for "try
    again" (EX_TEMPFAIL).
    """


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


def expect_seed(seed: object, error: type[UserError] = UserError) -> None:
    """Refuse what is no seed.

    Raises
    ------
    UserError
        Of type `error`, where it is no whole number from 0 up.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or int(seed) < 0:
        raise error(f"`seed` {seed!r}: expected 0 or more, a whole number")


@contextmanager
def parsing(
    path: Path | str, expected: str, error: type[UserError] = UserError, remedy: str = ""
) -> Iterator[None]:
    """Turn whatever is raised inside the block into one line that names the file.

    Parameters
    ----------
    path : Path
        The file that is read.
    expected : str
        What it should be, such as 'expected a whole .safetensors file'.
    error : type of UserError
        The exception to raise.
    remedy : str, optional
        What to do about it.

    Raises
    ------
    UserError
        Of type `error`. The message of a UserError that names the file already, or one of the same
        stem beside it (the data of a header), stays as it is.
    """
    end = f"; {remedy}" if remedy else ""
    try:
        yield
    except UserError as found:
        if str(found).startswith((f"{path}:", f"{Path(path).with_suffix('')}.")):
            if isinstance(found, error):
                raise
            raise error(str(found)) from found
        raise error(f"{path}: {found}") from found
    except MemoryError as found:
        raise error(
            f"{path}: expected a file that fits into memory, found one that does not"
        ) from found
    except Exception as found:
        raise error(f"{path}: {expected} ({why(found, whole=True)}){end}") from found


@contextmanager
def writing(path: Path | str, error: type[UserError] = UserError) -> Iterator[None]:
    """Turn whatever a library raises while it writes a file into one line that names the file.

    Raises
    ------
    UserError
        Of type `error`.
    """
    try:
        yield
    except UserError as found:
        if str(found).startswith(f"{path}:"):
            raise
        raise error(f"{path}: {found}") from found
    except Exception as found:
        raise error(f"{path}: cannot be written ({why(found)})") from found
