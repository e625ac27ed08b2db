"""Many classifiers on one split: rows, resumption, means with intervals, the picture."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hsi.classifiers import train as training
from hsi.errors import HsiError
from hsi.evaluation import benchmark as module
from hsi.evaluation.benchmark import COLUMNS, MEANS, benchmark, join_benchmarks
from hsi.evaluation.study import read_candidates
from hsi.splits.split import make_split


@pytest.fixture
def candidates(tmp_path):
    path = tmp_path / "candidates.yaml"
    path.write_text(
        "svm: {classifier: svm}\n"
        "net: {classifier: cnn2d, window: 9, components: 5, hidden: [8, 6]}\n"
        "place: {classifier: coordinates}\n"
    )
    return read_candidates(path)


def run(tmp_path, scene, labels, candidates, cpu, seed=0):
    (tmp_path / "quick.yaml").write_text("steps: 2\nbatch_size: 8\n")
    out = tmp_path / f"seed{seed}.csv"
    split = make_split(labels, "random:0.3", seed=seed, window=9)
    made = benchmark(
        scene, labels, split, candidates, out, compute=cpu, schedule=str(tmp_path / "quick.yaml")
    )
    return split, made, pd.read_csv(out)


def test_rows_say_accuracy_size_and_cost(tmp_path, scene, labels, candidates, cpu):
    split, _, rows = run(tmp_path, scene, labels, candidates, cpu, seed=3)
    assert tuple(rows.columns) == COLUMNS
    assert rows["candidate"].tolist() == ["svm", "net", "place"]
    assert rows["draw"].tolist() == [3, 3, 3]
    assert (rows["test_pixels"] == split.test.sum()).all()
    assert (rows["train_pixels"] == split.train.sum()).all()
    assert rows["oa"][0] > 85
    assert rows["train_oa"][0] >= rows["oa"][0]
    assert rows["parameters"].notna().tolist() == [False, True, False]
    assert rows["multiply_adds_a_pixel"][1] > rows["parameters"][1] / 10
    assert rows["window"][1] == 9
    assert rows["schedule"].fillna("").tolist() == ["", "quick", ""]
    assert (rows["ms_per_megapixel"] > 0).all()
    assert not (tmp_path / "seed3").exists()


def test_an_interrupted_run_goes_on(tmp_path, scene, labels, candidates, cpu, monkeypatch):
    trained = []

    def train(learner, *args, **options):
        if learner.name == "coordinates" and len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(learner.name)
        return training.train(learner, *args, **options)

    monkeypatch.setattr(module, "train", train)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, scene, labels, candidates, cpu)
    assert not (tmp_path / "seed0.csv").exists()
    parts = sorted(path.name for path in (tmp_path / "seed0").glob("*.json"))
    assert parts == ["net.json", "svm.json"]
    # A row of another scene is made again.
    kept = tmp_path / "seed0" / "svm.json"
    found = json.loads(kept.read_text())
    found["of"]["scene"] = "another"
    kept.write_text(json.dumps(found))
    trained.append("went on")
    _, _, rows = run(tmp_path, scene, labels, candidates, cpu)
    assert trained == ["svm", "cnn2d", "went on", "svm", "coordinates"]
    assert rows["candidate"].tolist() == ["svm", "net", "place"]


def test_means_have_the_intervals_of_student(tmp_path, scene, labels, candidates, cpu):
    tables = []
    for seed in (0, 1, 2):
        run(tmp_path, scene, labels, candidates, cpu, seed=seed)
        tables.append(tmp_path / f"seed{seed}.csv")
    means = join_benchmarks(tables, tmp_path / "all.csv")
    assert tuple(means.columns) == MEANS
    assert pd.to_numeric(means["oa"]).is_monotonic_decreasing
    assert (tmp_path / "all.png").stat().st_size > 5000
    rows = pd.read_csv(tmp_path / "all.csv")
    assert len(rows) == 9
    values = rows[rows["candidate"] == "net"]["oa"].to_numpy()
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    mean = means[means["candidate"] == "net"].iloc[0]
    assert float(mean["oa"]) == pytest.approx(values.mean(), abs=0.006)
    assert float(mean["oa_from"]) == pytest.approx(low, abs=0.006)
    assert float(mean["oa_to"]) == pytest.approx(high, abs=0.006)
    assert mean["draws"] == 3
    single = join_benchmarks(tables[:1], tmp_path / "one.csv")
    assert (single["oa_from"] == "").all()


def test_what_cannot_be_joined_is_told(tmp_path, scene, labels, candidates, cpu):
    run(tmp_path, scene, labels, candidates[:1], cpu)
    table = tmp_path / "seed0.csv"
    with pytest.raises(HsiError, match=r"found svm on random:0\.3, draw 0, twice"):
        join_benchmarks([table, table], tmp_path / "all.csv")
    (tmp_path / "other.csv").write_text("scene,oa\nx,1\n")
    with pytest.raises(HsiError, match="expected a table of hsi benchmark; column split is"):
        join_benchmarks([tmp_path / "other.csv"], tmp_path / "all.csv")


def test_too_many_components_are_told_before_any_training(tmp_path, scene, labels, cpu):
    path = tmp_path / "candidates.yaml"
    path.write_text("net: {classifier: cnn2d, window: 9, components: 99}\n")
    with pytest.raises(HsiError, match="candidate net: components: expected at most 16"):
        run(tmp_path, scene, labels, read_candidates(path), cpu)


@pytest.mark.parametrize(
    ("name", "count", "windows"), [("backbones", 45, [13, 25]), ("questions", 20, [13])]
)
def test_our_own_candidates_can_be_made(name, count, windows):
    from pathlib import Path

    found = read_candidates(Path(module.__file__).with_name(f"{name}.yaml"))
    assert len(found) == count
    assert len({one.name for one in found}) == count
    assert np.unique([one.window for one in found if one.window]).tolist() == windows
    for one in found:
        one.make()
