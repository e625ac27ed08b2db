"""Freed memory stays in the process while it is asked to, and is given back after."""

import gc
import re
import sys
from pathlib import Path

import pytest
import torch

from engine.allocator import freed_memory_kept

MEBI = 2**20


def resident() -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_memory_stays_inside_the_context_only() -> None:
    with freed_memory_kept():
        kept = torch.ones(64 * MEBI // 4)
        filled = resident()
        del kept
        gc.collect()
        assert filled - resident() < 16 * MEBI
    mapped = torch.ones(64 * MEBI // 4)
    filled = resident()
    del mapped
    gc.collect()
    assert filled - resident() > 48 * MEBI


def test_the_context_ends_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="mid-way"), freed_memory_kept():
        raise RuntimeError("mid-way")
