"""The exception for mistakes that a user of `hsi` can mend."""

from numbers import Integral

from engine.errors import UserError


class HsiError(UserError):
    """A mistake in the input, told in one line.

    The message names the file or argument, says what was expected and what was found, and says what
    to do. Arguments are written in backticks; the command line shows their options instead.

    Examples
    --------
    >>> import hsi
    >>> try:
    ...     hsi.make_split(hsi.open_labels("IndianPines"), "random:2")
    ... except hsi.HsiError as error:
    ...     print(error)
    `how` random:2: expected a share between 0 and 1, such as 0.3
    """


def expect_kind(value: object, kind: type, name: str, remedy: str) -> None:
    """Refuse an argument of another type than a function works on.

    Parameters
    ----------
    value : object
    kind : type
        What it must be.
    name : str
        Of the argument.
    remedy : str

    Raises
    ------
    HsiError
        It is of another type.
    """
    if not isinstance(value, kind):
        wanted = "a whole number" if kind is Integral else kind.__name__
        raise HsiError(f"`{name}`: expected {wanted}, found {type(value).__name__}; {remedy}")
