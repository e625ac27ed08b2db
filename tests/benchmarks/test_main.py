"""The table holds every row of every suite, with its goal and the load of other processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.__main__ import main, suites
from benchmarks.goals import FOLDER
from benchmarks.side_by_side import COLUMNS, Row
from engine.device import Compute
from engine.tables import read_csv


def test_rows_are_written_and_shown(
    tmp_path: Path, cpu: Compute, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("restore folder", "case", 7.0, 2.0, 3.5, 0.0, "here")

    def judged(_: Compute) -> Iterator[Row]:
        yield row.judged(FOLDER, row.ratio)
        yield row

    main(tmp_path / "bench.csv", [judged, judged], cpu)
    found = read_csv(tmp_path / "bench.csv")
    assert tuple(found.columns) == COLUMNS
    assert len(found) == 4
    assert list(found["met"].fillna("")) == 2 * ["no", ""]
    assert (found["other_load"].astype(float) >= 0).all()
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].endswith("case  (asked: at least 6 times the plain loop; met: no)")
    assert shown[1].endswith("case")


def test_a_run_that_is_cut_short_keeps_its_rows(tmp_path: Path, cpu: Compute) -> None:
    def stopped(_: Compute) -> Iterator[Row]:
        yield Row("b", "c", 1.0, 1.0, 1.0, None, "here")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        main(tmp_path / "bench.csv", [stopped], cpu)
    assert len(read_csv(tmp_path / "bench.csv")) == 1


def test_every_suite_can_be_named() -> None:
    assert {"peers", "training", "best", "cubes", "startup", "folder"} <= suites().keys()
