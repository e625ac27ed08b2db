import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.labels import make_labels, open_labels
from hsi.splits.leakage import LEAKAGE, chebyshev_distance, leakage_report
from hsi.splits.split import load_split, make_split


@pytest.fixture(scope="module")
def pines():
    return open_labels("IndianPines")


@pytest.fixture(scope="module")
def blocks(pines):
    return make_split(pines, "blocks:16", seed=0)


def test_random_draws_the_share_of_every_class(pines):
    split = make_split(pines, "random:0.1", seed=0)
    assert not (split.train & split.test).any()
    assert (split.train | split.test).sum() == 10_249
    for index, total in enumerate(np.bincount(pines.ground_truth.ravel())[1:]):
        trained = int((split.train & (pines.indices == index)).sum())
        assert trained == round(0.1 * total)


def test_seeds_differ_and_repeat(pines):
    first, again, other = (make_split(pines, "random:0.1", seed=s) for s in (0, 0, 1))
    assert np.array_equal(first.train, again.train)
    assert not np.array_equal(first.train, other.train)


def test_random_keeps_one_pixel_a_class_on_each_side():
    labels = make_labels("x", np.array([[1, 1, 2, 2, 3, 0]]))
    split = make_split(labels, "random:0.01")
    assert split.report["train_pixels"] == {"1": 1, "2": 1, "3": 1}
    assert split.report["test_pixels"] == {"1": 1, "2": 1, "3": 0}
    assert split.report["absent_from_test"] == ["3 class 3"]
    generous = make_split(labels, "random:0.99")
    assert generous.report["test_pixels"]["1"] == 1


def test_count_draws_as_many_of_every_class(pines, caplog):
    split = make_split(pines, "count:50", seed=0)
    for number, total in zip(
        pines.classes, np.bincount(pines.ground_truth.ravel())[1:], strict=True
    ):
        trained = split.report["train_pixels"][str(number)]
        assert trained == min(50, total // 2)
        assert split.report["test_pixels"][str(number)] == total - trained
    assert split.report["fewer_than_asked"] == {"1": 23, "7": 14, "9": 10, "16": 46}
    assert "half is trained on: class 1: 23, class 7: 14, class 9: 10, class 16: 46" in caplog.text
    assert np.array_equal(split.train, make_split(pines, "count:50", seed=0).train)
    assert not np.array_equal(split.train, make_split(pines, "count:50", seed=1).train)


@pytest.mark.parametrize("how", ["random:0.1", "count:5"])
def test_class_of_one_pixel_has_a_line(how, caplog):
    truth = np.repeat([1, 2, 3], [40, 40, 1]).reshape(1, -1)
    split = make_split(make_labels("x", truth), how)
    line = "class 3 class 3 cannot be split: of 1 labelled pixels 1 to train on, 0 to test"
    assert line in caplog.text
    assert split.report["absent_from_test"] == ["3 class 3"]


def test_blocks_leave_no_training_pixel_within_half_a_window(blocks):
    distance = chebyshev_distance(blocks.train)[blocks.test]
    assert distance.min() == 13
    assert blocks.report["test_in_training_window"] == 0


def test_blocks_leave_enough_to_learn_from(pines, blocks):
    assert blocks.train.sum() > 2500
    assert blocks.test.sum() > 2500
    both = [
        c
        for c in pines.classes
        if blocks.report["train_pixels"][str(c)] and blocks.report["test_pixels"][str(c)]
    ]
    assert len(both) >= 11


def test_blocks_test_no_class_that_was_not_learnt(pines, blocks):
    assert set(pines.ground_truth[blocks.test]) <= set(pines.ground_truth[blocks.train])
    absent = {name.partition(" ")[0] for name in blocks.report["absent_from_test"]}
    assert absent == {c for c, n in blocks.report["test_pixels"].items() if n == 0}


def test_blocks_are_whole_up_to_the_guard_band(pines, blocks):
    rows, columns = np.indices((145, 145)) // 16
    block = rows * 100 + columns
    assert not set(block[blocks.train]) & set(block[blocks.test])


def test_blocks_repeat_by_seed(labels):
    first, again = (make_split(labels, "blocks:3", seed=0, window=3) for _ in range(2))
    assert np.array_equal(first.train, again.train)
    assert np.array_equal(first.test, again.test)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("random", "expected random:0.3, count:50, blocks:16, polygons:0.5, kfold:5"),
        ("third:5", "expected random:0.3, count:50, blocks:16, polygons:0.5, kfold:5"),
        ("count:0", "count:0: expected a number of pixels per class"),
        ("count:2.5", "count:2.5: expected a number of pixels per class"),
        ("mask:", "mask:: expected a file"),
        ("random:1.5", "expected a share between 0 and 1"),
        ("random:x", "expected a share between 0 and 1"),
        ("blocks:0", "expected a whole number of pixels, 1 to 15"),
        ("blocks:2.5", "expected a whole number of pixels"),
        ("mask:none.npz", "none.npz: no such file"),
    ],
)
def test_a_wrong_how_is_one_clear_line(labels, how, message):
    with pytest.raises(HsiError, match=message):
        make_split(labels, how)


def test_even_window_is_refused(labels):
    with pytest.raises(HsiError, match="`window` 24: expected an odd number"):
        make_split(labels, "random:0.1", window=24)


def test_split_file_round_trip(tmp_path, labels, pines):
    split = make_split(labels, "random:0.2", seed=3)
    split.save(tmp_path / "s.npz")
    again = load_split(tmp_path / "s.npz")
    assert np.array_equal(again.train, split.train)
    assert again.describe() == split.describe()
    again.check_fits(labels)
    with pytest.raises(HsiError, match="found it made from others"):
        again.check_fits(pines)


def test_a_file_that_is_no_split_is_refused(tmp_path):
    np.savez(tmp_path / "s.npz", train=np.ones(3))
    with pytest.raises(HsiError, match="expected a file of hsi split"):
        load_split(tmp_path / "s.npz")


def test_leakage_counts_by_window():
    train, test = np.zeros((2, 9, 20), bool)
    train[4, 0] = True
    test[4, [2, 3, 12]] = True
    report = leakage_report(train, test, 5)
    assert report["test_in_training_window"] == pytest.approx(100 / 3, abs=1e-4)
    assert report["nearest_train_min"] == 2
    assert report["nearest_train_median"] == 3
    assert report["nearest_train_max"] == 12
    assert leakage_report(train & test, test, 5)["nearest_train_min"] is None
    assert set(leakage_report(train & test, test, 5)) == set(report) == set(LEAKAGE)


def test_leakage_equals_windows_cut_by_hand():
    rng = np.random.default_rng(2)
    train = rng.random((14, 11)) < 0.02
    test = (rng.random((14, 11)) < 0.5) & ~train
    inside, holds = 0, 0
    for row, column in np.argwhere(test):
        around = np.s_[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        holds += train[around].any()
        inside += any(abs(r - row) <= 2 and abs(c - column) <= 2 for r, c in np.argwhere(train))
    report = leakage_report(train, test, 5)
    assert 0 < holds < test.sum()
    assert report["test_window_holds_training"] == pytest.approx(100 * holds / test.sum(), abs=1e-4)
    assert report["test_in_training_window"] == pytest.approx(100 * inside / test.sum(), abs=1e-4)


@pytest.mark.parametrize("seed", [None, "0", 1.5, -1])
def test_a_seed_that_is_none_is_named(pines, seed):
    with pytest.raises(HsiError, match=r"`seed` .*: expected 0 or more, a whole number"):
        make_split(pines, "random:0.1", seed=seed)
