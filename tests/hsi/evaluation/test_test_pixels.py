"""What is scored are class numbers, on pixels that the classifier has not learned from."""

import dataclasses

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.evaluation.test_pixels import check_unseen, classes_on_test_pixels
from hsi.splits.split import load_split, make_split


@pytest.fixture(scope="module")
def split(labels):
    return make_split(labels, "random:0.1", seed=0, window=9)


def test_whole_numbers_of_any_type_are_taken(labels, split):
    truth = labels.ground_truth
    for dtype in (np.uint8, np.int32, np.float64):
        found = classes_on_test_pixels("map", truth.astype(dtype), labels, split)
        assert found.dtype == truth.dtype
        assert np.array_equal(found, truth[split.test])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.93, "map: expected class numbers, found 0.93; give a map of classes"),
        (np.nan, "map: expected class numbers, found nan"),
        (0, "map: expected a class on every test pixel, found 0, which stands for no data"),
        (5, "map: expected class numbers of the labels (1 to 7) on every test pixel, found 5"),
    ],
)
def test_other_numbers_on_test_pixels_are_refused(labels, split, value, message):
    numbers = labels.ground_truth.astype(float)
    numbers[tuple(np.argwhere(split.test)[3])] = value
    with pytest.raises(HsiError) as error:
        classes_on_test_pixels("map", numbers, labels, split)
    assert str(error.value).startswith(message)


def test_another_split_of_the_same_labels_is_refused(labels, split, tmp_path, caplog):
    split.save(tmp_path / "split.npz")
    own = load_split(tmp_path / "split.npz").describe()
    check_unseen("map", own, labels, split)
    check_unseen("map", own, labels, dataclasses.replace(split, how="as tables call it"))
    wider = make_split(labels, "random:0.1", seed=0, window=25)  # the same pixels
    check_unseen("map", own, labels, wider)
    check_unseen("map", None, labels, split)
    for how, seed in (("random:0.1", 1), ("random:0.5", 0), ("blocks:5", 0)):
        other = make_split(labels, how, seed=seed, window=9)
        with pytest.raises(HsiError, match=rf"map: .*\(random:0.1, seed 0\) than those of {how}"):
            check_unseen("map", own, labels, other)
    assert not caplog.records
    check_unseen("first map", {**own, "labels_checksum": "of others"}, labels, split)
    assert "first map: its classifier learned from other labels than Stripes" in caplog.text
