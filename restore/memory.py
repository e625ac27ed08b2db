"""How much memory is free, and how large a tile it allows."""

import os
import re
from pathlib import Path

import torch

from engine.device import Compute
from restore.dncnn import Architecture

# On a CPU larger tiles save little: the halo of 768 pixels costs a tenth more pixels than none.
LARGEST = {"cpu": 768, "cuda": 2048}
SMALLEST = 32
_LIVE = 3  # sets of features that a layer holds at once: what it reads, what it writes, its own


def tile_side(architecture: Architecture, compute: Compute) -> int:
    """Choose the side of a tile, in pixels, so that a pass fits in half of the free memory."""
    size = 2 if compute.precision == "bf16" else 4
    a_pixel = architecture.features * size * _LIVE
    fits = int((free_bytes(compute.device) / 2 / a_pixel) ** 0.5)
    return max(SMALLEST, min(fits // 32 * 32, LARGEST.get(compute.device.type, 768)))


def free_bytes(device: torch.device) -> int:
    """Return the bytes that can be had on a device, within the limits set for this process."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    limits = [_available(), *_left_in_group()]
    return max(min(limits), 0)


def is_exhausted(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on the CPU or on a GPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and bool(
        re.search(r"can't allocate memory|not enough memory|out of memory|bad_alloc", text)
    )


def _available() -> int:
    try:
        text = Path("/proc/meminfo").read_text()
        found = re.search(r"MemAvailable:\s+(\d+) kB", text)
        if found:
            return int(found[1]) * 1024
    except OSError:  # not Linux
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _left_in_group() -> list[int]:
    """Return what a control group (a container, a Slurm job) still allows, if it has a limit."""
    base = Path("/sys/fs/cgroup")
    for limit, used in (
        (base / "memory.max", base / "memory.current"),
        (base / "memory/memory.limit_in_bytes", base / "memory/memory.usage_in_bytes"),
    ):
        try:
            return [int(limit.read_text()) - int(used.read_text())]
        except (OSError, ValueError):  # none, or 'max'
            continue
    return []
