"""The K-th of N parts of a work, as a user names it: 'K/N'."""

import re

from engine.errors import UserError


def read_part(text: str, argument: str, error: type[UserError] = UserError) -> tuple[int, int]:
    """Read 'K/N', K from 1 to N.

    Parameters
    ----------
    text : str
    argument : str
        What names the part, for the message: 'shard', 'strip'.
    error : type of UserError
        What is raised.

    Returns
    -------
    number, count : int

    Raises
    ------
    UserError
        Of that type: another form, or K out of its range.

    Examples
    --------
    >>> read_part("3/10", "shard")
    (3, 10)
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise error(f"`{argument}` {text}: expected K/N with K from 1 to N, such as 3/10")
    return int(found[1]), int(found[2])
