"""Files from anywhere, read and written by other libraries: any failure becomes one line.

A parser raises whatever the first strange byte leads it to, so no list of exceptions is ever
complete. Also the two questions that are asked before anything is read: is there memory for what a
header states, and could so small a file hold it at all.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import memory
from engine.errors import UserError, why

# Decoded data up to FLOOR bytes are always read; beyond that, no more than RATIO times the file.
# JPEG, whose blocks take 4 bits at least, states at most 192 times its size at usual subsampling.
FLOOR, RATIO = 2**27, 250
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@contextmanager
def parsing(
    path: Path | str, expected: str, error: type[UserError] = UserError, remedy: str = ""
) -> Iterator[None]:
    """Turn whatever is raised inside the block into one line that names the file.

    Parameters
    ----------
    path : Path
        The file that is read.
    expected : str
        What it should be, such as 'expected a whole .safetensors file'.
    error : type of UserError
        The exception to raise.
    remedy : str, optional
        What to do about it.

    Raises
    ------
    UserError
        Of type `error`. A UserError that names the file already passes as it is.
    """
    end = f"; {remedy}" if remedy else ""
    try:
        yield
    except UserError as found:
        if str(found).startswith(f"{path}:"):
            raise
        raise error(f"{path}: {found}") from found
    except MemoryError as found:
        raise error(
            f"{path}: expected a file that fits into memory, found one that does not"
        ) from found
    except Exception as found:
        raise error(f"{path}: {expected} ({why(found, whole=True)}){end}") from found


@contextmanager
def writing(path: Path | str, error: type[UserError] = UserError) -> Iterator[None]:
    """Turn whatever a library raises while it writes a file into one line that names the file.

    Raises
    ------
    UserError
        Of type `error`.
    """
    try:
        yield
    except UserError as found:
        if str(found).startswith(f"{path}:"):
            raise
        raise error(f"{path}: {found}") from found
    except Exception as found:
        raise error(f"{path}: cannot be written ({why(found)})") from found


def admit(needed: int, size: int | None, error: type[UserError] = UserError) -> None:
    """Refuse data that memory cannot hold, or that so small a file can hardly mean.

    Parameters
    ----------
    needed : int
        Bytes of the decoded data, as the header states them.
    size : int or None
        Bytes of the file; None where it does not bound the data.
    error : type of UserError
        The exception to raise; its message does not name the file.

    Raises
    ------
    UserError
        Of type `error`.
    """
    if needed <= FLOOR:
        return
    words = memory.size_in_words(needed)
    if size is not None and needed > RATIO * size:
        raise error(
            f"expected at most {RATIO} times the file's {memory.size_in_words(size)} beyond "
            f"{memory.size_in_words(FLOOR)}, found a header that states {words}; the file is cut "
            "short or a decompression bomb: cut it into parts, or save it uncompressed"
        )
    free = memory.free_on_host()
    if needed > free:
        raise error(
            f"expected at most the {memory.size_in_words(free)} of memory that are free, found a "
            f"header that states {words}; cut it into parts, or use a machine with more memory"
        )
