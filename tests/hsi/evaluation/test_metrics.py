import numpy as np
import pytest
from sklearn import metrics as reference

from hsi.errors import HsiError
from hsi.evaluation.metrics import scores_of


@pytest.fixture
def cases():
    rng = np.random.default_rng(0)
    classes = np.array([1, 2, 5, 9])
    truth = rng.choice(classes, 500, p=[0.5, 0.3, 0.15, 0.05])
    predicted = np.where(rng.random(500) < 0.7, truth, rng.choice(classes, 500))
    return truth, predicted, classes


def test_equals_scikit_learn(cases):
    truth, predicted, classes = cases
    scores = scores_of(truth, predicted, classes)
    precision, recall, f1, support = reference.precision_recall_fscore_support(truth, predicted)
    assert scores.oa == pytest.approx(100 * reference.accuracy_score(truth, predicted))
    assert scores.aa == pytest.approx(100 * reference.balanced_accuracy_score(truth, predicted))
    assert scores.kappa == pytest.approx(100 * reference.cohen_kappa_score(truth, predicted))
    assert scores.recall == pytest.approx(100 * recall)
    assert scores.precision == pytest.approx(100 * precision)
    assert scores.f1 == pytest.approx(100 * f1)
    assert np.array_equal(scores.support, support)
    assert np.array_equal(scores.confusion, reference.confusion_matrix(truth, predicted))


def test_rows_are_true_and_columns_predicted():
    scores = scores_of(np.array([1, 1, 2]), np.array([1, 2, 2]), np.array([1, 2]))
    assert scores.confusion.tolist() == [[1, 1], [0, 1]]


def test_absent_class_is_absent_not_zero_or_one():
    scores = scores_of(np.array([1, 1, 2]), np.array([1, 3, 2]), np.array([1, 2, 3, 4]))
    assert np.isnan(scores.recall[2:]).all()
    assert np.isnan(scores.precision[2:]).all()
    assert np.isnan(scores.f1[2:]).all()
    assert scores.aa == pytest.approx(75)


def test_class_never_predicted_has_zero_precision():
    scores = scores_of(np.array([1, 1, 2]), np.array([1, 1, 1]), np.array([1, 2]))
    assert scores.precision[1] == 0
    assert scores.f1[1] == 0


def test_kappa_of_a_single_class_is_undefined():
    scores = scores_of(np.array([1, 1]), np.array([1, 1]), np.array([1, 2]))
    assert np.isnan(scores.kappa)


def test_unknown_numbers_and_no_pixels_are_refused():
    classes = np.array([1, 2])
    with pytest.raises(HsiError, match="found 0"):
        scores_of(np.array([1]), np.array([0]), classes)
    with pytest.raises(HsiError, match="at least one test pixel"):
        scores_of(np.array([], int), np.array([], int), classes)
