import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hsi.errors import HsiError
from hsi.evaluation.score import score_map
from hsi.evaluation.summary import OVERALL_COLUMNS, published, summarise
from hsi.splits.split import make_split

PER_CLASS = (
    "scene,split,classifier,seed,class_id,class_name,train_pixels,test_pixels,recall,precision,f1"
)


@pytest.fixture(scope="module")
def split(labels):
    return make_split(labels, "random:0.1", seed=0)


def run(folder, labels, split, *, seed=0, wrong=0, classifier="svm", scene="IndianPines"):
    numbers = labels.ground_truth.copy()
    numbers[numbers == 0] = 1
    tested = np.argwhere(split.test & (labels.ground_truth == 2))[:wrong]
    numbers[tuple(tested.T)] = 7
    made_by = {"scene": scene, "classifier": classifier, "seed": seed, "seconds_train": 1.0}
    made_by |= {"window": 1, "multiply_adds_a_pixel": 5}
    return score_map(numbers, labels, split, folder, made_by=made_by)


def test_files_of_a_run(tmp_path, labels, split):
    scores = run(tmp_path, labels, split, wrong=5)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "classes.png", "comparison.png", "confusion.csv", "confusion.png", "groups.npy",
        "per_class.csv", "right.npy", "scores.json",
    ]  # fmt: skip
    confusion = pd.read_csv(tmp_path / "confusion.csv", index_col=0)
    assert confusion.index.name == "true \\ predicted"
    assert confusion.loc["class 2", "class 7"] == 5
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["oa"] == pytest.approx(scores.oa, abs=1e-4)
    assert written["report"]["test_in_training_window"] > 0
    assert written["test_in_own_window"] == 0  # one pixel holds no other
    lines = (tmp_path / "per_class.csv").read_text().splitlines()
    assert lines[0] == PER_CLASS
    assert len(lines) == 4


def test_class_without_test_pixels_is_empty(tmp_path, labels, split):
    fewer = type(split)(**{**vars(split), "test": split.test & (labels.ground_truth != 7)})
    run(tmp_path, labels, fewer)
    last = (tmp_path / "per_class.csv").read_text().splitlines()[-1]
    assert last.endswith(",0,,,")


def test_seeds_that_test_the_same_pixels_are_named(tmp_path, labels, caplog):
    drawn = [make_split(labels, "random:0.1", seed=seed) for seed in (0, 1, 2, 3)]
    same = [replace(drawn[0], seed=seed) for seed in (2, 5)]  # as annealing may end
    for number, one in enumerate([drawn[0], drawn[1], *same, drawn[3]]):
        run(tmp_path / f"{number}", labels, one, seed=one.seed)
    folders = [tmp_path / f"{number}" for number in range(5)]
    summarise([folders[0], folders[1], folders[4]], tmp_path / "out")
    run(tmp_path / "again", labels, drawn[0], seed=9)  # another training on the same draw
    summarise([folders[0], tmp_path / "again"], tmp_path / "out")
    masks = [replace(one, how="mask:training", report={**one.report}) for one in same]
    for one in masks:
        run(tmp_path / f"mask{one.seed}", labels, one, seed=one.seed)
    summarise([tmp_path / "mask2", tmp_path / "mask5"], tmp_path / "out")
    assert "the same pixels" not in caplog.text
    summarise(folders, tmp_path / "out")
    assert "random:0.1: the seeds 0, 2 and 5 test the same pixels" in caplog.text


def test_map_of_another_size_is_refused(tmp_path, labels, split):
    with pytest.raises(HsiError, match=r"expected \(30, 27\) pixels .* found \(3, 3\)"):
        score_map(np.ones((3, 3), int), labels, split, tmp_path, made_by={})


def test_summary_has_the_contract_columns_and_the_order_given(tmp_path, labels, split):
    renamed = type(split)(**{**vars(split), "how": "random:0.3"})
    for seed, wrong in ((1, 4), (0, 10)):
        run(tmp_path / f"svm{seed}", labels, renamed, seed=seed, wrong=wrong)
    run(tmp_path / "c", labels, renamed, classifier="coordinates")
    summarise([tmp_path / "svm1", tmp_path / "c", tmp_path / "svm0"], tmp_path / "out")
    overall = pd.read_csv(tmp_path / "out" / "overall_accuracy.csv")
    assert tuple(overall.columns) == OVERALL_COLUMNS
    assert overall["classifier"].tolist() == ["svm", "coordinates", "svm"]
    assert (tmp_path / "out" / "per_class_accuracy.csv").read_text().startswith(PER_CLASS)
    means = pd.read_csv(tmp_path / "out" / "overall_accuracy_summary.csv")
    assert means["classifier"].tolist() == ["svm", "coordinates"]
    svm = means.iloc[0]
    assert svm["seeds"] == 2
    assert svm["ddof"] == 1
    accuracies = overall["oa"][[0, 2]]
    assert svm["oa_mean"] == pytest.approx(accuracies.mean(), abs=0.011)
    assert svm["oa_std"] == pytest.approx(accuracies.std(), abs=0.011)
    assert (svm["window"], svm["multiply_adds_a_pixel"], svm["test_in_own_window"]) == (1, 5, 0)
    assert svm["test_in_training_window"] == svm["test_window_holds_training"] > 90
    assert svm["nearest_train_min"] == 1
    assert svm["oa_published"] == 85.30
    assert svm["oa_difference"] == pytest.approx(svm["oa_mean"] - 85.30, abs=0.011)
    assert np.isnan(means.iloc[1]["oa_std"])  # one seed has no deviation


