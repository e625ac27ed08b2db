"""One process at a time: a lock file that the kernel lets go of with its process."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[bool | None]:
    """Hold a lock file.

    Who holds it may remove it, with its folder too: whoever comes next makes both anew.

    Parameters
    ----------
    path : Path
        Made where it is missing, as its folder is.
    waiting : callable, optional
        Called once where another process holds the lock, which is then waited for. Without, it is
        not waited for.

    Yields
    ------
    bool or None
        False if another process holds it, None on a file system that has no locks.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("w")
        except FileNotFoundError:  # its folder went with another process, which ended right now
            continue
        with file:
            held = _take(file, waiting)
            if held and not _is_at(file, path):
                continue
            yield held
            return


def _take(file: IO[str], waiting: Callable[[], None] | None) -> bool | None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting is None:
            return False
        waiting()
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return None
    return True


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
