"""A scene as it is and denoised: files alike in all but their noise."""

import numpy as np
import pytest

from hsi.denoising.comparison.arms import STEPS, arms
from hsi.denoising.comparison.methods import METHODS, Setting
from hsi.errors import HsiError
from hsi.features.box_mean import box_mean
from hsi.scenes.scene import Scene, open_scene
from tests.hsi.denoising.cubes import clean_cube, psnr

CPU = Setting("cpu", "float32")
CLEAN = np.rint(clean_cube(40, 36, 12) * 3000 + 100)
BAD = np.arange(12) == 4


def values(path):
    return np.asarray(open_scene(path).cube[:], np.float64)


def test_every_arm_is_written_and_rounded_alike(tmp_path):
    scene = Scene("made", CLEAN.astype(np.uint16), bad_bands=BAD)
    paths = arms(scene, tmp_path, "gaussian:25", ["pca", "denoise"], seed=3, setting=CPU)
    assert [path.name for path in paths] == ["raw.hdr", "pca.hdr", "denoise.hdr"]
    raw, pca, denoised = map(values, paths)
    good = ~BAD
    for found in (raw, pca, denoised):
        assert np.array_equal(found, np.rint(found))
        assert np.array_equal(found[..., BAD], CLEAN[..., BAD])
    assert psnr(raw[..., good], CLEAN[..., good]) + 3 < psnr(pca[..., good], CLEAN[..., good])
    assert psnr(pca[..., good], CLEAN[..., good]) < psnr(denoised[..., good], CLEAN[..., good])
    assert np.array_equal(open_scene(paths[2]).bad_bands, BAD)


def test_clean_adds_nothing_and_fractions_are_rounded_to_steps_of_the_range(tmp_path):
    (whole,) = arms(Scene("made", CLEAN.astype(np.int16)), tmp_path / "whole", "clean", [])
    assert np.array_equal(values(whole), CLEAN)
    cube = clean_cube(40, 36, 12)
    (path,) = arms(Scene("made", cube), tmp_path, "clean", [])
    step = np.ptp(cube) / STEPS
    assert np.abs(values(path) - cube).max() < 0.6 * step
    assert len(np.unique(values(path))) < len(np.unique(cube))


def test_the_box_mean_is_that_of_the_classifier():
    cube = np.random.default_rng(0).normal(size=(9, 8, 6)).astype(np.float32)
    padded = np.pad(cube.astype(np.float64), ((2, 2), (2, 2), (0, 0)), mode="symmetric")
    assert np.allclose(METHODS["box-mean"](cube, CPU), box_mean(padded, 5), atol=1e-6)


def test_wrong_input_is_one_line(tmp_path):
    scene = Scene("made", CLEAN)
    with pytest.raises(HsiError, match="`method` bm4d: expected one of"):
        arms(scene, tmp_path, "clean", ["bm4d"])
    with pytest.raises(HsiError, match="`degradation` rain:3: expected a form"):
        arms(scene, tmp_path, "rain:3", ["pca"])
    holes = CLEAN.copy()
    holes[3, 4] = 0
    with pytest.raises(HsiError, match="without missing pixels"):
        arms(Scene("made", holes), tmp_path, "clean", ["pca"])
    assert not list(tmp_path.iterdir())
