"""Time two ways of doing the same, in turn, and compare what they return."""

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from engine.device import Compute

COLUMNS = (
    "bench",
    "case",
    "baseline_seconds",
    "our_seconds",
    "ratio",
    "max_difference",
    "machine",
)


@dataclass(frozen=True)
class Row:
    """One line of `results/bench.csv`: medians in seconds, and their ratio."""

    bench: str
    case: str
    baseline_seconds: float
    our_seconds: float
    ratio: float
    max_difference: float
    machine: str

    def as_dict(self) -> dict[str, object]:
        """Return the row by column."""
        return asdict(self)


def measure(
    bench: str,
    case: str,
    baseline: Callable[[], Tensor],
    ours: Callable[[], Tensor],
    compute: Compute,
    *,
    repeats: int = 5,
) -> Row:
    """Run both ways once to warm up, then in turn, and keep the median of each.

    Parameters
    ----------
    bench, case : str
        What is measured, and the two ways in words.
    baseline, ours : callable
        Return what they computed, for comparison.
    compute : Compute
        Where both run.
    repeats : int
        Pairs that count.
    """
    expected, found = baseline(), ours()
    difference = float((expected.float() - found.float()).abs().max())
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for way, spent in zip((baseline, ours), seconds, strict=True):
            began = time.perf_counter()
            way()
            if compute.device.type == "cuda":
                torch.cuda.synchronize()
            spent.append(time.perf_counter() - began)
    slow, fast = map(statistics.median, seconds)
    return Row(
        bench,
        case,
        round(slow, 5),
        round(fast, 5),
        round(slow / fast, 2),
        float(f"{difference:.3g}"),
        machine(compute),
    )


def machine(compute: Compute) -> str:
    """Describe where a figure was measured."""
    if compute.device.type == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    level = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return f"{level}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def matrix_product_rate(compute: Compute, side: int = 2048) -> float:
    """Measure the machine's own matrix product at the chosen precision, in GFLOP/s."""
    dtype = torch.bfloat16 if compute.precision == "bf16" else torch.float32
    a = torch.randn(side, side, device=compute.device, dtype=dtype)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        (a @ a).sum().item()
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best / 1e9
