import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.labels import make_labels


def test_gaps_keep_their_numbers():
    labels = make_labels("x", np.array([[0, 1], [10, 14]]))
    assert labels.classes.tolist() == [1, 10, 14]
    assert labels.indices.tolist() == [[-1, 0], [1, 2]]
    assert labels.class_names == ("class 1", "class 10", "class 14")
    assert len(labels.colours) == 3


def test_known_scenes_bring_their_names():
    truth = np.arange(17).reshape(1, -1)
    assert make_labels("Indian_pines_gt", truth).class_names[1] == "Corn-notill"
    part = np.array([[0, 1, 10, 14]])  # SalinasA is a part of Salinas
    assert make_labels("SalinasA_gt", part).class_names[1] == "Corn_senesced_green_weeds"
    assert make_labels("PaviaU_gt", truth[:, :10]).class_names[0] == "Asphalt"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[0.0, 1.5]]), "expected whole numbers, found 1.5"),
        (np.array([[0.0, np.inf]]), "expected whole numbers, found inf"),
        (np.array([[0, -1, 2]]), "expected 0 or more, found -1"),
        (np.zeros((2, 2), int), "expected at least two classes, found none"),
        (np.ones((2, 2), int), "expected at least two classes, found class 1 alone"),
        (np.ones((2, 2, 2), int), r"expected \(rows, columns\), found shape"),
    ],
)
def test_what_is_no_ground_truth_is_refused(array, message):
    with pytest.raises(HsiError, match=message):
        make_labels("x", array)


def test_names_that_come_twice_get_their_numbers():
    array = np.array([[1, 2], [3, 0]])
    found = make_labels("a", array, ["none", "field", "field", "wood"])
    assert found.class_names == ("field (1)", "field (2)", "wood")


def test_nan_is_unlabelled():
    found = make_labels("a", np.array([[1.0, np.nan], [2.0, 0.0]]))
    assert found.ground_truth.tolist() == [[1, 0], [2, 0]]


def test_numbers_that_are_no_classes_are_refused():
    array = np.ones((4, 4), np.int64)
    array[0] = 2
    array[1] = 2**31 - 1
    with pytest.raises(HsiError, match="up to 1048576, found 2147483647; use 0 for unlabelled"):
        make_labels("a", array)
    array[1] = 70_000
    assert make_labels("a", array).class_names == ("class 1", "class 2", "class 70000")


def test_whole_floats_are_labels():
    assert make_labels("x", np.array([[0.0, 1.0, 2.0]])).ground_truth.dtype == np.int16


def test_size_is_compared_with_the_scene(scene):
    labels = make_labels("x", np.array([[1, 2]]))
    with pytest.raises(HsiError, match=r"expected 30 × 27 pixels .* found 1 × 2"):
        labels.check_fits(scene)
