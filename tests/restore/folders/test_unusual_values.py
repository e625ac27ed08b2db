"""Files whose values, pages or channels are unlike those of photographs, by the shipped weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

import restore
from engine.errors import Partial
from restore.folders.folder import denoise_folder
from restore.folders.journal import JOURNAL

CLEAN = data.camera()[100:228, 100:228].astype(np.float32)


def noisy(clean, sigma, seed=0):
    return clean + np.random.default_rng(seed).normal(0, sigma, clean.shape)


def whole(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def away(found, clean):
    return float(np.sqrt(np.square(np.asarray(found, np.float64) - clean).mean()))


def run(folder: Path, **options) -> dict[str, dict]:
    """Denoise `folder/in` into `folder/out`; return the journal's lines by file."""
    denoise_folder(folder / "in", folder / "out", device="cpu", **options)
    lines = (folder / "out" / JOURNAL).read_text().splitlines()
    return {line["file"]: line for line in map(json.loads, lines)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


@pytest.mark.parametrize(("scale", "shift"), [(1 / 255, -0.5), (4 / 255, -3)])
def test_floats_below_0_come_out_as_those_above_it(folder, scale, shift):
    clean = CLEAN * np.float32(scale) + np.float32(shift)
    image = (noisy(CLEAN, 25) * scale + shift).astype(np.float32)
    tifffile.imwrite(folder / "in" / "a.tif", image)
    line = run(folder)["a.tif"]
    found = tifffile.imread(folder / "out" / "a.tif")
    assert away(found, clean) < 0.36 * away(image, clean)
    assert "was taken for black" in line["doubt"]
    np.testing.assert_array_equal(found, restore.denoise(image, device="cpu"))


def test_floats_below_0_are_refused_where_doubts_are(folder):
    tifffile.imwrite(folder / "in" / "a.tif", (CLEAN / 255 - 0.5).astype(np.float32))
    with pytest.raises(Partial):
        run(folder, strict=True)
    assert not (folder / "out" / "a.tif").exists()


def test_floats_far_below_1_come_out_as_the_same_picture(folder):
    clean = CLEAN * np.float32(1e-5)
    image = (noisy(CLEAN, 25) * 1e-5).astype(np.float32)
    tifffile.imwrite(folder / "in" / "a.tif", image)
    assert "was taken for white" in run(folder)["a.tif"]["doubt"]
    found = tifffile.imread(folder / "out" / "a.tif")
    assert away(found, clean) < 0.4 * away(image, clean)
    assert found.mean() == pytest.approx(image.mean(), rel=0.01)


@pytest.mark.parametrize("sigmas", [(3, 27), (2, 48)])
def test_pages_of_unlike_noise_are_all_better_than_before(folder, sigmas):
    pages = [whole(noisy(CLEAN, sigma, seed)) for seed, sigma in enumerate(sigmas)]
    tifffile.imwrite(folder / "in" / "a.tif", np.stack(pages), photometric="minisblack")
    run(folder)
    for page, found in zip(pages, tifffile.imread(folder / "out" / "a.tif"), strict=True):
        assert away(found, CLEAN) < 0.85 * away(page, CLEAN)


@pytest.mark.parametrize(("empty", "value"), [((2,), 17), ((0, 2), 0)])
def test_a_channel_of_one_value_stays_so_and_the_others_are_denoised(folder, empty, value):
    clean = CLEAN * 0.7 + 20
    image = np.dstack([whole(noisy(clean, 25, seed)) for seed in range(3)])
    image[..., list(empty)] = value
    Image.fromarray(image).save(folder / "in" / "a.png")
    line = run(folder)["a.png"]
    found = np.asarray(Image.open(folder / "out" / "a.png"))
    assert line["sigma"] == pytest.approx(25, abs=3)
    assert (found[..., list(empty)] == value).all()
    for channel in set(range(3)) - set(empty):
        assert away(found[..., channel], clean) < 0.3 * away(image[..., channel], clean)
    np.testing.assert_array_equal(found, restore.denoise(image, device="cpu"))


def test_used_channels_of_unlike_noise_share_a_model_in_python_too(folder):
    channels = [whole(noisy(CLEAN, sigma, seed=sigma)) for sigma in (12, 45)]
    image = np.dstack([*channels, np.zeros_like(channels[0])])
    Image.fromarray(image).save(folder / "in" / "a.png")
    assert run(folder)["a.png"]["model"] == "dncnn-b"
    found = np.asarray(Image.open(folder / "out" / "a.png"))
    np.testing.assert_array_equal(found, restore.denoise(image, device="cpu"))


@pytest.mark.parametrize(
    ("colour", "side"), [((255, 0, 0), 32), ((0, 120, 215), 48), ((9, 9, 9), 1)]
)
def test_a_small_flat_image_is_left_as_it_is(folder, colour, side):
    image = np.full((side, side, 3), colour, np.uint8)
    image[: side // 2, : side // 2] = 160
    Image.fromarray(image).save(folder / "in" / "a.png")
    assert run(folder)["a.png"]["model"] == "none"
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "out" / "a.png")), image)
