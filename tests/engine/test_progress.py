"""Progress is a line now and then where there is no terminal, and counts what a resume skips."""

import logging

import pytest

from engine import progress as module
from engine.progress import Progress, progress


def test_last_unit_is_always_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), progress(3, "degrade", "images") as bar:
        for _ in range(3):
            bar.advance(loss=0.5)
    assert [record.message.split(",")[0] for record in caplog.records] == ["degrade: 3/3 images"]
    assert "loss 0.5" in caplog.text


def test_lines_come_at_their_interval(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    with caplog.at_level(logging.INFO), progress(3, "train", "steps") as bar:
        for _ in range(3):
            bar.advance()
    assert len(caplog.records) == 3


def test_rate_counts_only_what_this_run_did() -> None:
    bar = Progress(100, "train", "steps")
    bar.resume(90)
    bar.done += 5
    line = bar.line(bar._started + 10, {})
    assert "95/100 steps" in line
    assert "0.5 steps/s, 10 s left" in line
