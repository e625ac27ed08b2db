"""Own work is no load; another process's is, and where counters stand still the average tells."""

import time

import psutil
import pytest

from benchmarks import other_load
from benchmarks.conditions import core_kept_busy
from benchmarks.other_load import OtherLoad


def clock(monkeypatch: pytest.MonkeyPatch, **told: list[object]) -> None:
    """Let `all_seconds`, `own_seconds`, `load_average` and the time tell what is given, in turn."""
    for name, values in told.items():
        each = iter(values)
        target = (other_load.time, "perf_counter") if name == "seconds" else (other_load, name)
        monkeypatch.setattr(*target, lambda each=each: next(each))


def test_the_work_of_all_less_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(
        monkeypatch,
        seconds=[0.0, 10.0],
        own_seconds=[1.0, 11.0],
        all_seconds=[100.0, 125.0],
        load_average=[9.0, 9.0],
    )
    with OtherLoad() as load:
        pass
    assert load.cores == 1.5


@pytest.mark.parametrize("counted", [[None, None], [100.0, 100.0]])
def test_without_counters_the_mean_load_less_ones_own(
    monkeypatch: pytest.MonkeyPatch, counted: list[object]
) -> None:
    clock(
        monkeypatch,
        seconds=[0.0, 10.0],
        own_seconds=[0.0, 10.0],
        all_seconds=counted,
        load_average=[2.0, 4.0],
    )
    with OtherLoad() as load:
        pass
    assert load.cores == 2.0


def test_a_system_that_tells_nothing_is_not_called_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(
        monkeypatch,
        seconds=[0.0, 10.0],
        own_seconds=[0.0, 10.0],
        all_seconds=[None, None],
        load_average=[None, None],
    )
    with OtherLoad() as load:
        pass
    assert load.cores is None


def test_what_psutil_may_not_read_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise PermissionError

    monkeypatch.setattr(psutil, "cpu_times", refused)
    assert other_load.all_seconds() is None


def test_a_process_that_is_kept_busy_is_seen() -> None:
    if other_load.all_seconds() is None:
        pytest.skip("this system does not tell the work of all processes")
    with core_kept_busy() as process:
        before, own = psutil.Process(process.pid).cpu_times().user, time.perf_counter()
        with OtherLoad() as load:
            time.sleep(0.6)
        spent = psutil.Process(process.pid).cpu_times().user - before
        share = spent / (time.perf_counter() - own)
    assert load.cores is not None
    assert share > 0
    assert load.cores >= 0.5 * share
