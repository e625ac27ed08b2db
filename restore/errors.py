"""The exception for everything that a user of `restore` can get wrong."""

from engine.errors import UserError


class RestoreError(UserError):
    """A wrong image, set, degradation or setting.

    The message is one line: what was expected, what was found, and what to do. An argument is
    named in backticks; the command line writes the option in its place.

    Examples
    --------
    >>> import numpy as np, restore
    >>> try:
    ...     restore.denoise(np.zeros((4, 4)))
    ... except restore.RestoreError as error:
    ...     print(str(error).partition(", found ")[2])
    float64; convert it with image.astype
    """
