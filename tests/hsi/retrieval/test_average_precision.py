"""Mean average precision is that of a plain sum, ties included, and of scikit-learn."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from hsi.retrieval.average_precision import (
    average_precision,
    chance,
    mean_average_precision,
)


@pytest.mark.parametrize("levels", [3, 20, 10**6])
def test_it_is_that_of_scikit_learn(levels: int) -> None:
    rng = np.random.default_rng(levels)
    scores = rng.integers(levels, size=(12, 57)).astype(np.float32)  # few levels: many ties
    relevant = rng.random(scores.shape) < 0.3
    relevant[0], relevant[1, 5:] = True, False
    relevant[1, 0] = True
    expected = [average_precision_score(r, s) for r, s in zip(relevant, scores, strict=True)]
    np.testing.assert_allclose(average_precision(scores, relevant), expected, rtol=1e-12)


def test_it_is_the_plain_sum_over_places() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(8, 40))
    relevant = rng.random(scores.shape) < 0.4
    for values, right, found in zip(
        scores, relevant, average_precision(scores, relevant), strict=True
    ):
        hits, total = 0, 0.0
        for place, answer in enumerate(np.argsort(-values), 1):
            if right[answer]:
                hits += 1
                total += hits / place
        assert found == pytest.approx(total / hits, rel=1e-12)


def test_answers_left_out_do_not_count() -> None:
    rng = np.random.default_rng(2)
    scores, relevant = rng.normal(size=(5, 30)), rng.random((5, 30)) < 0.5
    left = rng.random(30) < 0.3
    expected = average_precision(scores[:, ~left], relevant[:, ~left])
    scores[:, left] = -np.inf
    np.testing.assert_array_equal(average_precision(scores, relevant), expected)
    assert np.isnan(average_precision(scores, np.zeros_like(relevant))).all()


def test_near_answers_are_left_out_and_queries_are_chosen() -> None:
    rng = np.random.default_rng(3)
    classes, positions = rng.integers(3, size=60), rng.integers(12, size=(60, 2))
    similar = rng.normal(size=(60, 60))
    found = mean_average_precision(lambda part: similar[part], classes, positions, half=2)
    right = classes[:, None] == classes
    assert found.everywhere == pytest.approx(100 * average_precision(similar, right).mean())
    near = np.array([[max(abs(a - b)) <= 2 for b in positions] for a in positions])
    apart = [
        average_precision_score(right[q, ~near[q]], similar[q, ~near[q]])
        for q in range(60)
        if right[q, ~near[q]].any()
    ]
    assert found.apart == pytest.approx(100 * np.mean(apart))
    some = np.array([3, 7, 50])
    few = mean_average_precision(lambda part: similar[part], classes, positions, queries=some)
    expected = average_precision(similar[some], right[some]).mean()
    assert few.everywhere == pytest.approx(100 * expected)
    assert np.isnan(few.apart)


@pytest.mark.parametrize(("relevant", "answers"), [(1, 6), (2, 5), (3, 6), (4, 4)])
def test_chance_is_the_mean_over_all_orders(relevant: int, answers: int) -> None:
    orders = np.array(list(permutations(range(answers))), float)
    right = np.zeros(orders.shape, bool)
    right[:, :relevant] = True
    assert chance(relevant, answers) == pytest.approx(average_precision(orders, right).mean())
