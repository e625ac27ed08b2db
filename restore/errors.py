"""The exception of everything a user of `restore` can get wrong."""

from engine.errors import UserError


class RestoreError(UserError):
    """A wrong image, set, degradation or setting; the message is one line with the remedy."""
