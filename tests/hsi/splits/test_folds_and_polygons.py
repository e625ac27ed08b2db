"""Folds test every labelled pixel once; polygons are never on both sides; both keep the guard."""

from dataclasses import replace

import numpy as np
import pytest

import hsi
from hsi.errors import HsiError
from hsi.scenes.labels import make_labels
from hsi.splits.groups import groups_of
from hsi.splits.leakage import chebyshev_distance
from hsi.splits.polygons import regions


@pytest.fixture(scope="module")
def pines():
    return hsi.open_labels("IndianPines")


@pytest.fixture(scope="module")
def fields():
    """Sixty fields of 9×9 pixels, ten of each class, with paths between them."""
    rng = np.random.default_rng(0)
    classes = rng.permutation(np.repeat(np.arange(1, 7), 10)).reshape(6, 10)
    truth = np.kron(classes, np.ones((11, 11), int))
    truth[np.indices(truth.shape).min(axis=0) < 0] = 0
    truth[:, ::11] = truth[::11] = 0
    return make_labels("fields", truth)


def apart(made, guard):
    distance = chebyshev_distance(made.test)[made.train]
    return made.train.any() and distance.min() > guard and not (made.train & made.test).any()


@pytest.mark.parametrize(("folds", "side", "window"), [(5, 16, 25), (3, 10, 5), (2, 40, 1)])
def test_folds_test_every_labelled_pixel_once_and_keep_the_guard(pines, folds, side, window):
    how = f"kfold:{folds},blocks:{side}"
    times = np.zeros(pines.ground_truth.shape, int)
    block_of = {}
    for seed in range(folds):
        made = hsi.make_split(pines, how, seed=seed, window=window)
        assert (made.report["fold"], made.report["partition"]) == (seed, 0)
        assert apart(made, window // 2)
        times += made.test
        rows, columns = np.nonzero(made.test)
        for block in set(zip((rows // side).tolist(), (columns // side).tolist(), strict=True)):
            assert block_of.setdefault(block, seed) == seed
        kept = (pines.ground_truth > 0) & ~made.test
        near = chebyshev_distance(made.test) <= window // 2
        assert np.array_equal(made.train, kept & ~near)
    assert np.array_equal(times, (pines.ground_truth > 0).astype(int))


def test_folds_are_about_as_equal_in_every_class_as_bands_are_not(pines):
    shares, bands = [], []
    rows = np.indices(pines.ground_truth.shape)[0]
    for fold in range(5):
        made = hsi.make_split(pines, "kfold:5,blocks:16", seed=fold)
        shares.append(pines.count(made.test) / pines.count())
        bands.append(pines.count(rows * 5 // 145 == fold) / pines.count())
    off, of_bands = (np.abs(np.array(found) - 0.2).mean() for found in (shares, bands))
    assert off < 0.14  # 0.118 without regard to what the guard band takes
    assert off < of_bands - 0.05


def test_another_partition_follows_and_seeds_repeat(pines):
    first, again, other = (
        hsi.make_split(pines, "kfold:3,blocks:16", seed=seed, window=5) for seed in (1, 1, 4)
    )
    assert np.array_equal(first.test, again.test)
    assert (other.report["fold"], other.report["partition"]) == (1, 1)
    assert not np.array_equal(first.test, other.test)


@pytest.mark.parametrize("seed", range(3))
def test_whole_polygons_are_on_one_side(fields, seed):
    made = hsi.make_split(fields, "polygons:0.5", seed=seed, window=5)
    assert apart(made, 2)
    polygon_of = regions(fields)
    trained, tested = (set(polygon_of[side].tolist()) for side in (made.train, made.test))
    assert not trained & tested
    assert made.report["cannot_be_split"] == []
    assert set(made.report["polygons"].values()) <= set(range(2, 11))
    shares = fields.count(made.test) / fields.count()
    assert (abs(shares - 0.5) < 0.26).all()


def test_drawn_polygons_count_where_the_labels_have_them(fields):
    one_each = replace(fields, polygons=fields.ground_truth.astype(np.int32))
    assert regions(one_each) is one_each.polygons
    with pytest.raises(HsiError, match="expected a class of two polygons or more"):
        hsi.make_split(one_each, "polygons:0.5")


def test_a_class_of_one_polygon_is_named(fields, caplog):
    truth = np.where(regions(fields) == 1, 9, fields.ground_truth)
    labels = make_labels("fields", truth)
    made = hsi.make_split(labels, "polygons:0.5", window=3)
    assert made.report["cannot_be_split"] == ["9 class 9"]
    assert "class 9 class 9 cannot be split" in caplog.text


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("kfold:200,blocks:16", "at most as many folds as blocks with labels, 68"),
        ("kfold:1,blocks:16", "expected at least 2 folds of blocks of 1 to 72 pixels"),
        ("kfold:5", "such as kfold:5,blocks:16"),
        ("kfold:5,blocks:0", "expected at least 2 folds of blocks of 1 to 72 pixels"),
        ("polygons:1", "expected a share between 0 and 1, such as 0.5"),
        ("polygons:x", "expected a share between 0 and 1, such as 0.5"),
    ],
)
def test_what_cannot_be_is_told(pines, how, message):
    with pytest.raises(HsiError, match=message):
        hsi.make_split(pines, how)


def test_groups_are_blocks_or_polygons(pines):
    made = hsi.make_split(pines, "kfold:5,blocks:16", seed=2)
    found = groups_of(pines, made)
    rows, columns = np.nonzero(made.test)
    assert np.array_equal(found, rows // 16 * 10 + columns // 16)
    drawn = hsi.make_split(pines, "random:0.5")
    assert np.array_equal(groups_of(pines, drawn), regions(pines)[drawn.test])
