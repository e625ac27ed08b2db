"""Time two ways of doing the same, in turn, and compare what they return."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from benchmarks.goals import Goal
from benchmarks.other_load import OtherLoad
from engine.device import Compute, Precision, kernels


@dataclass(frozen=True)
class Row:
    """One line of `results/bench.csv`: medians in seconds, and their ratio.

    The difference is None where the two ways do not compute the same. `goal` is what the project
    asks for, and `met` 'yes' or 'no' where that is a number of this row. `other_load` is how many
    cores other processes kept busy meanwhile.
    """

    bench: str
    case: str
    baseline_seconds: float
    our_seconds: float
    ratio: float
    max_difference: float | None
    machine: str
    goal: str = ""
    met: str = ""
    other_load: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the row by column."""
        return asdict(self)

    def judged(self, goal: Goal, value: float | None = None) -> "Row":
        """Return the row with its goal, and whether `value` meets that; None if it is no number."""
        return replace(self, goal=goal.asked, met=goal.met(value))


COLUMNS = tuple(field.name for field in fields(Row))


def watched(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield rows with the load of other processes while each was made.

    Rows that are made together have measured it themselves.
    """
    while True:
        with OtherLoad() as load:
            row = next(rows, None)
        if row is None:
            return
        yield row if row.other_load is not None else replace(row, other_load=load.cores)


def measure(
    bench: str,
    case: str,
    baseline: Callable[[], Tensor],
    ours: Callable[[], Tensor],
    compute: Compute,
    *,
    precision: Precision | None = None,
    repeats: int = 5,
    part: float = 1.0,
) -> Row:
    """Run both ways once to warm up, then in turn, and keep the median of each.

    Parameters
    ----------
    bench, case : str
        What is measured, and the two ways in words; the arithmetic rates are added where torch
        computes.
    baseline, ours : callable
        Return what they computed, for comparison.
    compute : Compute
        Where both run.
    precision : {'float32', 'bf16'}, optional
        Of our way; by default that of `compute`.
    repeats : int
        Pairs that count.
    part : float
        Share of the work that the baseline does; its time is scaled to all of it.
    """
    (expected, slow_work), (found, fast_work) = counted(baseline), counted(ours)
    difference = float((expected.float() - found.float()).abs().max())
    slow, fast = medians({"baseline": baseline, "ours": ours}, repeats).values()
    if slow_work and fast_work:  # torch did it
        case += f"; {slow_work / slow / 1e9:.0f} against {fast_work / fast / 1e9:.0f} GFLOP/s"
    return Row(
        bench,
        case,
        round(slow / part, 5),
        round(fast, 5),
        round(slow / part / fast, 2),
        float(f"{difference:.3g}"),
        machine(compute, precision),
    )


def in_turn(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Run all ways in each round, and return the seconds of each.

    Every round begins with another way, so that none always follows the same one.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            began = time.perf_counter()
            ways[name]()
            if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def medians(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run all ways in turn, and return the median seconds of each."""
    return {name: statistics.median(spent) for name, spent in in_turn(ways, rounds).items()}


def counted(way: Callable[[], Tensor]) -> tuple[Tensor, int]:
    """Run once, and count the multiplications and additions of its products and convolutions.

    On one thread, for torch counts what the calling thread does.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with FlopCounterMode(display=False, custom_mapping=_FUSED) as counter:
            result = way()
    finally:
        torch.set_num_threads(threads)
    return result, int(counter.get_total_flops())


def _convolution(
    hidden: Sequence[int], weight: Sequence[int], *_: object, out_shape: Sequence[int], **__: object
) -> int:
    return int(conv_flop_count([*hidden], [*weight], [*out_shape]))


def _convolution_into(
    out: Sequence[int], hidden: Sequence[int], weight: Sequence[int], *_: object, **__: object
) -> int:
    return int(conv_flop_count([*hidden], [*weight], [*out]))


# What torch does not count by itself: convolution and ReLU in one
# (`restore.networks.inference.convolution`).
_FORMULAS: dict[str, Callable[..., int]] = {
    "_convolution_pointwise": _convolution,
    "_convolution_pointwise_": _convolution_into,
}
_FUSED: dict[Any, Callable[..., int]] = {
    getattr(torch.ops.mkldnn, name): formula
    for name, formula in _FORMULAS.items()
    if hasattr(torch.ops.mkldnn, name)
}


def machine(compute: Compute, precision: Precision | None = None) -> str:
    """Describe where a figure was measured, with the rate of the machine's own matrix product."""
    precision = precision or compute.precision
    rate = matrix_product_rate(compute.device, precision)
    where = f"{kernels(compute.device)}, torch {torch.__version__}"
    return f"{where}, matrix product {rate:.0f} GFLOP/s ({precision})"


@cache
def matrix_product_rate(device: torch.device, precision: Precision, side: int = 2048) -> float:
    """Measure the machine's own matrix product, in GFLOP/s: the best of a second, or of five."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a = torch.randn(side, side, device=device, dtype=dtype)
    spent: list[float] = []
    while len(spent) < 5 or sum(spent) < 1:  # some of them between the bursts of other processes
        began = time.perf_counter()
        (a @ a).sum().item()
        spent.append(time.perf_counter() - began)
    return 2 * side**3 / min(spent) / 1e9
