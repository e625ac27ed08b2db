"""Labelled pixels without data are left out of a split that is told the scene."""

from dataclasses import replace

import numpy as np
import pytest

from hsi.classifiers.model import make_classifier
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.evaluation.score import score
from hsi.maps.blocks import predict
from hsi.scenes.scene import Scene
from hsi.splits.groups import groups_of
from hsi.splits.split import load_split, make_split


@pytest.fixture(scope="module")
def gappy(scene) -> Scene:
    """The scene, of which a corner of class 1 holds no data."""
    cube = np.array(scene.cube)
    cube[:12, :6] = 0
    return replace(scene, cube=cube)


@pytest.mark.parametrize("how", ["random:0.3", "count:20", "blocks:4"])
def test_what_is_split_with_its_scene_is_trained_mapped_and_scored(
    tmp_path, gappy, labels, cpu, how, caplog
):
    without = make_split(labels, how, window=3)
    path = tmp_path / "model.safetensors"
    with pytest.raises(HsiError, match="split again with `scene`, which leaves them out"):
        train(make_classifier("svm"), gappy, labels, without, path, compute=cpu)
    made = make_split(labels, how, window=3, scene=gappy)
    assert "Stripes: 40 of 598 labelled pixels hold no data in Stripes" in caplog.text
    assert not (made.train | made.test)[:12, :6].any()
    made.save(tmp_path / "split.npz")
    split = load_split(tmp_path / "split.npz")
    train(make_classifier("svm"), gappy, labels, split, path, compute=cpu)
    assert score(predict(gappy, path, compute=cpu), labels, split).oa > 90


def test_all_pixels_with_data_split_as_without_the_scene(scene, labels):
    one, two = make_split(labels, "random:0.3"), make_split(labels, "random:0.3", scene=scene)
    assert np.array_equal(one.train, two.train)
    assert two.classes is None
    assert one.describe() == two.describe()


def test_polygons_stay_what_is_drawn_and_counted_by(gappy, labels):
    polygons = np.where(labels.ground_truth > 0, 1 + np.arange(30)[:, None] // 5, 0)
    drawn = replace(labels, polygons=polygons.astype(np.int32))
    split = make_split(drawn, "polygons:0.5", window=1, scene=gappy)
    own = split.own_labels(drawn)
    assert np.array_equal(own.polygons, np.where(own.ground_truth > 0, polygons, 0))
    assert not own.ground_truth[:12, :6].any()
    assert set(groups_of(own, split)) <= set(range(8))


def test_a_class_without_data_goes_and_the_others_keep_their_names(scene, labels):
    cube = np.array(scene.cube)
    cube[:, :9] = 0
    split = make_split(labels, "random:0.3", scene=replace(scene, cube=cube))
    own = split.own_labels(labels)
    assert own.classes.tolist() == [2, 7]
    assert own.class_names == ("class 2", "class 7")
    assert split.report["train_pixels"].keys() == {"2", "7"}


def test_a_mask_of_classes_loses_the_same_pixels(tmp_path, gappy, labels):
    side = np.where(np.arange(30)[:, None] % 2, labels.ground_truth, 0)
    np.save(tmp_path / "train.npy", side)
    np.save(tmp_path / "test.npy", labels.ground_truth - side)
    how = f"mask:{tmp_path / 'train.npy'},{tmp_path / 'test.npy'}"
    split = make_split(labels, how, scene=gappy)
    assert (split.train | split.test).sum() == 598 - 40
    with pytest.raises(HsiError, match="leave out `scene`"):
        make_split(labels, how, labels_of="mask", scene=gappy)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [(0, np.uint16, "expected pixels with data"), (np.nan, np.float32, "1 of 16 bands")],
)
def test_a_scene_without_any_data_is_named(scene, labels, value, kind, message):
    cube = np.array(scene.cube).astype(kind)
    cube[..., (slice(None) if value == 0 else 2)] = value
    with pytest.raises(HsiError, match=message):
        make_split(labels, "random:0.3", scene=replace(scene, cube=cube))


def test_bands_of_nothing_but_the_ignore_value_are_named(scene, labels):
    cube = np.array(scene.cube).astype(np.float32)
    cube[..., 2] = -9999
    with pytest.raises(HsiError, match=r"in 1 of 16 bands \(3, counted from 1\)"):
        make_split(labels, "random:0.3", scene=replace(scene, cube=cube, ignore_value=-9999))
