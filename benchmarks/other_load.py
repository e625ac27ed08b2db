"""How busy other processes keep the machine while something is measured."""

import os
import time
from types import TracebackType
from typing import Self

# psutil knows the counters of every system, and not all of these on each.
_WORK = ("user", "nice", "system", "irq", "softirq", "steal")
_TICK = 0.1  # seconds of own work below which counters that stand still prove nothing


class OtherLoad:
    """Measures, as a context, how many cores other processes keep busy.

    The CPU time of all processes, less that of this one and of the children that it has waited for,
    over the time that went by. A child that outlives the context counts as another process. Where
    the system does not tell, it is the mean of the last minute's load (`os.getloadavg`) at both
    ends, less the work of this process.

    Attributes
    ----------
    cores : float or None
        Set at the end of the context; None where nothing is told.
    """

    cores: float | None = None

    def __enter__(self) -> Self:
        self._began, self._own = time.perf_counter(), own_seconds()
        self._all, self._load = all_seconds(), load_average()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = max(time.perf_counter() - self._began, 1e-9)
        own = own_seconds() - self._own
        before, after = self._all, all_seconds()
        if before is not None and after is not None and (after > before or own < _TICK):
            self.cores = round(max(after - before - own, 0) / seconds, 2)
            return
        first, last = self._load, load_average()
        if first is not None and last is not None:
            self.cores = round(max((first + last) / 2 - own / seconds, 0), 2)


def own_seconds() -> float:
    """Return the CPU time of this process and of the children that it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def all_seconds() -> float | None:
    """Return the CPU time of all processes; None where the system does not tell."""
    import psutil

    try:
        spent = psutil.cpu_times()
    except (OSError, psutil.Error):
        return None
    return float(sum(getattr(spent, name, 0.0) for name in _WORK))


def load_average() -> float | None:
    """Return the mean number of processes at work in the last minute; None where not told."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has none
        return None
