"""One image through DnCNN by ours and by its peers, in turn, quiet and with a core kept busy."""

import logging
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from benchmarks import ways
from benchmarks.conditions import CONDITIONS, under
from benchmarks.goals import PEERS
from benchmarks.other_load import OtherLoad
from benchmarks.side_by_side import Row, counted, in_turn, machine
from benchmarks.ways import OURS, PLAIN, Way
from engine.device import Compute
from restore.evaluation import pairs
from restore.image_sets.find import image_set
from restore.networks import denoiser, engines

MODEL = "dncnn-s-25"
SIDE, ROUNDS = 512, 9

log = logging.getLogger(__name__)


def rows(
    compute: Compute,
    *,
    model: str = MODEL,
    side: int = SIDE,
    rounds: int = ROUNDS,
    makers: Mapping[str, Callable[[denoiser.Denoiser], Way]] | None = None,
) -> Iterator[Row]:
    """Measure every way in every condition; of each condition, the last row has the best peer.

    Parameters
    ----------
    compute : Compute
    model : str
        A shipped name or a weights file, grey.
    side : int
        Of the image, in pixels.
    rounds : int
    makers : mapping of str to callable, optional
        Ways from a denoiser, by name; by default those of `benchmarks.ways.makers`.
    """
    ready = denoiser.load(model, compute)
    image = noisy(side)
    able = ways.able(makers or ways.makers(compute.precision), ready, image)
    runs = {name: run for name, (run, _) in able.items()}
    expected = able[PLAIN][1]
    apart = {name: float((made - expected).abs().max()) for name, (_, made) in able.items()}
    work = counted(lambda: runs[PLAIN](image))[1]
    calls = {name: _call(run, image) for name, run in runs.items()}
    for condition in CONDITIONS:
        # The process that keeps a core busy outlives the measurement, so it counts as another.
        with under(condition), OtherLoad() as load:
            seconds = in_turn(calls, rounds)
        title = f"{ready.name}, {side}x{side}, {condition}"
        for row in compared(title, seconds, apart, work, compute):
            yield replace(row, other_load=load.cores)


def compared(
    title: str,
    seconds: Mapping[str, list[float]],
    apart: Mapping[str, float],
    work: int,
    compute: Compute,
) -> Iterator[Row]:
    """Yield a row for each peer, then ours against the best of them.

    Parameters
    ----------
    title : str
        Begins the text of each row.
    seconds : mapping of str to list of float
        Of every round, by way.
    apart : mapping of str to float
        Largest difference to the plain way, on 0..1. A peer that differs by more than bfloat16 does
        computes something else, and is not the best one, however fast.
    work : int
        Multiplications and additions of the network as it is written.
    compute : Compute
    """
    median = {name: statistics.median(spent) for name, spent in seconds.items()}

    def row(bench: str, what: str, peer: str, whose: str, more: str = "") -> Row:
        """Compare ours with a peer; the difference is that of `whose` to the plain way."""
        return Row(
            bench,
            f"{title}: {what} against ours ({compute.precision}), {len(seconds[peer])} rounds in "
            f"turn: best {min(seconds[peer]):.4g} against {min(seconds[OURS]):.4g} s, median "
            f"{median[peer]:.4g} against {median[OURS]:.4g} s{more}; the difference is that of "
            f"{whose} to {PLAIN}, on 0..1",
            round(median[peer], 5),
            round(median[OURS], 5),
            round(median[peer] / median[OURS], 2),
            float(f"{apart[whose]:.3g}"),
            machine(compute),
        )

    peers = [name for name in seconds if name != OURS]
    for peer in peers:
        yield row("restore peers", peer, peer, OURS if peer == PLAIN else peer).judged(PEERS)
    equal = [peer for peer in peers if apart[peer] <= engines.TOLERANCE["bf16"]]
    for peer in peers:
        if peer not in equal:
            log.warning("%s: %s is %.2g from the plain way: no peer", title, peer, apart[peer])
    best = min(equal, key=lambda peer: median[peer])
    rate = f"; ours {work / median[OURS] / 1e9:.0f} GFLOP/s"
    against_best = row("restore best peer", f"the best peer, {best},", best, OURS, rate)
    yield against_best.judged(PEERS, median[best] / median[OURS])


def noisy(side: int) -> Tensor:
    """Return a photograph with noise of sigma 25, (1, 1, side, side), float32, around 0..1."""
    photograph = next(iter(image_set("embedded-test"))).load()[:side, :side]
    degraded = pairs.degrade(photograph, "noise:25") / 255
    return torch.from_numpy(np.ascontiguousarray(degraded, np.float32))[None, None]


def _call(run: Way, image: Tensor) -> Callable[[], object]:
    return lambda: run(image)
