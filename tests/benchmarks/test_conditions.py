"""A core is kept busy for as long as it is asked, and not a moment longer, whatever happens."""

import subprocess
import sys
import time

import psutil
import pytest

from benchmarks import conditions
from benchmarks.conditions import core_kept_busy, under


def test_it_works_in_one_thread_and_ends_with_an_error() -> None:
    with pytest.raises(KeyboardInterrupt), core_kept_busy() as process:
        assert process.poll() is None
        seen = psutil.Process(process.pid)
        before = seen.cpu_times().user
        time.sleep(0.5)
        assert seen.cpu_times().user > before
        assert seen.num_threads() <= 2  # one multiplies, one waits for the end
        raise KeyboardInterrupt
    assert process.poll() is not None


def test_it_ends_when_who_started_it_is_killed() -> None:
    script = (
        "from benchmarks.conditions import core_kept_busy\n"
        "with core_kept_busy() as process:\n"
        "    print(process.pid, flush=True)\n"
        "    input()\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    child = psutil.Process(int(started.stdout.readline()))
    started.kill()
    started.communicate()
    child.wait(timeout=10)  # raises if it goes on


def test_one_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_READY", b"something else\n")
    with pytest.raises(RuntimeError, match="did not start"), core_kept_busy():
        raise AssertionError


def test_quiet_starts_nothing_and_others_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "core_kept_busy", None)
    with under("quiet"):
        pass
    with pytest.raises(ValueError, match="expected one of quiet, busy"), under("loud"):
        pass