def test_mask_states_its_classes_in_every_row(tmp_path, labels):
    train = np.zeros(labels.ground_truth.shape, np.uint8)
    train[:15] = labels.ground_truth[:15]
    train[3, 3], train[0, 0] = 2, 7  # of class 1, and unlabelled
    test = labels.ground_truth * (train == 0)
    np.savez(tmp_path / "m.npz", train=train, test=test)
    folders = []
    for whose in ("ground-truth", "mask"):
        split = make_split(labels, f"mask:{tmp_path / 'm.npz'}", labels_of=whose)
        folders.append(tmp_path / whose)
        run(folders[-1], labels, split, wrong=3)
    summarise(folders, tmp_path / "out")
    for name in ("overall_accuracy_details", "overall_accuracy_summary"):
        rows = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        assert rows["labels_of"].tolist() == ["ground-truth", "mask"]
        assert rows["unlabelled_in_mask"].tolist() == rows["other_class_in_mask"].tolist() == [1, 1]
    near = "all test pixels lie within 13 pixels of a training pixel; classes are "
    differ = "'s; pixels of another class in the ground truth: 1; unlabelled there: 1, "
    assert rows["note"].tolist() == [
        f"{near}the ground truth{differ}left out",
        f"{near}the mask{differ}used, too",
    ]
    assert pd.read_csv(tmp_path / "out" / "mcnemar.csv").empty  # not of the same truth


def test_average_accuracy_without_small_classes(tmp_path, labels, split):
    few = split.test & (labels.ground_truth == 2)
    few[tuple(np.argwhere(few)[2:].T)] = False  # two test pixels, both wrong
    fewer = type(split)(**{**vars(split), "test": (split.test & (labels.ground_truth != 2)) | few})
    scores = run(tmp_path, labels, fewer, wrong=2)
    assert scores.aa == pytest.approx(200 / 3)
    assert scores.aa_min20 == 100
    written = json.loads((tmp_path / "scores.json").read_text())
    assert (written["aa_min20"], written["classes_min20"]) == (100, 2)


def test_summary_compares_classifiers_on_the_same_test_pixels(tmp_path, labels, split):
    for name, seed, wrong in (("svm", 0, 10), ("forest", 0, 4), ("svm", 1, 2)):
        run(tmp_path / f"{name}{seed}", labels, split, classifier=name, seed=seed, wrong=wrong)
    fewer = type(split)(**{**vars(split), "test": split.test & (labels.ground_truth != 7)})
    run(tmp_path / "other", labels, fewer, classifier="other")
    folders = [tmp_path / name for name in ("svm0", "forest0", "svm1", "other")]
    summarise(folders, tmp_path / "out")
    pairs = pd.read_csv(tmp_path / "out" / "mcnemar.csv")
    assert len(pairs) == 1
    pair = pairs.iloc[0]
    assert (pair["first"], pair["second"], pair["seed"]) == ("svm", "forest", 0)
    counts = [f"{name}_right" for name in ("both", "only_first", "only_second", "neither")]
    assert pair[counts].sum() == split.test.sum()
    assert pair["only_second_right"] - pair["only_first_right"] == 6
    (tmp_path / "svm0" / "right.npy").unlink()
    with pytest.raises(HsiError, match=r"right\.npy: expected the test pixels of hsi score"):
        summarise(folders, tmp_path / "out")


def test_the_same_run_twice_is_refused(tmp_path, labels, split):
    run(tmp_path / "a", labels, split)
    with pytest.raises(HsiError, match="the same run as"):
        summarise([tmp_path / "a", tmp_path / "a"], tmp_path)


def test_folder_without_scores_is_refused(tmp_path):
    with pytest.raises(HsiError, match="expected the scores of hsi score"):
        summarise([tmp_path], tmp_path)


def test_published_figures():
    table = published()
    assert table["IndianPines", "random:0.1", "HybridSN"]["oa"] == "98.39"
    assert all(split.startswith("random:0.") for _, split, _ in table)
