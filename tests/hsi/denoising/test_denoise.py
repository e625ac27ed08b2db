"""A cube is denoised: better than it was, in its type, in blocks, and where it was interrupted."""

import logging

import numpy as np
import pytest

import hsi
from hsi.denoising import denoise as denoise_module
from hsi.denoising.blocks import HALO
from hsi.denoising.denoise import denoise
from hsi.denoising.options import DenoiseOptions
from hsi.errors import HsiError
from hsi.scenes.scene import Scene, open_scene, write_scene
from tests.hsi.denoising.cubes import clean_cube, psnr

PLACE = {"map info": ["UTM", "1", "1", "500000", "4000000", "30", "30", "33", "North", "WGS-84"]}


@pytest.fixture(scope="module")
def clean():
    return clean_cube(64, 60, 24)


@pytest.fixture(scope="module")
def noisy(clean):
    return clean + np.random.default_rng(1).normal(0, 0.1, clean.shape)


@pytest.fixture(scope="module")
def denoised(noisy):
    return denoise(Scene("made", noisy), device="cpu", precision="float32").cube


def test_noise_goes_and_signal_stays(clean, noisy, denoised):
    assert psnr(denoised, clean) > psnr(noisy, clean) + 12
    assert denoised.dtype == np.float64


def test_a_clean_scene_stays_clean(clean):
    assert psnr(denoise(Scene("clean", clean), device="cpu").cube, clean) > 50


@pytest.mark.parametrize("bands", [6, 24])  # the subspace is found once, or again
def test_blocks_change_nothing(bands):
    rows, block = 300, 75
    assert rows > 2 * HALO  # no block sees the whole scene
    noisy = clean_cube(rows, 14, bands)
    noisy += np.random.default_rng(1).normal(0, 0.1, noisy.shape)
    options = {"device": "cpu", "precision": "float32"}
    whole = denoise(Scene("made", noisy), **options).cube
    blocks = denoise(Scene("made", noisy), block=block, **options).cube
    assert np.abs(blocks - whole).max() < 1e-6


def test_files_keep_type_metadata_and_what_is_not_denoised(tmp_path, noisy, clean):
    cube = np.rint(noisy * 4000 + 500).astype(np.int16)
    cube[3, :4] = -999
    cube[..., 7] = 11
    bad = np.arange(24) == 5
    centres = np.linspace(400.0, 2400.0, 24)
    scene = Scene("made", cube, centres, bad, PLACE, -999.0, np.full(24, 1e-4))
    write_scene(tmp_path / "in.hdr", scene)
    found = denoise(open_scene(tmp_path / "in.hdr"), tmp_path / "out.hdr", device="cpu")
    values = found.cube[:]
    assert values.dtype == np.int16
    assert found.georeference == PLACE
    assert found.ignore_value == -999
    assert np.allclose(found.scale, 1e-4)
    assert np.allclose(found.wavelengths, centres)
    assert np.array_equal(found.bad_bands, bad)
    assert np.array_equal(values[3, :4], cube[3, :4])
    assert np.array_equal(values[..., [5, 7]], cube[..., [5, 7]])
    others = [band for band in range(24) if band not in (5, 7)]
    better = (values[10:, :, others].astype(float) - 500) / 4000
    assert (
        psnr(better, clean[10:, :, others])
        > psnr(noisy[10:, :, others], clean[10:, :, others]) + 10
    )
    assert not list(tmp_path.glob(".*"))
    every = denoise(scene, device="cpu", restore_bad_bands=True).cube
    assert not np.array_equal(every[..., 5], cube[..., 5])


def test_a_denoised_scene_is_told(tmp_path, noisy, caplog):
    write_scene(tmp_path / "in.hdr", Scene("in", noisy[:20, :20].astype(np.float32)))
    found = denoise(open_scene(tmp_path / "in.hdr"), tmp_path / "out.hdr", device="cpu")
    with caplog.at_level(logging.WARNING):
        denoise(found, device="cpu")
    assert "denoised already" in caplog.text


