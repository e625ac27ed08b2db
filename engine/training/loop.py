"""One training loop, from the first step to the last, that resumes to the same result.

The batch of a step is a pure function of (seed, step), drawn ahead of time by a thread, so that a
run that was killed sees the same batches as one that was not, and an accelerator does not wait.
"""

import copy
import logging
import math
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from engine.ahead import ahead
from engine.artifacts import write_text
from engine.device import Compute, Precision
from engine.errors import UserError
from engine.progress import progress
from engine.training.allocator import freed_memory_kept
from engine.training.best_epoch import BestEpoch
from engine.training.checkpoint import Checkpoint
from engine.training.optimizers import optimizers as make_optimizers
from engine.training.schedule import Schedule

log = logging.getLogger(__name__)

Batch = TypeVar("Batch")

SECONDS_BETWEEN_SAVES = 30.0
AHEAD = 2  # batches drawn before they are needed
LOG_ROWS = 200
MOST_STEPS = 50  # between rows of the log, and so between saves


def train(
    model: nn.Module,
    draw: Callable[[int, torch.Generator], Batch],
    loss: Callable[[nn.Module, Batch], Tensor | tuple[Tensor, Tensor]],
    schedule: Schedule,
    *,
    compute: Compute,
    seed: int,
    checkpoint: Checkpoint,
    history: Path | None = None,
    label: str = "training",
) -> float:
    """Train `model` in place; at the end it is in evaluation mode.

    Its weights are then the last ones, or what the schedule asks for: averaged ones, or those after
    the epoch of the highest score.

    Parameters
    ----------
    model : Module
        With its initial weights; moved to the device.
    draw : callable
        ``draw(step, generator)`` returns the batch of a step, on the device. It must depend on its
        arguments alone; the generator (a CPU one) is seeded anew for each step.
    loss : callable
        ``loss(model, batch)`` returns a scalar, or that and the batch's score, by which epochs are
        compared (their sum); it runs at the precision of `compute`.
    schedule : Schedule
    compute : Compute
    seed : int
        Of the batches and of dropout.
    checkpoint : Checkpoint
        Entered; state is saved there every half minute (of long steps, every `MOST_STEPS`), and
        taken up from there.
    history : Path, optional
        CSV of ``step,loss,learning_rate,seconds``; the loss is the mean since the row before, the
        seconds count training alone and include those before a resume.
    label : str
        What progress lines say.

    Returns
    -------
    float
        Seconds of training, those before a resume included.

    Raises
    ------
    UserError
        The loss is no longer finite, or the schedule asks for the best epoch of a loss without
        scores.
    """
    torch.manual_seed(seed)
    device = compute.device
    average = copy.deepcopy(model).to(device) if schedule.ema_decay else None
    best = BestEpoch(schedule.keep_best_every) if schedule.keep_best_every else None
    model.to(device)
    optimizers = make_optimizers(model, schedule)
    rows: list[tuple[float, ...]] = []
    start, spent = 0, 0.0

    state = checkpoint.load()
    if state is not None:
        start, spent = state["step"], state["seconds"]
        rows = [tuple(row) for row in state["rows"]]
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        if average is not None:
            average.load_state_dict(state["average"])
        if best is not None:
            best.resume(state["best"], device)
        log.info("%s: resumed at step %d of %d", label, start, schedule.steps)

    def save(step: int) -> None:
        checkpoint.save(
            {
                "step": step,
                "seconds": spent + time.monotonic() - began,
                "rows": rows,
                "model": model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                "average": average.state_dict() if average is not None else {},
                "best": best.state() if best is not None else {},
            }
        )
        if history is not None:
            _write_history(history, rows)

    every = max(1, min(schedule.steps // LOG_ROWS, MOST_STEPS))
    began = saved = time.monotonic()
    waited = 0.0
    losses: list[Tensor] = []
    model.train()
    with (
        freed_memory_kept(),
        rounded_at_its_ends(model, compute.precision),
        progress(schedule.steps, label, "steps") as bar,
        closing(drawn_ahead(draw, seed, start, schedule.steps)) as batches,
    ):
        bar.resume(start)
        for step in range(start, schedule.steps):
            before = time.monotonic()
            batch = next(batches)
            waited += time.monotonic() - before

            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = schedule.rate(step)
                optimizer.zero_grad(set_to_none=True)
            with compute.autocast():
                found = loss(model, batch)
            value, score = found if isinstance(found, tuple) else (found, None)
            value.backward()  # type: ignore[no-untyped-call]
            if schedule.clip_norm:
                # Of Muon and AdamW, Muon's alone: the kernels of the inner layers.
                clipped = [p for group in optimizers[0].param_groups for p in group["params"]]
                nn.utils.clip_grad_norm_(clipped, schedule.clip_norm)
            for optimizer in optimizers:
                optimizer.step()
            if average is not None:
                _average(average, model, schedule.ema_decay, step)
            if best is not None:
                if score is None:
                    raise UserError(
                        f"{label}: keep_best_every: expected a training that scores its epochs, "
                        "found one that does not; leave it out of the schedule"
                    )
                best.look(step, score, model if average is None else average)

            losses.append(value.detach())
            if (step + 1) % every == 0 or step + 1 == schedule.steps:
                mean = float(torch.stack(losses).mean())
                losses.clear()
                if not math.isfinite(mean):
                    raise UserError(
                        f"{label}: the loss is {mean} at step {step + 1}, expected a number; "
                        "lower the learning rate or set clip_norm in the schedule"
                    )
                seconds = spent + time.monotonic() - began
                rows.append((step + 1, mean, schedule.rate(step), round(seconds, 3)))
                bar.advance(step + 1 - bar.done, loss=mean)
                # Only here is `losses` empty, so only here is the state whole.
                if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                    save(step + 1)
                    saved = time.monotonic()
    save(schedule.steps)
    total = max(time.monotonic() - began, 1e-9)
    log.info("%s: %.0f s, %.1f %% of it waiting for data", label, total, 100 * waited / total)
    if average is not None:
        model.load_state_dict(average.state_dict())
    if best is not None:
        model.load_state_dict(best.weights)
        log.info("%s: kept epoch %d, score %g", label, best.epoch, best.score)
    model.eval()
    return spent + total


def drawn_ahead(
    draw: Callable[[int, torch.Generator], Batch], seed: int, start: int, stop: int
) -> Generator[Batch]:
    """Yield the batches of steps `start` to `stop`, each drawn by a thread before it is needed."""

    def work(step: int) -> Batch:
        return draw(step, generator(seed, step))

    with closing(ahead(work, range(start, stop), AHEAD)) as batches:
        for _, batch in batches:
            yield batch


@contextmanager
def rounded_at_its_ends(model: nn.Module, precision: Precision) -> Generator[None]:
    """Give `model` its inputs in bfloat16 and take its outputs in float32, where it runs in bf16.

    Inside, automatic casting leaves sums and other elementwise operations in the precision of
    their operands: of a residual network, the input that the output is added to.
    """
    if precision != "bf16":
        yield
        return

    def before(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(_cast(value, torch.bfloat16) for value in inputs)

    def after(_: nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        return _cast(output, torch.float32)

    hooks = [model.register_forward_pre_hook(before), model.register_forward_hook(after)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _cast(value: Any, dtype: torch.dtype) -> Any:
    is_real = isinstance(value, Tensor) and value.is_floating_point()
    return value.to(dtype) if is_real else value


def generator(seed: int, step: int) -> torch.Generator:
    """Make the generator of one step: the same for the same (seed, step), else independent."""
    import numpy as np

    words = np.random.SeedSequence([seed, step]).generate_state(2, dtype="uint32")
    return torch.Generator().manual_seed(int(words[0]) << 31 ^ int(words[1]))


@torch.no_grad()
def _average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights and statistics towards the current ones."""
    # Early on the average follows closely, or it would remember the initial weights.
    share = min(decay, (1 + step) / (10 + step))
    for mean, current in zip(
        average.state_dict().values(), model.state_dict().values(), strict=True
    ):
        if mean.dtype.is_floating_point:
            mean.lerp_(current, 1 - share)
        else:
            mean.copy_(current)


def _write_history(path: Path, rows: list[tuple[float, ...]]) -> None:
    lines = [f"{row[0]:.0f},{row[1]:.8g},{row[2]:.6g},{row[3]:.3f}" for row in rows]
    write_text(path, "\n".join(["step,loss,learning_rate,seconds", *lines]) + "\n")
