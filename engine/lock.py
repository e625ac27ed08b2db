"""One process at a time: a lock file, and the folder of unfinished work that it guards.

The kernel drops the lock with its process. This is not the `filelock` library, because that one
takes a marker file, which outlives a killed process, where a file system has no locks, and it does
not make a folder anew that the holder removed.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from engine.errors import UserError

_BETWEEN = 0.2  # seconds, where the system has no call that waits
_TRIES = 100  # in a row, of creating a folder that another process deletes


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[bool | None]:
    """Hold a lock file.

    The holder may delete the lock file and its folder; the next process recreates them.

    Parameters
    ----------
    path : Path
        Created if it is missing, and its folder too.
    waiting : callable, optional
        Called once if another process holds the lock; then this one waits for it. Without it, this
        one does not wait.

    Yields
    ------
    bool or None
        False if another process holds it, None on a file system that has no locks.

    Raises
    ------
    UserError
        The folder cannot be created, as in `/proc`.
    """
    path = path.absolute()  # what is missing below a folder that exists can be created
    missed = 0
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a")  # Windows does not cut a file that another process holds
        except FileNotFoundError:  # a process that ends right now has deleted the folder
            missed += 1
            if missed == _TRIES:
                raise UserError(
                    f"{path.parent}: expected a place where a folder can be created, found one "
                    "that takes none; name another place for the output"
                ) from None
            continue
        with file:
            held = _take(file, waiting)
            if held and not _is_at(file, path):
                continue
            yield held
            return


@dataclass(frozen=True)
class Unfinished:
    """A folder of unfinished work, which stays for the next run unless it is removed.

    Attributes
    ----------
    folder : Path
    held : bool or None
        False if another process holds it; None on a file system that has no locks.
    """

    folder: Path
    held: bool | None

    def remove(self) -> None:
        """Delete the folder, unless another process holds it."""
        if self.held is not False:
            shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def unfinished(folder: Path, waiting: Callable[[], None] | None = None) -> Iterator[Unfinished]:
    """Hold a folder of unfinished work, which is created if it is missing.

    Temporary files that a killed process left in it (see `engine.artifacts.atomic`) are deleted.

    Parameters
    ----------
    folder : Path
    waiting : callable, optional
        As for `locked`.

    Yields
    ------
    Unfinished
    """
    with locked(folder / "lock", waiting) as held:
        if held is not False:
            for part in folder.glob(".part-*"):
                part.unlink(missing_ok=True)
        yield Unfinished(folder, held)


def _take(file: IO[str], waiting: Callable[[], None] | None) -> bool | None:
    return _of_unix(file, waiting) if find_spec("fcntl") else _of_windows(file, waiting)


def _of_unix(file: IO[str], waiting: Callable[[], None] | None) -> bool | None:
    import fcntl

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


def _of_windows(file: IO[str], waiting: Callable[[], None] | None) -> bool | None:
    msvcrt: Any = import_module("msvcrt")
    said = False
    while True:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # a byte, which need not be there
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                return None
            if waiting is None:
                return False
            if not said:
                waiting()
                said = True
            time.sleep(_BETWEEN)
        else:
            return True


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
