"""Keep freed tensor memory in the process instead of returning it to the operating system.

By default glibc maps every large block anew and unmaps it when it is freed; each of its pages then
faults again, in every layer of every step. That makes training on a CPU about a tenth slower.
"""

import ctypes
import sys
from collections.abc import Generator
from contextlib import contextmanager

# Parameters of mallopt, from <malloc.h>: M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, with their
# values while memory is kept and afterwards. By itself, glibc raises the last one to 32 MiB.
_KEPT = {-1: 2**31 - 1, -2: 64 * 2**20, -3: 2**31 - 1}
_AFTER = {-1: 64 * 2**20, -2: 128 * 2**10, -3: 32 * 2**20}


@contextmanager
def freed_memory_kept() -> Generator[None]:
    """Keep freed memory inside this context and return it at the end; without glibc, do nothing."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    mallopt, trim = getattr(library, "mallopt", None), getattr(library, "malloc_trim", None)
    if mallopt is None or trim is None:
        yield
        return
    try:
        for parameter, value in _KEPT.items():
            mallopt(parameter, value)
        yield
    finally:
        for parameter, value in _AFTER.items():
            mallopt(parameter, value)
        trim(0)
