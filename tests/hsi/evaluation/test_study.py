import numpy as np
import pandas as pd
import pytest

from engine.errors import UserError
from hsi.errors import HsiError
from hsi.evaluation.study import COLUMNS, read_candidates, study, training_labels
from hsi.scenes.labels import Labels
from hsi.splits.split import make_split


@pytest.fixture(scope="module")
def split(labels):
    return make_split(labels, "random:0.5", seed=0)


@pytest.fixture
def candidates(tmp_path):
    path = tmp_path / "candidates.yaml"
    path.write_text(
        "svm: {classifier: svm}\n"
        "net: {classifier: cnn2d, window: 9, components: 5, dihedral: true, hidden: [8, 6]}\n"
    )
    return read_candidates(path)


def run(tmp_path, name, scene, labels, split, candidates, cpu):
    (tmp_path / "quick.yaml").write_text("steps: 2\nbatch_size: 8\n")
    out = tmp_path / f"{name}.csv"
    best = study(
        scene, labels, split, candidates, out,
        compute=cpu, schedule=str(tmp_path / "quick.yaml"), inner="blocks:3", window=3,
        folds=2,
    )  # fmt: skip
    return best, pd.read_csv(out), pd.read_csv(tmp_path / f"{name}_means.csv")


def test_candidates_are_ranked_on_inner_pixels(tmp_path, scene, labels, split, candidates, cpu):
    best, rows, means = run(tmp_path, "a", scene, labels, split, candidates, cpu)
    assert tuple(rows.columns) == COLUMNS
    assert rows["candidate"].tolist() == ["svm", "net", "svm", "net"]
    assert rows["fold"].tolist() == [0, 0, 1, 1]
    assert rows.groupby("fold")["test_pixels"].nunique().tolist() == [1, 1]
    assert (rows["train_pixels"] + rows["test_pixels"] <= split.train.sum()).all()
    assert means["rank"].tolist() == [1, 2]
    assert means["oa"].is_monotonic_decreasing
    assert best == means["candidate"][0]
    mean = rows[rows["candidate"] == best]["oa"].mean()
    assert means["oa"][0] == pytest.approx(mean, abs=0.011)
    assert rows["settings"][1] == "window=9 components=5 dihedral=true hidden=8,6"


def test_test_labels_are_not_looked_at(tmp_path, scene, labels, split, candidates, cpu):
    wrong = labels.ground_truth.copy()
    wrong[split.test] = 1
    changed = Labels("Stripes", wrong, labels.class_names, labels.colours)
    resplit = type(split)(**{**vars(split), "labels_checksum": changed.checksum()})
    _, one, _ = run(tmp_path, "a", scene, labels, split, candidates[:1], cpu)
    _, two, _ = run(tmp_path, "b", scene, changed, resplit, candidates[:1], cpu)
    assert one.drop(columns="seconds_train").equals(two.drop(columns="seconds_train"))


def test_training_labels_hold_nothing_else(labels, split):
    known = training_labels(labels, split)
    assert np.array_equal(known.ground_truth > 0, split.train)
    fewer = type(split)(**{**vars(split), "train": split.train & (labels.ground_truth != 2)})
    assert training_labels(labels, fewer).class_names == ("class 1", "class 7")


def test_own_candidates_can_be_made():
    from importlib.resources import files

    found = read_candidates(files("hsi.evaluation") / "study.yaml")
    assert {c.window for c in found} >= {None, 11, 15}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {window: 11}", "a: expected keys with values, 'classifier' among them"),
        ("a: {classifier: hybridsn, dihedrall: true}", "a: `settings` dihedrall: no such setting"),
        ("a: {classifier: hybridsn, window: x}", "a: window: expected a whole number, found 'x'"),
        ("a: {classifier: svn}", "a: `classifier` svn: expected one of"),
        ("- a", "expected keys with values"),
    ],
)
def test_a_mistake_in_a_candidate_is_one_line(tmp_path, text, message):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises((HsiError, UserError), match=message):
        read_candidates(tmp_path / "c.yaml")
