"""The exception for what a user of `hsi` can mend."""

from engine.errors import UserError


class HsiError(UserError):
    """One line: the file or key, what was expected, what was found, what to do."""
