"""What the seeds of `hsi` are made of: a small scene, and the file that a function writes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

_R = np.random.default_rng(0)
CUBE = _R.integers(1, 200, (12, 10, 6)).astype("<u2")
LABELS = (np.add.outer(np.arange(12) // 4, np.arange(10) // 5 * 3) % 4).astype(np.uint8)
CENTRES = np.arange(6) * 100 + 400.0


def file_of(folder: Path, suffix: str, make: Callable[[Path], object]) -> tuple[bytes, str]:
    path = folder / f"made{suffix}"
    make(path)
    return path.read_bytes(), suffix
