"""The training loop: it resumes after a kill and ends with the same weights as an unbroken run.

The batch of a step depends on (seed, step) alone, so a resumed run sees the same batches. A thread
draws batches ahead of time, so an accelerator does not wait for them.
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

from engine.artifacts import write_text
from engine.device import Compute, Precision
from engine.errors import Paused, UserError
from engine.progress import progress
from engine.threads.ahead import ahead
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
    until: float | None = None,
) -> float:
    """Train `model` in place; at the end it is in evaluation mode.

    Its weights are then the last ones, or what the schedule asks for: the averaged ones, or those
    after the epoch with the highest score.

    Parameters
    ----------
    model : Module
        Holds the initial weights; it is moved to the device.
    draw : callable
        ``draw(step, generator)`` returns the batch of a step, on the device. The result must depend
        on the arguments alone; the generator, on the CPU, is seeded anew for each step.
    loss : callable
        ``loss(model, batch)`` returns a scalar, or a scalar and the score of the batch. Epochs are
        compared by the sum of their scores. It runs at the precision of `compute`.
    schedule : Schedule
    compute : Compute
    seed : int
        Decides the batches and dropout.
    checkpoint : Checkpoint
        An entered context. The training resumes from its state, and saves to it every half minute
        (if steps are long, every `MOST_STEPS` steps).
    history : Path, optional
        CSV file to write: ``step,loss,learning_rate,seconds``. The loss is the mean since the row
        before; the seconds count training alone, including the time before a resume.
    label : str
        Progress lines begin with it.
    until : float, optional
        Seconds after which it is to pause; it does at the next row of the log.

    Returns
    -------
    float
        Seconds of training, including those before a resume.

    Raises
    ------
    UserError
        The loss is not finite, or the schedule asks for the best epoch and `loss` has no scores.
    Paused
        The time is up and steps are left; the state is saved.
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
                # With 'muon', these are the kernels of the inner layers; AdamW's are not clipped.
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
                        "but this one does not; remove the key from the schedule"
                    )
                best.look(step, score, model if average is None else average)

            losses.append(value.detach())
            if (step + 1) % every == 0 or step + 1 == schedule.steps:
                mean = float(torch.stack(losses).mean())
                losses.clear()
                if not math.isfinite(mean):
                    raise UserError(
                        f"{label}: the loss is {mean} at step {step + 1}, expected a finite "
                        "number; lower the learning rate or set clip_norm in the schedule"
                    )
                seconds = spent + time.monotonic() - began
                rows.append((step + 1, mean, schedule.rate(step), round(seconds, 3)))
                bar.advance(step + 1 - bar.done, loss=mean)
                # Save only here, where `losses` is empty: it is not part of the state.
                now = time.monotonic()
                ends = until is not None and now - began >= until and step + 1 < schedule.steps
                if ends or now - saved > SECONDS_BETWEEN_SAVES:
                    save(step + 1)
                    saved = time.monotonic()
                if ends:
                    raise Paused(
                        f"{label}: paused at step {step + 1} of {schedule.steps}, as asked; run "
                        "the same command again to go on"
                    )
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
    """Yield the batches of steps `start` to `stop` − 1; a thread draws each before it is needed."""

    def work(step: int) -> Batch:
        return draw(step, generator(seed, step))

    with closing(ahead(work, range(start, stop), AHEAD)) as batches:
        for _, batch in batches:
            yield batch


@contextmanager
def rounded_at_its_ends(model: nn.Module, precision: Precision) -> Generator[None]:
    """Cast inputs of `model` to bfloat16 and its outputs to float32, if `precision` is 'bf16'.

    Automatic casting covers convolutions and matrix products only. A residual network also
    subtracts from its input, at the precision of that input.
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
    """Return the random generator of one step: independent for each pair of `seed` and `step`."""
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
