"""One classifier on versions of a scene: the same pixels, each tested against the first."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.tables import read_csv
from hsi.classifiers.spectral import SVM
from hsi.errors import HsiError
from hsi.evaluation import arms as arms_module
from hsi.evaluation.arms import COLUMNS, compare_arms
from hsi.evaluation.gains import MEANS, interval, join_arms, summarise_arms
from hsi.maps.blocks import predict
from hsi.splits.split import make_split


@pytest.fixture(scope="module")
def versions(scene):
    noise = np.random.default_rng(0).normal(0, 1500, scene.cube.shape)
    return {
        "raw": replace(scene, cube=scene.cube + noise),
        "same": replace(scene, cube=scene.cube + noise),
        "clean": scene,
    }


@pytest.fixture(scope="module")
def split(labels):
    return make_split(labels, "random:0.2", seed=0, window=9)


def test_each_version_is_tested_against_the_first(tmp_path, versions, labels, split, cpu):
    out = tmp_path / "svm.csv"
    compare_arms(versions, labels, split, "svm", out, compute=cpu, about={"noise": "made"})
    table = pd.read_csv(out)
    assert tuple(table.columns) == COLUMNS
    assert table["arm"].tolist() == ["raw", "same", "clean"]
    assert set(table["noise"]) == {"made"}
    assert table["oa_gain"].tolist()[:2] == [0, 0]
    assert table["p_value"].tolist()[:2] == [1, 1]
    assert table["only_arm_right"][2] > table["only_first_right"][2]
    assert table["p_value"][2] < 0.01
    assert set(table["test_pixels"]) == {int(split.test.sum())}
    apart = table["only_arm_right"] - table["only_first_right"]
    assert np.allclose(table["oa_gain"], 100 * apart / split.test.sum(), atol=0.006)
    assert not out.with_suffix("").exists()


def test_only_test_pixels_are_classified_and_as_the_whole_map_has_them(
    tmp_path, small_models, labels, scene, cpu
):
    split = make_split(labels, "random:0.1", seed=0, window=9)
    out = tmp_path / "svm.csv"
    compare_arms({"raw": scene, "again": scene}, labels, split, "svm", out, compute=cpu)
    whole = predict(scene, small_models / "svm.safetensors", device="cpu")
    right = (whole == labels.ground_truth)[split.test].mean()
    assert pd.read_csv(out)["oa"][0] == pytest.approx(100 * right, abs=0.006)


def test_a_stopped_run_keeps_what_was_trained(tmp_path, versions, labels, split, cpu, monkeypatch):
    out, plain = tmp_path / "svm.csv", SVM.fit
    fitted = []

    def counted(self, training):
        fitted.append(training.scene)
        return plain(self, training)

    monkeypatch.setattr(SVM, "fit", counted)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(arms_module, "mcnemar", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        compare_arms(versions, labels, split, "svm", out, compute=cpu)
    assert not out.exists()
    assert len(fitted) == 1
    compare_arms(versions, labels, split, "svm", out, compute=cpu)
    assert len(fitted) == 3
    other = tmp_path / "unbroken.csv"
    compare_arms(versions, labels, split, "svm", other, compute=cpu)
    drop = "seconds_train"
    assert read_csv(out).drop(columns=drop).equals(read_csv(other).drop(columns=drop))


def rows(gains, p_values):
    """A table of draws: raw at 50, and one arm that gains so much."""
    found = []
    for draw, (gain, p_value) in enumerate(zip(gains, p_values, strict=True)):
        shared = dict.fromkeys(COLUMNS, "0") | {
            "scene": "made", "noise": "clean", "split": "blocks:3", "classifier": "svm",
            "schedule": "", "draw": str(draw), "aa": "40", "kappa": "30",
        }  # fmt: skip
        found.append(shared | {"arm": "raw", "oa": "50", "oa_gain": "+0.00", "p_value": "1"})
        found.append(
            shared
            | {"arm": "pca", "oa": str(50 + gain), "oa_gain": f"{gain:+}", "p_value": str(p_value)}
        )
    return pd.DataFrame(found, columns=list(COLUMNS))


def test_means_have_the_interval_of_student(tmp_path):
    gains = [4.0, -1.0, 3.0, 2.0]
    table = rows(gains, [0.001, 0.01, 0.2, 1e-9])
    found = summarise_arms(table).set_index("arm").loc["pca"]
    low, high = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    assert found["oa_gain"] == "+2.00"
    assert found["oa_gain_from"] == f"{low:+.2f}"
    assert found["oa_gain_to"] == f"{high:+.2f}"
    assert (found["better"], found["worse"], found["draws"]) == (2, 1, 4)
    assert np.isnan(interval(np.array([3.0]))).all()
    single = summarise_arms(rows([4.0], [0.001]))
    assert single["oa_from"].tolist() == ["", ""]


def test_tables_are_joined_and_drawn(tmp_path):
    table = rows([4.0, 3.0], [0.001, 0.01])
    for draw in ("0", "1"):
        table[table["draw"] == draw].to_csv(tmp_path / f"{draw}.csv", index=False)
    parts = [tmp_path / "0.csv", tmp_path / "1.csv"]
    join_arms(parts, tmp_path / "all.csv")
    assert len(read_csv(tmp_path / "all.csv")) == 4
    assert tuple(read_csv(tmp_path / "all_means.csv").columns) == MEANS
    assert (tmp_path / "all_made.png").stat().st_size > 10_000
    with pytest.raises(HsiError, match="made, clean, blocks:3, svm, , raw, 0 is in the tables twi"):
        join_arms([*parts, parts[0]], tmp_path / "twice.csv")
    (tmp_path / "wrong.csv").write_text("scene\nmade\n")
    with pytest.raises(
        HsiError, match=r"wrong.csv: expected a table of hsi classify-arms; 'noise'"
    ):
        join_arms([tmp_path / "wrong.csv"], tmp_path / "none.csv")
