"""Areas and accuracies are those of the published examples; intervals hold what they promise."""

from fractions import Fraction
from math import sqrt

import numpy as np
import pandas as pd
import pytest

from hsi.errors import HsiError
from hsi.evaluation.area import area_table, estimate_area, write_area
from hsi.scenes.labels import make_labels
from hsi.splits.split import make_split

# Olofsson et al. 2014, tables 8 and 9: deforestation, forest gain, stable forest, stable other.
COUNTS_2014 = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
MAPPED_2014 = np.array([200_000, 150_000, 3_200_000, 6_450_000])  # Landsat pixels of 0.09 ha
# Olofsson et al. 2013, table 4: deforestation, stable forest, stable other.
COUNTS_2013 = np.array([[97, 0, 3], [3, 279, 18], [2, 1, 97]])
MAPPED_2013 = np.array([22_353, 1_122_543, 610_228])


def test_the_example_of_2014_to_the_digits_that_are_published():
    found = estimate_area(COUNTS_2014, MAPPED_2014)
    hectares = MAPPED_2014.sum() * 0.09
    assert np.rint(found.area * hectares).tolist() == [21158, 11686, 285770, 581386]
    assert np.rint(found.area_ci95 * hectares).tolist() == [6158, 3756, 15510, 16282]
    assert found.users.round(2).tolist() == [0.88, 0.73, 0.93, 0.96]
    assert found.users_ci95.round(2).tolist() == [0.07, 0.10, 0.04, 0.02]
    assert found.producers.round(2).tolist() == [0.75, 0.85, 0.93, 0.96]
    assert found.producers_ci95.round(2).tolist() == [0.21, 0.25, 0.03, 0.02]
    assert (round(found.overall, 2), round(found.overall_ci95, 2)) == (0.95, 0.02)


def test_the_example_of_2013_to_the_digits_that_are_published():
    found = estimate_area(COUNTS_2013, MAPPED_2013)
    assert found.users.round(2).tolist() == [0.97, 0.93, 0.97]
    assert found.producers[:2].round(2).tolist() == [0.48, 0.99]
    assert round(found.overall, 2) == 0.94


@pytest.mark.parametrize(
    ("counts", "mapped"), [(COUNTS_2013, MAPPED_2013), (COUNTS_2014, MAPPED_2014)]
)
def test_the_equations_in_exact_fractions(counts, mapped):
    """Equations 1 to 11 as they are printed, term by term, in whole numbers."""
    found = estimate_area(counts, mapped)
    size, total = len(mapped), int(mapped.sum())
    n = [[Fraction(int(c)) for c in row] for row in counts]
    rows = [sum(row) for row in n]
    W = [Fraction(int(m), total) for m in mapped]
    N = [Fraction(int(m)) for m in mapped]
    p = [[W[i] * n[i][j] / rows[i] for j in range(size)] for i in range(size)]
    U = [n[i][i] / rows[i] for i in range(size)]
    near = {"rel": 1e-12}
    overall = sum(p[i][i] for i in range(size))
    assert found.overall == pytest.approx(float(overall), **near)
    variance = sum(W[i] ** 2 * U[i] * (1 - U[i]) / (rows[i] - 1) for i in range(size))
    assert found.overall_ci95 == pytest.approx(1.96 * sqrt(variance), **near)
    for j in range(size):
        column = sum(p[i][j] for i in range(size))
        assert found.area[j] == pytest.approx(float(column), **near)
        q = [n[i][j] / rows[i] for i in range(size)]
        variance = sum(W[i] ** 2 * q[i] * (1 - q[i]) / (rows[i] - 1) for i in range(size))
        assert found.area_ci95[j] == pytest.approx(1.96 * sqrt(variance), **near)
        variance = U[j] * (1 - U[j]) / (rows[j] - 1)
        assert found.users_ci95[j] == pytest.approx(1.96 * sqrt(variance), **near)
        P = p[j][j] / column
        assert found.producers[j] == pytest.approx(float(P), **near)
        whole = sum(N[i] * q[i] for i in range(size))
        first = N[j] ** 2 * (1 - P) ** 2 * U[j] * (1 - U[j]) / (rows[j] - 1)
        rest = sum(N[i] ** 2 * q[i] * (1 - q[i]) / (rows[i] - 1) for i in range(size) if i != j)
        variance = (first + P**2 * rest) / whole**2
        assert found.producers_ci95[j] == pytest.approx(1.96 * sqrt(variance), **near)


