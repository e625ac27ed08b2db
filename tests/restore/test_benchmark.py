"""Scores follow the protocol; prepared files give the same rows; means stand beside the paper's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from engine.device import Compute
from restore.baselines import available
from restore.benchmark import COLUMNS, Baseline, evaluate
from restore.degrade import parse
from restore.degraded import write_folder
from restore.dncnn import Architecture, DnCNN
from restore.errors import RestoreError
from restore.metrics import psnr, quantise, ssim
from restore.models import Denoiser, load, save
from restore.sets import ImageSet, resolve
from restore.summary import SUMMARY_COLUMNS, read_rows, summarise, write_tables

CPU = Compute(torch.device("cpu"), "float32", "test")


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    folder = tmp_path / "BSD68"
    folder.mkdir()
    ramp = np.add.outer(np.arange(30), np.arange(36)) * 3.5
    for index in range(2):
        Image.fromarray((ramp[:: 1 - 2 * index]).astype(np.uint8)).save(folder / f"{index}.png")
    return resolve(str(folder))


@pytest.fixture
def identity(tmp_path: Path) -> Denoiser:
    """Return an untrained network, which changes nothing."""
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    save(tmp_path / "m.safetensors", network, "dncnn-s-25", {})
    return load(str(tmp_path / "m.safetensors"), CPU)


def test_the_output_is_rounded_and_the_input_is_not(images: ImageSet, identity: Denoiser) -> None:
    rows = evaluate(identity, [images], [parse("noise:50")], seed=0)
    assert [row["image"] for row in rows] == ["0", "1"]
    for row, item in zip(rows, images.items, strict=True):
        assert tuple(row) == COLUMNS
        clean = item.load().astype(float)
        # Clipping the identity's output to 0..255 removes noise; the input keeps all of it.
        assert row["psnr_db"] > row["psnr_input_db"] + 0.2
        assert row["psnr_input_db"] == pytest.approx(20 * np.log10(255 / 50), abs=0.3)
        assert clean.shape == (30, 36)


@pytest.mark.parametrize("text", ["noise:25", "jpeg:10", "bicubic:3"])
def test_prepared_files_give_the_same_rows(
    images: ImageSet, identity: Denoiser, tmp_path: Path, text: str
) -> None:
    wanted = parse(text)
    write_folder(images.items, tmp_path / "degraded" / text, wanted, 7)
    memory = evaluate(identity, [images], [wanted], seed=7)
    assert memory == evaluate(identity, [images], [wanted], seed=7, prepared=tmp_path / "degraded")
    if text == "noise:25":
        assert memory != evaluate(identity, [images], [wanted], seed=8)


def test_scores_agree_with_scikit_image(images: ImageSet) -> None:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    clean = images.items[0].load().astype(float)
    estimate = quantise(clean + np.random.default_rng(0).normal(0, 9, clean.shape))
    expected = peak_signal_noise_ratio(clean, estimate, data_range=255)
    assert psnr(clean, estimate) == pytest.approx(expected, abs=1e-9)
    similarity = structural_similarity(
        clean,
        estimate,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(clean, estimate) == pytest.approx(similarity, abs=1e-9)


def test_baselines_beat_the_noise(images: ImageSet) -> None:
    assert {"nlm", "wavelet", "tv"} <= set(available())
    for name in ("nlm", "wavelet", "tv"):
        rows = evaluate(Baseline(name), [images], [parse("noise:25")], seed=0)
        assert all(row["psnr_db"] > row["psnr_input_db"] + 2 for row in rows)


def test_a_baseline_for_jpeg_is_one_line(images: ImageSet) -> None:
    with pytest.raises(RestoreError, match="model nlm: expected noise, found jpeg:10"):
        evaluate(Baseline("nlm"), [images], [parse("jpeg:10")], seed=0)


def test_means_stand_beside_the_published_figures(
    images: ImageSet, identity: Denoiser, tmp_path: Path
) -> None:
    rows = evaluate(identity, [images], [parse("noise:25"), parse("noise:15")], seed=0)
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    nlm = evaluate(Baseline("nlm"), [images], [parse("noise:25")], seed=0)
    pd.DataFrame(nlm).to_csv(tmp_path / "b.csv", index=False)
    schedules = {identity.sha256: "tiny (3 steps)"}
    write_tables([tmp_path / "a.csv", tmp_path / "b.csv"], schedules, tmp_path / "out")
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
