"""Progress of long work: a bar on a terminal, plain log lines in a file."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Count finished units; log the rate and the time left."""

    def __init__(self, total: int, label: str, unit: str) -> None:
        self.total, self.label, self.unit = total, label, unit
        self.done = 0
        self._first = 0
        self._started = self._said = time.monotonic()

    def resume(self, done: int) -> None:
        """Start the count at `done` units that an earlier run finished."""
        self.done = self._first = done

    def advance(self, n: int = 1, **figures: float) -> None:
        """Count `n` more units; `figures` are shown beside the rate."""
        self.done += n
        now = time.monotonic()
        if self.done >= self.total or now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            log.info("%s", self.line(now, figures))

    def line(self, now: float, figures: dict[str, float]) -> str:
        """Return the progress, the rate and the time left in one line."""
        rate = (self.done - self._first) / max(now - self._started, 1e-9)
        left = (self.total - self.done) / rate if rate > 0 else float("inf")
        shown = "".join(f", {name} {value:.4g}" for name, value in figures.items())
        return (
            f"{self.label}: {self.done}/{self.total} {self.unit}{shown}, "
            f"{rate:.3g} {self.unit}/s, {left:.0f} s left"
        )


class _Bar(Progress):
    """Draw the progress as a bar, with rich."""

    def __init__(self, total: int, label: str, unit: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Rich

        super().__init__(total, label, unit)
        self.rich = Rich(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[figures]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.task = self.rich.add_task(label, total=total, figures=unit)

    def resume(self, done: int) -> None:
        super().resume(done)
        self.rich.update(self.task, completed=done)

    def advance(self, n: int = 1, **figures: float) -> None:
        self.done += n
        rate = (self.done - self._first) / max(time.monotonic() - self._started, 1e-9)
        shown = "".join(f" {name} {value:.4g}" for name, value in figures.items())
        text = f"{self.unit} {rate:.3g}/s{shown}"
        self.rich.update(self.task, completed=self.done, figures=text)


@contextmanager
def progress(total: int, label: str, unit: str = "it") -> Iterator[Progress]:
    """Show the progress of `total` units of work.

    Parameters
    ----------
    total : int
        Number of units.
    label : str
        Name of the work.
    unit : str
        Name of the units, in the plural.

    Yields
    ------
    Progress
        Call its `advance` after each unit.
    """
    if sys.stderr.isatty():
        bar = _Bar(total, label, unit)
        with bar.rich:
            yield bar
    else:
        yield Progress(total, label, unit)
