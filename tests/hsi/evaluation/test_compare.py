import numpy as np
import pytest
from scipy.stats import binomtest, chi2

from hsi.errors import HsiError
from hsi.evaluation.compare import compare_maps, mcnemar
from hsi.splits.split import make_split


def pair(both, first, second, neither):
    one = np.repeat([True, True, False, False], [both, first, second, neither])
    two = np.repeat([True, False, True, False], [both, first, second, neither])
    return one, two


def test_by_hand():
    # Edwards: (|59 − 31| − 1)² / (59 + 31) = 729 / 90 = 8.1
    found = mcnemar(*pair(100, 59, 31, 10))
    assert (found.both, found.first, found.second, found.neither) == (100, 59, 31, 10)
    assert found.statistic == pytest.approx(8.1)
    assert found.p_value == pytest.approx(0.0044267, rel=1e-4)
    assert found.p_value == pytest.approx(chi2.sf(8.1, 1))


@pytest.mark.parametrize(("first", "second"), [(5, 15), (0, 3), (12, 12), (24, 0)])
def test_few_disagreements_are_counted_exactly(first, second):
    expected = binomtest(first, first + second, 0.5).pvalue
    found = mcnemar(*pair(50, first, second, 5))
    assert found.p_value == pytest.approx(expected)
    assert mcnemar(*pair(50, second, first, 5)).p_value == pytest.approx(found.p_value)


def test_equal_maps_do_not_differ():
    found = mcnemar(*pair(9, 0, 0, 3))
    assert (found.statistic, found.p_value) == (0, 1)
    balanced = mcnemar(*pair(9, 20, 20, 3))
    assert (balanced.statistic, balanced.p_value) == (0, 1)


def test_only_test_pixels_count(labels):
    split = make_split(labels, "random:0.5", seed=0)
    right = np.where(labels.ground_truth > 0, labels.ground_truth, 1)
    wrong_in_training = np.where(split.train, 0, right)
    assert compare_maps(right, wrong_in_training, labels, split).first == 0
    wrong = np.where(split.test & (labels.ground_truth == 2), 7, right)
    tested = int((split.test & (labels.ground_truth == 2)).sum())
    assert compare_maps(right, wrong, labels, split).first == tested


def test_what_does_not_belong_together_is_refused(labels):
    split = make_split(labels, "random:0.5", seed=0)
    with pytest.raises(HsiError, match=r"second map: expected \(30, 27\) pixels .* found \(3, 3\)"):
        compare_maps(labels.ground_truth, np.ones((3, 3), int), labels, split)
    with pytest.raises(HsiError, match="expected the same test pixels"):
        mcnemar(np.array([], bool), np.array([], bool))
