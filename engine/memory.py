"""How much memory is free, what is refused for want of it, mapped files, and sizes in words.

psutil tells what the machine and the process hold. The limits of control groups and the sizes are
read here: psutil knows no groups, and humanfriendly takes '2G' for powers of 1000.
"""

import math
import mmap
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from engine.errors import UserError

if TYPE_CHECKING:
    import torch

# Decoded data up to FLOOR bytes are always read; beyond that, no more than their codec can make of
# the file. Of one byte, deflate makes at most 1032 (https://zlib.net/zlib_tech.html). Some codecs
# know no bound; no data that people have shrink more than UNBOUNDED times.
FLOOR, DEFLATE, UNBOUNDED = 2**27, 1032, 10_000
_UNITS = {"": 1, "K": 10, "M": 20, "G": 30, "T": 40}


def free_bytes(device: "torch.device") -> int:
    """Return the bytes that are free on a device, within the limits set for this process."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return free_on_host()


def free_on_host() -> int:
    """Return the bytes of the machine's memory that are free, within this process's limits."""
    import psutil

    available = int(psutil.virtual_memory().available)  # of the machine: psutil knows no groups
    return max(min(available, *_left_in_group()), 0)


def resident_bytes() -> int:
    """Return the bytes of physical memory that this process holds now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def is_exhausted(error: BaseException) -> bool:
    """Return whether an error means that memory ran out, on the CPU or on a GPU."""
    # By name: torch need not be loaded to know that it is not torch's.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and bool(
        re.search(r"can't allocate memory|not enough memory|out of memory|bad_alloc", text)
    )


def parse_bytes(text: str) -> int:
    """Read a size: '2GiB', '500 MB', '1.5G' or plain bytes.

    KiB and K are powers of 1024, KB of 1000; likewise for M, G and T.

    Raises
    ------
    UserError
        The text is no size, or the size is zero.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?B?)\s*", text, re.IGNORECASE)
    if not found or (found[3].lower() in ("i",)) or (not found[2] and found[3].lower() == "ib"):
        raise UserError(f"{text}: expected a size such as 2GiB or 500MiB")
    power = _UNITS[found[2].upper()] // 10 if found[2] else 0
    base = 1000 if found[2] and found[3].lower() == "b" else 1024
    size = int(float(found[1]) * base**power)
    if not size:
        raise UserError(f"{text}: expected a size such as 2GiB or 500MiB, above zero")
    return size


def size_in_words(size: float) -> str:
    """Return a number of bytes as text: '1.3 GiB', '640 MiB' or '12 KiB'."""
    mebibytes = size / 2**20
    if 0 < mebibytes < 1:
        return f"{math.ceil(size / 1024)} KiB"
    return f"{mebibytes / 1024:.1f} GiB" if mebibytes >= 1000 else f"{mebibytes:.0f} MiB"


def release(array: Any) -> None:
    """Drop the pages of a mapped file from memory; the array that maps it stays usable."""
    base = array
    while base is not None:
        mapped = getattr(base, "_mmap", None)
        # A copy-on-write map ('c') would lose its changes.
        if mapped is not None and getattr(base, "mode", "") in ("r", "r+", "w+"):
            if hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)
            return
        base = getattr(base, "base", None)


def _left_in_group(root: Path = Path("/sys/fs/cgroup"), own: str | None = None) -> list[int]:
    """Return the bytes that each control group of this process (a container, a Slurm job) leaves.

    The limit of a group applies to all groups below it, so all groups from that of this process up
    to the root are read. File pages that the kernel can drop at any time do not count as used.

    Parameters
    ----------
    root : Path, optional
        Where the groups are mounted.
    own : str, optional
        Contents of /proc/self/cgroup.
    """
    if own is None:
        try:
            own = Path("/proc/self/cgroup").read_text()
        except OSError:  # not Linux
            return []
    left = []
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            base, names = root, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base = root / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # In a container the path may be that of the machine outside, so the root is always read.
        parts = PurePosixPath(path.strip("/")).parts
        for depth in range(len(parts), -1, -1):
            left += _left_in(base.joinpath(*parts[:depth]), *names)
    return left


def _left_in(group: Path, limit: str, used: str, droppable: str) -> list[int]:
    try:
        allowed = int((group / limit).read_text()) - int((group / used).read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return [allowed + int(stat.get(droppable, 0))]
    except (OSError, ValueError):  # none, or 'max'
        return []


def admit(
    needed: int,
    size: int | None,
    error: type[UserError] = UserError,
    ratio: float = DEFLATE,
) -> None:
    """Refuse data that memory cannot hold, or that so small a file can hardly mean.

    Parameters
    ----------
    needed : int
        Bytes of the decoded data, as the header states them.
    size : int or None
        Bytes of the file, or of what it stores of these data; None where it does not bound them.
    error : type of UserError
        The exception to raise; its message does not name the file.
    ratio : float
        Bytes that the codec makes of one byte at most.

    Raises
    ------
    UserError
        Of type `error`.
    """
    if needed <= FLOOR:
        return
    words = size_in_words(needed)
    if size is not None and needed > ratio * size:
        raise error(
            f"expected at most {ratio:.0f} times the {size_in_words(size)} that the file stores "
            f"beyond {size_in_words(FLOOR)}, found a header that states {words}; the file is cut "
            "short or a decompression bomb: cut it into parts, or save it uncompressed"
        )
    free = free_on_host()
    if needed > free:
        raise error(
            f"expected at most the {size_in_words(free)} of memory that are free, found a "
            f"header that states {words}; cut it into parts, or use a machine with more memory"
        )
