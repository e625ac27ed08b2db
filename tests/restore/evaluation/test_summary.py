"""Means by model, set and degradation; the paper's figure stands beside those of its protocol."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from restore.degradations.degradation import parse
from restore.errors import RestoreError
from restore.evaluation.benchmark import evaluate
from restore.evaluation.methods import Baseline
from restore.evaluation.protocol import COLUMNS, Scoring
from restore.evaluation.summary import (
    SUMMARY_COLUMNS,
    published,
    read_rows,
    summarise,
    write_tables,
)
from restore.image_sets.catalogue import PUBLISHED
from restore.image_sets.find import ImageSet
from restore.networks.denoiser import Denoiser


@pytest.fixture
def small_bsd68(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the two images be all that the set has."""
    monkeypatch.setitem(PUBLISHED, "BSD68", replace(PUBLISHED["BSD68"], images=2))


@pytest.mark.usefixtures("small_bsd68")
def test_means_stand_beside_the_published_figures(
    images: ImageSet, identity: Denoiser, tmp_path: Path
) -> None:
    rows = evaluate(identity, [images], [parse("noise:25"), parse("noise:15")], seed=0)
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    nlm = evaluate(Baseline("nlm"), [images], [parse("noise:25")], seed=0)
    pd.DataFrame(nlm).to_csv(tmp_path / "b.csv", index=False)
    schedules = {identity.sha256: "tiny (3 steps)"}
    write_tables([tmp_path / "a.csv", tmp_path / "b.csv"], schedules, tmp_path / "out")
    twice = write_tables([tmp_path / "a.csv", tmp_path / "a.csv"], schedules, tmp_path / "twice")
    assert twice["images"].tolist() == [2, 2]
    joined = pd.read_csv(tmp_path / "out" / "psnr_ssim.csv")
    assert tuple(joined.columns) == COLUMNS
    assert len(joined) == 6
    summary = pd.read_csv(tmp_path / "out" / "psnr_ssim_summary.csv")
    assert tuple(summary.columns) == SUMMARY_COLUMNS
    first = summary.iloc[0]
    mean = np.mean([row["psnr_db"] for row in rows[:2]])
    assert first.psnr_db == pytest.approx(mean, abs=0.005)
    assert first.psnr_published_db == 29.23  # DnCNN-S, BSD68, sigma 25
    assert first.psnr_difference_db == pytest.approx(mean - 29.23, abs=0.005)
    assert first.schedule == "tiny (3 steps)"
    assert pd.isna(summary.iloc[1].psnr_published_db)  # the paper's is of a network for sigma 15
    assert summary[summary.model == "nlm"].psnr_published_db.isna().all()
    # The papers have no figure of a network for sigma 25 at sigma 15.
    assert np.isnan(summary.iloc[1].psnr_published_db)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("model,psnr\nx,1\n")
    with pytest.raises(RestoreError, match=r"a\.csv: expected the columns model,set"):
        read_rows([tmp_path / "a.csv"])
    with pytest.raises(RestoreError, match=r"b\.csv: expected the CSV of"):
        read_rows([tmp_path / "b.csv"])


def test_summary_separates_seeds(images: ImageSet, identity: Denoiser) -> None:
    rows = [
        row
        for seed in (0, 1)
        for row in evaluate(identity, [images], [parse("noise:25")], seed=seed)
    ]
    assert list(summarise(pd.DataFrame(rows), {})["seed"]) == [0, 1]


@pytest.mark.usefixtures("small_bsd68")
def test_another_protocol_is_logged_marked_and_not_compared(
    images: ImageSet, identity: Denoiser, caplog: pytest.LogCaptureFixture
) -> None:
    noise = parse("noise:25")
    published = evaluate(identity, [images], [noise], seed=0)
    assert "protocol" not in caplog.text
    asked = Scoring(rounding="off", border="4")
    other = evaluate(identity, [images], [noise], seed=0, protocol=asked)
    assert "noise:25: not the published protocol: rounding off, border 4" in caplog.text
    assert {row["precision"] for row in other} == {"float32; rounding off; border 4"}
    # The untrained network changes nothing: unrounded, its output is its input.
    assert all(row["psnr_db"] == row["psnr_input_db"] for row in other)
    summary = summarise(pd.DataFrame(published + other), {})
    assert list(summary.precision) == ["float32", "float32; rounding off; border 4"]
    assert list(summary.psnr_published_db) == ["29.23", ""]
    assert list(summary.psnr_difference_db)[1] == ""


@pytest.mark.parametrize(
    ("model", "chosen", "kind", "level", "psnr"),
    [
        ("dncnn-s-15", "Set12", "noise", "15", "32.86"),
        ("dncnn-s-25", "Set12", "noise", "15", ""),
        ("dncnn-b", "BSD68", "noise", "50", "26.23"),
        ("dncnn-3", "BSD68", "noise", "25", "29.02"),
        ("dncnn-3", "LIVE1", "jpeg", "40", "33.96"),
        ("dncnn-3", "Set14", "bicubic", "4", "28.04"),
        ("dncnn-b-color", "CBSD68", "noise", "25", "31.23"),
        ("dncnn-s-25-color", "CBSD68", "noise", "25", "31.24"),
        ("dncnn-b", "CBSD68", "noise", "25", ""),
        ("bm3d", "BSD68", "noise", "25", "28.57"),
        ("dncnn", "BSD68", "noise", "25", ""),
    ],
)
def test_each_variant_finds_its_published_figure(
    model: str, chosen: str, kind: str, level: str, psnr: str
) -> None:
    scores = {"psnr_db": 30.0, "ssim": 0.9, "psnr_input_db": 20.0, "ssim_input": 0.5}
    named = {"model": model, "set": chosen, "degradation": kind, "level": level, "image": "a"}
    row = {**named, **scores, "seed": 0, "weights_sha256": "", "precision": "float32"}
    rows = [row | {"image": str(number)} for number in range(PUBLISHED[chosen].images)]
    means = summarise(pd.DataFrame(rows), {}).iloc[0]
    assert means.psnr_published_db == psnr
    assert bool(means.psnr_difference_db) == bool(psnr)
    part = summarise(pd.DataFrame(rows[1:]), {}).iloc[0]
    assert part.psnr_published_db == part.psnr_difference_db == ""


def test_every_published_figure_has_a_source_and_stands_once() -> None:
    known = published()
    assert known.source.str.len().min() > 10
    assert not known.duplicated(["set", "degradation", "level", "model"]).any()


@pytest.mark.reference
def test_the_published_figures_are_those_beside_the_repository(shared_data: Path) -> None:
    known = published().set_index(["set", "degradation", "level", "model"])
    tables = {"dncnn_gaussian": "noise", "dncnn3_jpeg": "jpeg", "dncnn3_sr": "bicubic"}
    for name, kind in tables.items():
        table = pd.read_csv(shared_data.parent / "reference" / f"{name}.csv")
        for row in table[table.origin == "published"].itertuples():
            found = known.loc[(row[1], kind, str(row[2]), row[3])]
            assert found.psnr_db == row.psnr_db
            assert found.ssim == row.ssim or np.isnan(row.ssim)
