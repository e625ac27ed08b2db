"""A folder whose images hold noise, and none: what is chosen, and what the journal says of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.folders.folder import denoise_folder
from restore.images.files import read
from restore.networks import shipped
from tests.restore.folders.conftest import lines, run


def test_a_drawing_stays_as_it_is_and_the_journal_says_what_was_seen(
    tmp_path: Path, make_weights, monkeypatch
) -> None:
    shaken = make_weights("dncnn-b-color", 3, shaken=True)
    monkeypatch.setattr(shipped, "shipped_models", lambda: {"dncnn-b-color": shaken})
    photos = tmp_path / "photos"
    photos.mkdir()
    drawing = np.full((200, 200, 3), (200, 220, 240), np.uint8)
    drawing[60:120, 40:160] = (30, 90, 160)
    noisy = drawing + np.random.default_rng(0).normal(0, 20, drawing.shape)
    Image.fromarray(drawing).save(photos / "drawing.png")
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(photos / "noisy.png")
    run(photos, tmp_path / "clean", "auto")
    records = lines(tmp_path / "clean")
    drawn = records["drawing.png"]
    assert (drawn["model"], drawn["weights_sha256"]) == ("none", None)
    assert "nothing to remove" in drawn["why"]
    np.testing.assert_array_equal(read(tmp_path / "clean/drawing.png").pixels, drawing)
    assert records["noisy.png"]["model"] == "dncnn-b-color"
    seen = records["noisy.png"]["noise"]
    assert seen["level"] == pytest.approx(20, rel=0.2)
    assert abs(seen["between"]) < 0.2
    assert abs(seen["neighbours"]) < 0.1
    plain = make_weights("dncnn-b-color", 3)
    monkeypatch.setattr(shipped, "shipped_models", lambda: {"dncnn-b-color": plain})
    run(photos, tmp_path / "asked", "auto", noise="gaussian")
    assert lines(tmp_path / "asked")["drawing.png"]["model"] == "dncnn-b-color"


def test_noise_is_chosen_only_where_a_model_is(tmp_path: Path, make_weights) -> None:
    with pytest.raises(RestoreError, match="`noise` camera: expected auto, as `model`"):
        denoise_folder(tmp_path, tmp_path / "out", str(make_weights()), noise="camera")
    with pytest.raises(RestoreError, match="`noise` film: expected one of auto, gaussian"):
        denoise_folder(tmp_path, tmp_path / "out", noise="film")


def test_auto_picks_by_image_and_says_why(
    photos: Path, tmp_path: Path, make_weights, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    found = [make_weights(name) for name in ("dncnn-s-25", "dncnn-b", "dncnn-3")]
    found.append(make_weights("dncnn-b-color", 3))
    monkeypatch.setattr(shipped, "shipped_models", lambda: {path.stem: path for path in found})
    rng = np.random.default_rng(0)
    noisy = np.clip(128 + 25 * rng.standard_normal((160, 160, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(noisy[..., 0]).save(photos / "noisy.png")
    Image.fromarray(noisy // 4 + 90).save(photos / "slight colour.png")
    tinted = noisy // 4 + np.array([90, 60, 120], np.uint8)
    Image.fromarray(tinted).save(photos / "photo.jpg", quality=40)
    with caplog.at_level("INFO"):
        run(photos, tmp_path / "clean", "auto")
    records = lines(tmp_path / "clean")
    assert records["noisy.png"]["model"] == "dncnn-s-25"
    assert records["noisy.png"]["sigma"] == pytest.approx(25, abs=2)
    assert records["slight colour.png"]["model"] == "dncnn-b-color"
    assert records["photo.jpg"]["model"] == "dncnn-3"
    assert records["photo.jpg"]["output"] == "photo.png"
    assert "noisy.png: dncnn-s-25 (a grey image, σ about 2" in caplog.text
    assert "each channel of a colour image by itself" in caplog.text


def test_auto_without_shipped_weights_says_what_to_do(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "shipped_models", dict)
    with pytest.raises(RestoreError, match=r"no weights are shipped .* name a file with `model`"):
        run(photos, tmp_path / "clean", "auto")
