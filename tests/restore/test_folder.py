"""Folders of images: depth and alpha kept, nothing overwritten, failures named, runs resumed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.device import Compute
from engine.errors import Partial
from restore.dncnn import Architecture, DnCNN
from restore.errors import RestoreError
from restore.folder import Options, denoise_folder
from restore.images import read
from restore.journal import JOURNAL
from restore.models import load, save
from restore.pixels import denoise_pixels

CPU = Compute(torch.device("cpu"), "float32", "test")


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """Write an untrained network: it changes nothing, so every output can be checked exactly."""
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    path = tmp_path / "identity.safetensors"
    save(path, network, "dncnn-s-25", {})
    return str(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (9, 7), np.uint8)).save(folder / "grey.png")
    Image.fromarray(rng.integers(0, 256, (9, 7, 4), np.uint8)).save(folder / "alpha ä.png")
    Image.fromarray(rng.integers(0, 65536, (9, 7), np.uint16)).save(folder / "deep.png")
    Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8)).save(folder / "trip" / "sea.tif")
    return folder


def run(photos: Path, out: Path, weights: str, **options: object) -> None:
    denoise_folder(photos, out, weights, Options(**options), lambda: CPU)  # type: ignore[arg-type]


def test_depth_alpha_and_folders_are_kept(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    run(photos, out, weights, recursive=True)
    for name in ("grey.png", "alpha ä.png", "deep.png", "trip/sea.tif"):
        before, after = read(photos / name), read(out / name)
        assert before.pixels.dtype == after.pixels.dtype
        np.testing.assert_array_equal(before.pixels, after.pixels)
        if before.alpha is not None:
            assert after.alpha is not None
            np.testing.assert_array_equal(before.alpha, after.alpha)


def test_second_run_skips_what_is_done(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    run(photos, out, weights)
    before = {p: p.stat().st_mtime_ns for p in out.glob("*.png")}
    (out / "grey.png").unlink()
    run(photos, out, weights)
    after = {p: p.stat().st_mtime_ns for p in out.glob("*.png")}
    assert {p for p in after if before[p] != after[p]} == {out / "grey.png"}


def test_failures_are_named_and_the_rest_is_done(
    photos: Path, tmp_path: Path, weights: str
) -> None:
    (photos / "empty.png").write_bytes(b"")
    (photos / "text.png").write_text("not an image")
    with pytest.raises(Partial, match="2 of 5 images failed"):
        run(photos, tmp_path / "clean", weights)
    records = [json.loads(x) for x in (tmp_path / "clean" / JOURNAL).read_text().splitlines()]
    failed = {Path(r["file"]).name: r["reason"] for r in records if r["status"] == "failed"}
    assert set(failed) == {"empty.png", "text.png"}
    assert sum(r["status"] == "done" for r in records) == 3


def test_a_foreign_output_is_kept(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    out.mkdir()
    (out / "grey.png").write_bytes(b"mine")
    with pytest.raises(Partial, match="1 of 3"):
        run(photos, out, weights)
    assert (out / "grey.png").read_bytes() == b"mine"
    run(photos, out, weights, overwrite=True)
    assert read(out / "grey.png").pixels.shape == (9, 7)


def test_two_inputs_for_one_output_are_refused(photos: Path, tmp_path: Path, weights: str) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(photos / "grey.jpg")
    with pytest.raises(RestoreError, match=r"would both be written to .*grey\.png"):
        run(photos, tmp_path / "clean", weights)
    assert not (tmp_path / "clean").exists()


@pytest.mark.parametrize("inner", ["", "clean", ".."])
def test_folders_inside_each_other_are_refused(photos: Path, weights: str, inner: str) -> None:
    with pytest.raises(RestoreError, match="name one beside it"):
        run(photos, photos / inner, weights, recursive=True)


def test_missing_and_empty_folders_are_one_line(tmp_path: Path, weights: str) -> None:
    with pytest.raises(RestoreError, match="no such image or folder"):
        run(tmp_path / "nowhere", tmp_path / "clean", weights)
    (tmp_path / "bare").mkdir()
    with pytest.raises(RestoreError, match="expected a folder with images, found none"):
        run(tmp_path / "bare", tmp_path / "clean", weights)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pixels_keep_type_and_range(weights: str, dtype: type) -> None:
    denoiser = load(weights, CPU)
    white = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    pixels = (np.random.default_rng(0).random((6, 5, 3)) * white).astype(dtype)
    result = denoise_pixels(pixels, denoiser)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, pixels, atol=white * 1e-6)
