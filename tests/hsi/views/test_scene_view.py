"""The view of a scene: what is thinned, kept in steps, averaged and named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.page.scene_view import load_view
from hsi.errors import HsiError
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.views import scene_view
from hsi.views.scene_view import make_view, open_map


def field(shape: tuple[int, int] = (30, 22), bands: int = 8, **stated: Any) -> tuple[Scene, Labels]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, shape).astype(np.int16)
    truth[truth == 2] = 7  # numbers with a gap
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    cube = rng.normal(500, 200, (*shape, bands)).astype(np.float32)
    cube[3, 4] = 0  # no data
    labels = Labels("field", truth, ("corn", "oats", "wood"), colours)
    return Scene("field", cube, **stated), labels


def restored(view: Any) -> Any:
    """The stored spectra as values; NaN without data."""
    levels = view.spectra.astype(float)
    values = view.low + (levels - 1) / 254 * (view.high - view.low)
    return np.where(levels == 0, np.nan, values)


def test_spectra_are_kept_to_half_a_step() -> None:
    scene, labels = field()
    view = make_view(scene, labels)
    found = restored(view)
    assert np.isnan(found[3, 4]).all()
    assert np.isnan(found).sum() == 8
    known = ~np.isnan(found)
    step = (view.high - view.low) / 254
    assert (abs(found - scene.cube) <= step / 2 + 1e-3)[known].all()


def test_means_are_of_all_labelled_pixels_with_data(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, labels = field()
    monkeypatch.setattr(scene_view, "MOST_VALUES", 500)
    view = make_view(scene, labels)
    assert view.spectra_step > 1
    assert view.classes == [1, 3, 7]
    assert view.class_names == ["corn", "oats", "wood"]
    data = np.ones(scene.shape, bool)
    data[3, 4] = False
    for place, number in enumerate(view.classes):
        own = np.asarray(scene.cube)[(labels.ground_truth == number) & data]
        assert view.mean_pixels[place] == len(own)
        assert view.means[place] == pytest.approx(own.mean(axis=0), rel=1e-5)


def test_bad_bands_and_missing_values_are_left_out() -> None:
    bad = np.zeros(8, bool)
    bad[2] = True
    scene, labels = field(bad_bands=bad, wavelengths=np.linspace(400.0, 1100.0, 8))
    cube = np.array(scene.cube)
    cube[:, :, 2] = np.nan
    cube[5, 5, 6] = np.inf
    view = make_view(Scene("field", cube, scene.wavelengths, bad), labels)
    assert view.bands == [0, 1, 3, 4, 5, 6, 7]
    assert view.wavelengths is not None
    assert len(view.wavelengths) == 7
    assert (view.spectra[5, 5] == 0).all()
    assert np.isfinite(view.means).all()
    assert np.isfinite(view.high).all()


def test_large_scenes_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_view, "LARGEST", 10)
    monkeypatch.setattr(scene_view, "MOST_VALUES", 400)
    scene, labels = field()
    view = make_view(scene, labels)
    assert (view.step, view.truth.shape) == (3, (10, 8))
    assert (view.truth == labels.ground_truth[::3, ::3]).all()
    step = view.spectra_step
    assert view.spectra.size <= 400
    whole = np.asarray(scene.cube)[::step, ::step]
    error = abs(restored(view) - whole)
    assert np.nanmax(error / (view.high - view.low)) <= 0.5 / 254 + 1e-4


def test_maps_bring_classes_probabilities_and_a_name(tmp_path: Path) -> None:
    scene, _ = field()
    numbers = np.random.default_rng(1).integers(0, 3, scene.shape).astype(np.uint8)
    np.save(tmp_path / "map.npy", numbers)
    np.save(tmp_path / "map_confidence.npy", np.full(scene.shape, 0.5, np.float32))
    record = {"model_sha256": "a", "classifier": "svm", "split": "blocks:8"}
    record |= {"class_names": {"1": "corn"}, "layers": ["confidence"]}
    (tmp_path / "map.json").write_text(json.dumps(record))
    view = make_view(scene, None, [tmp_path])
    assert view.class_names == ["corn", "class 2"]
    assert view.truth.size == 0
    assert view.maps[0].name == "svm, blocks:8"
    assert view.maps[0].confidence is not None
    own = np.asarray(scene.cube)[(numbers == 1) & (np.asarray(scene.cube) != 0).any(axis=2)]
    assert view.mean_pixels[0] == len(own)
    assert view.means[0] == pytest.approx(own.mean(axis=0), rel=1e-5)
    view.save(tmp_path / "view.npz")
    assert load_view(tmp_path / "view.npz").maps[0].name == "svm, blocks:8"


def test_a_probability_that_is_not_the_maps_is_not_shown(tmp_path: Path) -> None:
    scene, _ = field()
    np.save(tmp_path / "map.npy", np.ones(scene.shape, np.uint8))
    np.save(tmp_path / "map_confidence.npy", np.full(scene.shape, 0.5, np.float32))
    record = {"model_sha256": "a", "majority": 3, "layers": ["confidence"]}
    (tmp_path / "map.json").write_text(json.dumps(record))
    assert make_view(scene, None, [tmp_path / "map.npy"]).maps[0].confidence is None


@pytest.mark.parametrize("record", [None, {}, {"layers": []}, {"layers": None}])
def test_a_probability_that_no_record_names_is_not_shown(tmp_path: Path, record, caplog) -> None:
    scene, _ = field()
    np.save(tmp_path / "map.npy", np.ones(scene.shape, np.uint8))
    np.save(tmp_path / "map_confidence.npy", np.full(scene.shape, 0.5, np.float32))
    if record is not None:
        (tmp_path / "map.json").write_text(json.dumps({"model_sha256": "a"} | record))
    assert make_view(scene, None, [tmp_path / "map.npy"]).maps[0].confidence is None
    assert "map_confidence.npy: not used: the record of map.npy" in caplog.text


def test_a_scene_alone_has_a_view() -> None:
    view = make_view(field()[0])
    assert view.classes == []
    assert view.means.shape == (0, 8)


def test_other_maps_and_labels_are_refused(tmp_path: Path) -> None:
    scene, _ = field()
    np.save(tmp_path / "small.npy", np.ones((3, 3), np.uint8))
    with pytest.raises(HsiError, match=r"small.npy: expected 30 × 22 pixels .* found 3 × 3"):
        open_map(tmp_path / "small.npy", scene)
    (tmp_path / "empty").mkdir()
    with pytest.raises(HsiError, match=r"empty: expected a map of hsi classify"):
        open_map(tmp_path / "empty", scene)
    with pytest.raises(HsiError, match="expected 30 × 22 pixels"):
        make_view(scene, field((8, 9))[1])
