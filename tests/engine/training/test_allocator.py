"""Freed memory stays in the process while it is asked to, and is given back after."""

import subprocess
import sys

import pytest

from engine.training.allocator import freed_memory_kept

# In a process of its own: where other tests ran before, their freed memory is taken first.
MEASURED = """
import gc, re
from pathlib import Path
import torch
from engine.training.allocator import freed_memory_kept

def freed():
    found = torch.ones(2**24)
    filled = resident()
    del found
    gc.collect()
    return (filled - resident()) >> 20

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

with freed_memory_kept():
    print(freed())
print(freed())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_memory_stays_inside_the_context_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], check=True, capture_output=True, text=True
    )
    inside, after = map(int, done.stdout.split())
    assert inside < 16  # of 64 MiB
    assert after > 48


def test_the_context_ends_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="mid-way"), freed_memory_kept():
        raise RuntimeError("mid-way")
