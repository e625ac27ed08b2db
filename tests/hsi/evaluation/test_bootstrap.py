"""Intervals are as wide as neighbouring pixels are alike, and hold what they promise."""

import json

import numpy as np
import pandas as pd
import pytest

from hsi.errors import HsiError
from hsi.evaluation.bootstrap import count_groups, interval
from hsi.evaluation.score import score_map
from hsi.evaluation.summary import summarise
from hsi.scenes.labels import make_labels
from hsi.splits.split import make_split


def groups_of_twenty(rng, count, accuracy, alike):
    """Pixels of groups that are right or wrong as a whole, or each by itself."""
    whole = rng.random(count).repeat(20) if alike else rng.random(count * 20)
    return whole < accuracy, np.arange(count).repeat(20)


def test_alike_pixels_widen_the_interval():
    rng = np.random.default_rng(0)
    wide = interval(count_groups([groups_of_twenty(rng, 60, 0.7, True)]))
    narrow = interval(count_groups([groups_of_twenty(rng, 60, 0.7, False)]))
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


def test_intervals_hold_the_truth():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        low, high = interval(count_groups([groups_of_twenty(rng, 80, 0.7, True)]))
        held += low <= 70 <= high
    assert 0.88 <= held / 100 <= 1


def test_the_same_groups_are_drawn_for_both():
    rng = np.random.default_rng(2)
    right, group = groups_of_twenty(rng, 60, 0.7, True)
    better = right.copy()
    better[group % 2 == 0] = True
    low, high = interval(count_groups([(better, group)]), count_groups([(right, group)]))
    assert 0 < low < high
    assert interval(count_groups([(right, group)]), count_groups([(right, group)])) == (0, 0)


def test_one_group_has_no_interval():
    assert interval(count_groups([(np.array([True, False]), np.zeros(2, int))])) is None
    with pytest.raises(HsiError, match="expected a group for each test pixel, found 1 for 2"):
        count_groups([(np.array([True, False]), np.zeros(1, int))])


def test_the_summary_says_whether_two_classifiers_differ(tmp_path):
    truth = np.kron(np.random.default_rng(3).integers(1, 4, (8, 8)), np.ones((8, 8), int))
    labels = make_labels("fields", truth)
    folders = []
    for seed in range(2):
        split = make_split(labels, "kfold:2,blocks:8", seed=seed, window=3)
        noise = np.random.default_rng(seed).integers(1, 4, truth.shape)
        for name, wrong in (("good", 0.1), ("poor", 0.5), ("same", 0.1)):
            # Whole blocks are wrong, other ones for each classifier.
            draw = np.random.default_rng([seed, len(name), ord(name[0])]).random((8, 8))
            numbers = np.where(np.kron(draw, np.ones((8, 8))) < wrong, noise, truth)
            folder = tmp_path / f"{name}{seed}"
            score_map(
                numbers, labels, split, folder,
                made_by={"scene": "fields", "classifier": name, "seed": seed},
            )  # fmt: skip
            folders.append(folder)
    summarise(folders, tmp_path / "out")
    means = pd.read_csv(tmp_path / "out" / "overall_accuracy_summary.csv").set_index("classifier")
    assert (means["oa_low"] < means["oa_mean"]).all()
    assert (means["oa_mean"] < means["oa_high"]).all()
    assert (means["groups"] == 64).all()
    apart = pd.read_csv(tmp_path / "out" / "differences.csv").set_index(["first", "second"])
    assert apart["differ"].to_dict() == {
        ("good", "poor"): "yes", ("good", "same"): "no", ("poor", "same"): "yes",
    }  # fmt: skip
    expected = means.loc["good", "oa_mean"] - means.loc["poor", "oa_mean"]
    assert apart.loc[("good", "poor"), "oa_difference"] == pytest.approx(expected, abs=0.011)
    # Of runs that older versions scored there are no groups, and so no interval.
    (folders[0] / "groups.npy").unlink()
    summarise(folders, tmp_path / "older")
    older = pd.read_csv(tmp_path / "older" / "overall_accuracy_summary.csv").set_index("classifier")
    assert np.isnan(older.loc["good", "oa_low"])
    assert json.loads((folders[0] / "scores.json").read_text())["report"]["block"] == 8
