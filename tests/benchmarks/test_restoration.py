"""Goals that were set for one kind of processor are claimed on no other."""

from itertools import islice

import pytest

from benchmarks import restoration
from benchmarks.side_by_side import Row
from engine.device import Compute


@pytest.mark.parametrize(("instructions", "met"), [("AMX", ["yes", "no"]), ("", ["", ""])])
def test_goals_for_amx(
    instructions: str, met: list[str], cpu: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = Row("b", "c", 4.5, 1.0, 4.5, 0.0, "here")
    monkeypatch.setattr(restoration, "_inference", lambda *_: fast)
    monkeypatch.setattr(restoration, "_training", lambda *_: fast)
    monkeypatch.setattr(restoration, "cpu_bf16", lambda: instructions)
    rows = list(islice(restoration.rows(cpu), 2))
    assert [row.met for row in rows] == met
    assert [row.goal[:16] for row in rows] == ["at least 4 times", "at least 5 times"]