class Stop(BaseException):
    """Like Ctrl-C."""


def test_a_stopped_run_goes_on_behind_its_last_block(tmp_path, noisy, monkeypatch):
    write_scene(tmp_path / "in.hdr", Scene("in", noisy.astype(np.float32)))
    scene, options = open_scene(tmp_path / "in.hdr"), {"device": "cpu", "block": 30}
    whole = denoise(scene, tmp_path / "whole.npy", **options).cube[:]
    plain, seen = denoise_module.denoised_block, []

    def counted(*arguments):
        if len(seen) == 2:
            raise Stop
        seen.append(arguments)
        yield from plain(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(denoise_module, "denoised_block", counted)
        denoise(scene, tmp_path / "out.npy", **options)
    assert not (tmp_path / "out.npy").exists()
    again = []
    monkeypatch.setattr(
        denoise_module,
        "denoised_block",
        lambda *arguments: again.append(1) or plain(*arguments),
    )
    assert np.array_equal(denoise(scene, tmp_path / "out.npy", **options).cube[:], whole)
    assert len(again) == 6 - 2


@pytest.mark.parametrize(
    ("cube", "options", "message"),
    [
        (np.ones((9, 9, 3)), {}, "an image of 3; use restore denoise"),
        (np.ones((9, 9, 4)), {}, "expected at least 5 bands that are not marked as bad, found 4"),
        (np.ones((40, 40, 9)), {}, "expected at least 5 bands that vary, found 0"),
        (np.ones((1, 900, 9)), {}, "expected at least 5 rows and columns, found 1 × 900"),
        (np.ones((5, 5, 40)), {}, "expected at least 80 pixels with data, two per band, found 25"),
        (np.zeros((9, 9, 9)), {}, "expected pixels with data, found none"),
        (np.full((9, 9, 9), np.nan), {}, "expected pixels with data, found none"),
        (clean_cube(20, 20, 9), {"components": 10}, "`components` 10: expected 1 to 9"),
        (clean_cube(20, 20, 9), {"components": 0}, "`components` 0: expected a number, at least 1"),
        (clean_cube(20, 20, 9), {"stripes": "no"}, "`stripes` no: expected auto, on or off"),
        (clean_cube(20, 20, 9), {"block": 0}, "`block` 0: expected a number of pixels"),
        (clean_cube(20, 20, 9), {"memory": 2**20}, "`memory` 1 MiB: expected at least"),
    ],
)
def test_wrong_input_is_one_line(cube, options, message):
    with pytest.raises(HsiError, match=message):
        denoise(Scene("wrong", cube), device="cpu", **options)


def test_existing_files_and_inputs_are_kept(tmp_path, noisy):
    write_scene(tmp_path / "in.hdr", Scene("in", noisy[:20, :20].astype(np.float32)))
    scene = open_scene(tmp_path / "in.hdr")
    with pytest.raises(HsiError, match="would replace"):
        denoise(scene, tmp_path / "in.hdr", overwrite=True, device="cpu")
    (tmp_path / "out.npy").write_text("mine")
    with pytest.raises(HsiError, match="expected no such file, found one"):
        denoise(scene, tmp_path / "out.npy", device="cpu")
    (tmp_path / "new.json").write_text('{"mine": 1}')
    with pytest.raises(HsiError, match=r"new\.json: would be replaced by the record, and was not"):
        denoise(scene, tmp_path / "new.npy", device="cpu")
    assert (tmp_path / "new.json").read_text() == '{"mine": 1}'
    with pytest.raises(HsiError, match="expected a name that ends with one of"):
        denoise(scene, tmp_path / "out.mat", device="cpu")
    assert DenoiseOptions().describe() == DenoiseOptions(memory=1, block=3).describe()
    assert hsi.denoise is denoise
