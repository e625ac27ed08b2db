"""A goal is met by what its bounds say; without a number, nothing is claimed."""

import pytest

from benchmarks.goals import FOLDER, GROWING, MIXED, Goal, training_rate


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (FOLDER, 6.0, "yes"),
        (FOLDER, 5.99, "no"),
        (MIXED, -3.0, "yes"),
        (MIXED, 15.1, "no"),
        (FOLDER, None, ""),
        (GROWING, 1.0, ""),
        (FOLDER, float("nan"), "no"),
        (Goal("between", least=1, most=2), 3.0, "no"),
    ],
)
def test_bounds_decide(goal: Goal, value: float | None, met: str) -> None:
    assert goal.met(value) == met


@pytest.mark.parametrize(("matrix_product", "least"), [(1000.0, 750.0), (1247.0, 900.0)])
def test_a_training_is_judged_by_the_lesser_of_both(matrix_product: float, least: float) -> None:
    goal = training_rate(matrix_product)
    assert goal.least == least
    assert f"at least {least:.0f} GFLOP/s" in goal.asked
