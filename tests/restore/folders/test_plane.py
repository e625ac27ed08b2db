"""The contract of a result: within what came in and the noise, finite, and no plane missing."""

import json
from contextlib import nullcontext

import numpy as np
import pytest
import tifffile
from skimage import data

from engine.errors import Partial
from engine.tensors import load_tensors
from restore.degradations.bicubic import imresize
from restore.errors import RestoreError
from restore.evaluation.metrics import psnr
from restore.folders import worker
from restore.folders.folder import denoise_folder
from restore.folders.journal import JOURNAL
from restore.folders.plane import prepare
from restore.images import extent, files
from restore.images.picture import Picture
from restore.networks import denoiser, shipped

RNG = np.random.default_rng(0)
PIXELS = RNG.normal(0.5, 0.1, (32, 40)).astype(np.float32).clip(0, 1)


def one(values, **more):
    return prepare(values.copy(), **({"white": None, "no_data": None, "sigma": 25.0} | more))


def test_a_result_within_the_noise_is_fine_and_beyond_it_is_not():
    low, high = PIXELS.min(), PIXELS.max()
    for change, fine in ((0.3, True), (0.6, False), (-0.3, True), (-0.6, False)):
        plane = one(PIXELS)
        plane.values[3, 4] = (high if change > 0 else low) + change
        if fine:
            plane.finish()
        else:
            with pytest.raises(RestoreError, match="expected a result within"):
                plane.finish()


def test_the_range_holds_for_each_channel():
    pixels = np.dstack([PIXELS, PIXELS * 0.2, PIXELS])
    plane = one(pixels, sigma=2.0)
    plane.values[..., 1] += 0.3
    with pytest.raises(RestoreError, match="expected a result within"):
        plane.finish()


def test_what_upscales_is_held_to_black_and_white():
    dull = PIXELS * 0.1 + 0.4
    for value, fine in ((0.9, True), (0.05, True), (1.1, False), (-0.1, False)):
        plane = one(dull, sigma=0.0, white=1.0)
        plane.values[3, 4] = value
        with pytest.raises(RestoreError, match="expected a result within"):
            plane.finish()
        plane.upscales = True
        with nullcontext() if fine else pytest.raises(RestoreError, match=r"within 0\.\.1 and"):
            plane.finish()


def test_letters_that_were_enlarged_get_their_black_back(tmp_path):
    letters = data.page()[:189, :240]
    enlarged = imresize(imresize(letters, 1 / 3), 3)
    files.write(tmp_path / "in" / "page.png", Picture(enlarged))
    out = tmp_path / "out"
    denoise_folder(tmp_path / "in", out, "dncnn-x3", device="cpu", precision="float32")
    found = files.read(out / "page.png").pixels
    assert found.min() < enlarged.min() - 15  # what no noise explains
    assert psnr(found, letters) > psnr(enlarged, letters) + 1


def test_a_value_that_is_not_finite_is_a_breach():
    plane = one(PIXELS)
    plane.values[3, 4] = np.nan
    with pytest.raises(RestoreError, match="found NaN or infinite"):
        plane.finish()


def test_an_image_without_any_data_is_refused():
    with pytest.raises(RestoreError, match="no pixel with data"):
        one(np.full((8, 8), np.nan, np.float32))


@pytest.fixture
def photo(tmp_path):
    files.write(tmp_path / "in" / "a.tif", Picture(PIXELS))
    return tmp_path / "in"


def failed(folder, out, model):
    with pytest.raises(Partial):
        denoise_folder(folder, out, str(model), device="cpu", precision="float32")
    (line,) = (out / JOURNAL).read_text().splitlines()
    assert sorted(path.name for path in out.iterdir()) == [JOURNAL]
    return json.loads(line)["reason"]


def test_weights_that_blow_up_fail_the_image_with_the_reason(photo, tmp_path):
    model = denoiser.load_model("dncnn-s-25", device="cpu")
    tensors = load_tensors(shipped.find("dncnn-s-25"))[0]
    for factor, layers, message in (
        (-40, ("16",), "expected a result within"),
        (1e25, ("15", "16"), "expected finite values"),
    ):
        changed = {
            name: tensor.float() * (factor if name.split(".")[1] in layers else 1)
            for name, tensor in tensors.items()
        }
        model.network.load_state_dict(changed)
        denoiser.save(tmp_path / "bad.safetensors", model.network, "dncnn-s-25", {})
        assert message in failed(photo, tmp_path / "out", tmp_path / "bad.safetensors")


def test_a_reader_that_leaves_pages_out_fails_the_image(tmp_path, make_weights, monkeypatch):
    files.write_pages(tmp_path / "in" / "a.tif", [Picture(PIXELS)] * 3)
    whole = files.read_pages
    monkeypatch.setattr(worker.files, "read_pages", lambda *a, **k: whole(*a, **k)[:1])
    reason = failed(tmp_path / "in", tmp_path / "out", make_weights())
    assert "expected all 3 planes of the input in the output, found 2 of 40x32 pixels" in reason


def test_headers_alone_tell_how_much_a_file_holds(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((5, 8, 9), np.uint16), imagej=True, truncate=True)
    assert extent.of(path) == {(8, 9): 5}
    tifffile.imwrite(
        path, np.zeros((9, 8, 5), np.uint16), photometric="minisblack", planarconfig="contig"
    )
    assert extent.of(path) == {(8, 9): 5}
    files.write(path, Picture(np.zeros((8, 9, 3), np.uint8), np.zeros((8, 9), np.uint8)))
    assert extent.of(path) == {(8, 9): 4}
    for suffix, channels in ((".png", 4), (".jpg", 3), (".webp", 4), (".tga", 4), (".bmp", 3)):
        alpha = np.zeros((8, 9), np.uint8) if channels == 4 else None
        files.write(tmp_path / f"a{suffix}", Picture(np.zeros((8, 9, 3), np.uint8), alpha))
        assert extent.of(tmp_path / f"a{suffix}") == {(8, 9): channels}
    (tmp_path / "a.png").write_bytes(b"no image")
    assert extent.of(tmp_path / "a.png") is None
