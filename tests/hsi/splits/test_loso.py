"""Several scenes as one, and splits that test one of them."""

import logging

import numpy as np
import pytest

import hsi
from hsi.errors import HsiError
from hsi.scenes.combined.append import APART, append, append_labels
from hsi.scenes.labels import make_labels, write_labels
from hsi.scenes.scene import Scene, open_scene, write_scene

RNG = np.random.default_rng(0)
WAVELENGTHS = np.array([500.0, 600.0, 700.0, 800.0])


def scene(name, rows, columns, **stated):
    cube = RNG.integers(1, 900, (rows, columns, 4)).astype(np.int16)
    return Scene(name, cube, **({"wavelengths": WAVELENGTHS} | stated))


@pytest.fixture
def three():
    return [scene("north", 12, 20), scene("east", 9, 14), scene("south", 15, 18)]


@pytest.fixture
def truths(three):
    found = []
    for index, one in enumerate(three):
        truth = np.zeros(one.shape, np.int64)
        truth[2:6, 2:8], truth[6:9, 5:12] = 1, 2
        if index == 1:
            truth[0, :4] = 3
        found.append(make_labels(one.name, truth, ["", "wood", "field", "water"]))
    return found


def test_scenes_lie_apart_and_unchanged(three, tmp_path):
    made, places = append(three)
    assert made.shape == (12 + 9 + 15 + 2 * APART, 20)
    starts = [0, 12 + APART, 12 + 9 + 2 * APART]
    for number, (one, start) in enumerate(zip(three, starts, strict=True), 1):
        inside = (slice(start, start + one.shape[0]), slice(0, one.shape[1]))
        assert np.array_equal(made.cube[inside], one.cube)
        assert (places[inside] == number).all()
    assert np.array_equal(made.no_data(slice(0, None)), places == 0)
    assert np.array_equal(made.mask[5:70, 3:19], (places > 0)[5:70, 3:19])
    write_scene(tmp_path / "all.hdr", made)
    again = open_scene(tmp_path / "all.hdr")
    assert np.array_equal(again.cube[:], made.cube[:])
    assert np.array_equal(again.no_data(slice(0, None)), places == 0)
    # Any part that is read is a part of the whole.
    whole = made.cube[:]
    for rows, columns, bands in (
        (slice(10, 70), slice(3, 19), 2),
        (slice(60, 63), 15, slice(1, 3)),
    ):
        assert np.array_equal(made.cube[rows, columns, bands], whole[rows, columns, bands])


def test_no_data_of_each_scene_stays(three):
    holes = [scene("a", 4, 5, ignore_value=7.0), scene("b", 4, 5, ignore_value=9.0)]
    holes[0].cube[1, 2], holes[1].cube[3, 4] = 7, 9
    holes[0].cube[0, 0] = 9
    made, places = append(holes)
    empty = made.no_data(slice(0, None))
    assert np.argwhere(empty & (places > 0)).tolist() == [[1, 2], [4 + APART + 3, 4]]
    masked = scene("c", 4, 5, mask=np.eye(4, 5) == 0)
    made, places = append([masked, three[0]])
    assert np.array_equal(made.no_data(slice(0, 4))[:, :5], np.eye(4, 5) == 1)


def test_classes_of_one_name_are_one(three, truths, caplog):
    _, places = append(three)
    made = append_labels(truths, three, places)
    assert made.class_names == ("wood", "field", "water")
    assert made.count().tolist() == [72, 63, 4]
    assert "class 3 water: in 1 of 3 scenes" in caplog.text
    swapped = make_labels("east", truths[1].ground_truth, ["", "field", "wood", "water"])
    made = append_labels([truths[0], swapped, truths[2]], three, places)
    assert made.class_names == ("wood", "field", "water")
    counts = truths[0].count()[:2] + truths[2].count() + truths[1].count()[[1, 0]]
    assert made.count().tolist() == [*counts.tolist(), 4]
    assert "numbered anew: 1 wood, 2 field, 3 water" in caplog.text


def test_each_scene_is_tested_once(three, truths, tmp_path):
    _, places = append(three)
    labels = append_labels(truths, three, places)
    file = tmp_path / "all-scenes.hdr"
    write_labels(file, make_labels("scenes", places))
    tested = np.zeros(places.shape, int)
    for seed in range(3):
        made = hsi.make_split(labels, f"loso:{file}", seed=seed, window=25)
        assert made.how == "loso:all-scenes"
        assert set(places[made.test]) == {seed + 1}
        assert set(places[made.train]) == {1, 2, 3} - {seed + 1}
        assert (made.train | made.test).sum() == (labels.ground_truth > 0).sum()
        assert made.report["scene"] == seed + 1
        assert made.report["dropped"] == 0
        assert made.report["test_in_training_window"] == 0
        tested += made.test
    assert np.array_equal(tested == 1, labels.ground_truth > 0)


def test_parts_that_touch_keep_the_guard(tmp_path):
    truth = RNG.integers(1, 3, (20, 30))
    np.save(tmp_path / "fields.npy", np.where(np.arange(30) < 14, 4, 9) * np.ones((20, 1), int))
    made = hsi.make_split(make_labels("two", truth), f"loso:{tmp_path}/fields.npy", window=5)
    assert made.report["scene"] == 4
    assert np.flatnonzero(made.train.any(axis=0)).min() == 16
    assert made.report["dropped"] == 2 * 20


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (scene("b", 4, 5, wavelengths=WAVELENGTHS + 60), "expected band 1 near 500 nm as a has it"),
        (Scene("b", np.ones((4, 5, 3))), "expected 4 bands as a has, found 3"),
        (scene("b", 4, 5, scale=np.full(4, 0.1)), "b: expected the scale of a, found another"),
    ],
)
def test_other_sensors_are_refused(other, message):
    with pytest.raises(HsiError, match=message):
        append([scene("a", 4, 5), other])


def test_small_shifts_are_said(caplog):
    caplog.set_level(logging.INFO)
    append([scene("a", 4, 5), scene("b", 4, 5, wavelengths=WAVELENGTHS + 2)])
    assert "b: its bands are up to 2 nm beside those of a" in caplog.text


def test_what_cannot_be_is_told(three, truths, tmp_path):
    with pytest.raises(HsiError, match="expected several scenes, found 1"):
        append(three[:1])
    _, places = append(three)
    with pytest.raises(HsiError, match="`labels`: expected 3, one for each scene, found 2"):
        append_labels(truths[:2], three, places)
    labels = append_labels(truths, three, places)
    np.save(tmp_path / "scenes.npy", places)
    np.save(tmp_path / "one.npy", np.minimum(places, 1))
    np.save(tmp_path / "small.npy", places[:5])
    for how, seed, message in (
        ("loso:", 0, "expected a file of scene numbers"),
        (f"loso:{tmp_path}/none.npy", 0, "none.npy"),
        (f"loso:{tmp_path}/small.npy", 0, "pixels as in the labels"),
        (f"loso:{tmp_path}/one.npy", 0, "expected labels in two scenes or more, found them in 1"),
        (f"loso:{tmp_path}/scenes.npy", 3, "`seed` 3: expected 0 to 2, one for each scene"),
    ):
        with pytest.raises(HsiError, match=message):
            hsi.make_split(labels, how, seed=seed)
