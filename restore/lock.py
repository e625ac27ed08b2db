"""One run at a time in a folder of unfinished outputs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.lock import locked


@contextmanager
def hold(parts: Path) -> Iterator[bool | None]:
    """Keep all other runs off a folder, and remove it at the end.

    Parameters
    ----------
    parts : Path
        The folder of one run's unfinished outputs; made where it is missing.

    Yields
    ------
    bool or None
        False if another run holds it, None on a file system that has no locks.
    """
    with locked(parts / "lock") as held:
        try:
            yield held
        finally:
            if held is not False:
                shutil.rmtree(parts, ignore_errors=True)
