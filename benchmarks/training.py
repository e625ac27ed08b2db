"""A real training as `restore train` runs it, against what the machine's matrix product allows."""

import copy
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.goals import training_rate
from benchmarks.side_by_side import Row, counted, machine, matrix_product_rate
from engine.device import Compute
from engine.errors import Paused
from engine.training import loop
from engine.training.checkpoint import Checkpoint
from restore.image_sets.find import image_set
from restore.networks import filtered
from restore.networks.dncnn import DnCNN
from restore.networks.variants import variant
from restore.training.batches import Batch
from restore.training.losses import LOSSES
from restore.training.patches import Patches
from restore.training.schedules import PatchSchedule, schedule
from restore.training.train import patches_of

VARIANT, SCHEDULE = "dncnn-s-25", "best"
WARM, STEPS = 10, 40  # steps before the first that is timed, and those that are


def rows(compute: Compute) -> Iterator[Row]:
    """Measure the first steps of a training by `SCHEDULE`."""
    yield steps(compute, schedule(SCHEDULE, variant(VARIANT)))


def steps(
    compute: Compute, plan: PatchSchedule, *, images: str = "embedded-train", count: int = STEPS
) -> Row:
    """Begin a training, and compare the time of a step with its arithmetic.

    Drawing, optimizer and averaging are part of a step. The baseline is the time in which the
    machine's own matrix product does the arithmetic of the network's forward and backward pass.

    Parameters
    ----------
    compute : Compute
    plan : PatchSchedule
        Of more than `WARM` + `count` steps; the others are not made.
    images : str
        A set to train on.
    count : int
        Steps that are timed.
    """
    trained = variant(VARIANT)
    pixels = [item.load() for item in image_set(images).items]
    patches = patches_of(pixels, trained, plan, compute)
    network = DnCNN(trained.architecture, torch.Generator().manual_seed(0)).to(compute.device)
    work = _work(copy.deepcopy(network), patches, plan, compute)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.filtered = filtered.faster(trained.architecture.features, compute)
    loss, begun = LOSSES[plan.loss], list[float]()

    def timed(model: nn.Module, batch: Batch) -> Tensor:
        if compute.device.type == "cuda":
            torch.cuda.synchronize()
        begun.append(time.perf_counter())
        if len(begun) > WARM + count:
            raise Paused("enough steps are timed")
        return loss(model, batch)

    with (
        tempfile.TemporaryDirectory() as folder,
        Checkpoint(Path(folder) / "model.safetensors", {}) as checkpoint,
        suppress(Paused),
    ):
        loop.train(
            network, patches.draw, timed, plan,
            compute=compute, seed=0, checkpoint=checkpoint, label="bench",
        )  # fmt: skip
    spent = (begun[-1] - begun[WARM]) / count
    rate, most = work / spent / 1e9, matrix_product_rate(compute.device, compute.precision)
    row = Row(
        "restore train",
        f"DnCNN-S, schedule {plan.name}: a step of {plan.batch_size} patches of "
        f"{plan.patch}x{plan.patch} as restore train runs it ({compute.precision}, drawn ahead, "
        f"{plan.optimizer}, averaged; mean of {count} steps), {rate:.0f} GFLOP/s in forward and "
        f"backward passes, against the same arithmetic at the rate of a matrix product, "
        f"{most:.0f} GFLOP/s; the ratio is the share of that",
        round(work / most / 1e9, 5),
        round(spent, 5),
        round(rate / most, 2),
        None,
        machine(compute),
    )
    return row.judged(training_rate(most), rate)


def _work(network: DnCNN, patches: Patches, plan: PatchSchedule, compute: Compute) -> int:
    """Count the multiplications and additions of one step's forward and backward pass."""
    batch = patches.draw(0, torch.Generator().manual_seed(0))

    def gradient() -> Tensor:
        with compute.autocast():
            loss = LOSSES[plan.loss](network, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    return counted(gradient)[1]
