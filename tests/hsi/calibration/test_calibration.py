import numpy as np
import pytest
from scipy.special import softmax

from hsi.calibration.conformal import (
    PERCENT,
    check_coverage,
    class_sets,
    least_for,
    least_probabilities,
)
from hsi.calibration.reliability import calibration_error, coverage_curve
from hsi.calibration.temperature import FLOOR, fit_temperature, tempered
from hsi.errors import HsiError


def drawn(count, temperature, seed=0):
    """Classes drawn from the probabilities, which are stated too certain by a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 6))
    shares = softmax(logits, axis=1)
    targets = (shares.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return softmax(logits * temperature, axis=1).astype(np.float32), targets


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_is_found_again(temperature):
    stated, targets = drawn(20_000, temperature)
    found = fit_temperature(stated, targets)
    assert found == pytest.approx(temperature, rel=0.04)
    mended = tempered(stated, found)
    assert mended.dtype == np.float32
    assert np.allclose(mended.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(mended.argmax(axis=1), stated.argmax(axis=1))
    right = stated.argmax(axis=1) == targets
    assert calibration_error(mended.max(axis=1), right) < 2
    if temperature != 1:
        assert calibration_error(stated.max(axis=1), right) > 8


def test_temperature_is_the_most_likely():
    stated, targets = drawn(500, 2.0)

    def loss(temperature):
        return -np.log(tempered(stated.astype(float), temperature)[np.arange(500), targets]).mean()

    found = fit_temperature(stated, targets)
    assert loss(found) <= min(loss(found * factor) for factor in (0.98, 1.02)) + 1e-9


def test_probabilities_of_zero_and_pixels_without_data():
    shares = np.array([[1, 0, 0], [0, 0, 0], [0.5, 0.5, 0]], np.float32)
    warm = tempered(shares, 2.0)
    assert not warm[1].any()
    assert warm[0, 1] == pytest.approx(np.sqrt(FLOOR), rel=0.01)
    assert tempered(shares, 1.0) is shares
    assert fit_temperature(shares[[0, 0]], np.array([0, 1])) < 20.1  # finite, though p is 0
    with pytest.raises(HsiError, match="expected held-out pixels to learn the temperature"):
        fit_temperature(shares[:0], np.empty(0, int))


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.99])
def test_sets_hold_the_true_class_as_often_as_stated(coverage):
    covered = []
    for seed in range(40):
        shares, targets = drawn(1500, 2.0, seed)
        held_out, tested = slice(0, 500), slice(500, None)
        true = shares[held_out][np.arange(500), targets[held_out]]
        sets = class_sets(shares[tested], least_for(least_probabilities(true), coverage))
        covered.append(sets[np.arange(1000), targets[tested]].mean())
    # The most probable class is always there, which is more than half of the time enough.
    assert np.mean(covered) > coverage - 3 * np.std(covered) / np.sqrt(40)
    if coverage > 0.7:
        assert np.mean(covered) < coverage + 1 / 501 + 3 * np.std(covered) / np.sqrt(40)


def test_least_probability_is_the_exact_order_statistic():
    true = np.random.default_rng(0).permutation(np.arange(1, 100) / 100)  # 0.01 to 0.99, once each
    kept = least_probabilities(true)
    assert least_for(kept, 0.9) == np.float32(0.10)  # the 90th of 99 from above
    assert least_for(least_probabilities(true[:20]), 0.99) == 0  # too few: all classes
    assert len(kept) == len(PERCENT)
    shares = np.array([[0.7, 0.2, 0.1], [0.04, 0.03, 0.03], [0, 0, 0]], np.float32)
    assert class_sets(shares, least_for(kept, 0.9)).tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert class_sets(shares, np.float32(0)).tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("coverage", [1.0, 0.49, 0.905, float("nan"), float("inf"), -0.9])
def test_coverage_out_of_range_is_refused(coverage):
    with pytest.raises(HsiError, match=r"expected a coverage from 0.5 to 0.99 in steps of 0\.01"):
        check_coverage(coverage)


def test_calibration_error_by_hand():
    confidence = np.array([0.95, 0.95, 0.55, 0.55, 1.0, 0.0])
    right = np.array([True, False, True, True, True, False])
    # Two at 0.95, and 1.0 with them in the last bin: accuracy 2/3 against 2.9/3.
    expected = 100 * (abs(2 - 2.9) + abs(2 - 1.1) + 0) / 6
    assert calibration_error(confidence, right) == pytest.approx(expected)


def test_accuracy_against_coverage():
    confidence = np.repeat([0.9, 0.6, 0.3], [50, 30, 20])
    right = np.repeat([True, False, True], [50, 30, 20])
    curve = coverage_curve(confidence, right)
    assert curve["coverage"].tolist() == [50, 80, 100]  # pixels of one probability together
    assert curve["least_probability"].tolist() == [0.9, 0.6, 0.3]
    assert curve["accuracy"].tolist() == [100, 62.5, 70]
    fine = coverage_curve(np.linspace(1, 0, 1000), np.arange(1000) < 500)
    assert fine["coverage"].tolist() == list(range(1, 101))
    assert fine["accuracy"].iloc[[49, 99]].tolist() == [100, 50]
