"""How long a training may run at a time: it spans sittings, each of which goes on from the last."""

import re

from engine.errors import UserError

_UNITS = {"s": 1, "min": 60, "h": 3600}


def seconds(text: str) -> float:
    """Return the seconds that a text such as '150min', '2.5h' or '90s' means.

    Raises
    ------
    UserError
        Another form, or no time at all.

    Examples
    --------
    >>> seconds("150min"), seconds("1.5 h")
    (9000.0, 5400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h)", text.strip())
    value = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not value:
        raise UserError(f"`until` {text}: expected a time such as 90s, 150min or 2.5h, above zero")
    return value