def test_intervals_hold_the_truth_in_95_of_100_samples():
    rng = np.random.default_rng(0)
    mapped = np.array([40_000, 160_000, 300_000])
    truth = np.array([[0.8, 0.15, 0.05], [0.06, 0.86, 0.08], [0.04, 0.06, 0.9]])  # by stratum
    weight = mapped / mapped.sum()
    area = weight @ truth
    producers = weight * np.diag(truth) / area
    overall = float(weight @ np.diag(truth))
    held = {"area": np.zeros(3), "users": np.zeros(3), "producers": np.zeros(3), "overall": 0}
    draws = 3000
    for _ in range(draws):
        counts = np.stack([rng.multinomial(300, row) for row in truth])
        found = estimate_area(counts, mapped)
        held["area"] += np.abs(found.area - area) <= found.area_ci95
        held["users"] += np.abs(found.users - np.diag(truth)) <= found.users_ci95
        held["producers"] += np.abs(found.producers - producers) <= found.producers_ci95
        held["overall"] += abs(found.overall - overall) <= found.overall_ci95
    for shares in held.values():
        assert np.all(np.asarray(shares) / draws > 0.93)
        assert np.all(np.asarray(shares) / draws < 0.97)


@pytest.fixture
def labels():
    truth = np.repeat(np.array([[1, 2, 5]]), 30, axis=0).repeat(20, axis=1)
    return make_labels("fields", truth, ["", "corn", "oats", "", "", "wood"])


def test_tables_are_in_hectares_or_in_pixels(tmp_path, labels):
    split = make_split(labels, "random:0.5", window=3)
    numbers = labels.ground_truth.astype(np.uint8)
    numbers[:, 18:22] = 2  # a strip of corn is taken for oats
    split.test[0, -1] = False
    numbers[0, -1] = 0
    made = write_area(numbers, labels, split, tmp_path, hectares_per_pixel=0.04)
    table = pd.read_csv(tmp_path / "area.csv").set_index("class_name")
    assert table["unit"].unique().tolist() == ["ha"]
    assert table["mapped_area"].sum() == pytest.approx(0.04 * (1800 - 1))
    assert table["area"].sum() == pytest.approx(0.04 * (1800 - 1), abs=1e-3)
    assert table.loc["corn", "mapped_area"] == pytest.approx(18 * 30 * 0.04)
    assert abs(table.loc["corn", "area"] - 24) < table.loc["corn", "area_ci95"]
    assert made.users[0] == made.users[2] == 1
    matrix = pd.read_csv(tmp_path / "error_matrix.csv", index_col=0)
    assert matrix.to_numpy().sum() == pytest.approx(100, abs=1e-2)
    _, plain, _ = area_table(numbers, labels, split)
    assert set(plain["unit"]) == {"pixels"}


def test_a_mapped_class_without_test_pixels_is_refused(labels):
    split = make_split(labels, "random:0.5", window=3)
    numbers = labels.ground_truth.copy()
    split.test[:, 40:] = False
    with pytest.raises(HsiError, match=r"found 0 in wood \(600 pixels\); label more pixels there"):
        area_table(numbers, labels, split)
    numbers[0, 0] = 7
    split = make_split(labels, "random:0.5", window=3)
    split.test[0, 0] = False
    with pytest.raises(HsiError, match="expected the classes of the labels, found 7"):
        area_table(numbers, labels, split)


def test_a_sample_that_is_no_random_one_is_said(tmp_path, labels, caplog):
    split = make_split(labels, "blocks:5", window=3)
    write_area(labels.ground_truth, labels, split, tmp_path)
    assert "true intervals are wider" in caplog.text
