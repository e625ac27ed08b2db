"""One run at a time: a lock that the kernel drops with its process."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO


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
    held: bool | None = None
    with ExitStack() as stack:
        while held is None:
            parts.mkdir(parents=True, exist_ok=True)
            try:
                file = stack.enter_context((parts / "lock").open("w"))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held = False
            except FileNotFoundError:  # another run ended right now, and took the folder with it
                continue
            except OSError:  # a file system without locks
                break
            else:
                held = _is_at(file, parts / "lock") or None
        try:
            yield held
        finally:
            if held is not False:
                shutil.rmtree(parts, ignore_errors=True)


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
