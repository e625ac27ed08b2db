"""`hsi calibrate`, and the scores of what it is for."""

import json

import numpy as np
import pandas as pd
import pytest

from engine.tensors import load_tensors, save_tensors
from hsi.calibration.conformal import PERCENT
from hsi.calibration.reliability import calibration_error
from hsi.classifiers.model import load_model, make_classifier
from hsi.classifiers.train import train
from hsi.cli.arguments import naming_options
from hsi.cli.evaluation import score as score_command
from hsi.errors import HsiError
from hsi.evaluation.calibrate import calibrate
from hsi.evaluation.metrics import scores_of
from hsi.evaluation.summary import summarise
from hsi.maps.classify import classify
from hsi.scenes.labels import write_labels
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split


@pytest.fixture(scope="module")
def noisy(scene):
    """The stripes under so much noise that their classes overlap."""
    rng = np.random.default_rng(1)
    cube = scene.cube + rng.normal(0, 2500, scene.cube.shape)
    return Scene("Noisy", cube.astype(np.float32), scene.wavelengths)


@pytest.fixture(scope="module")
def made(noisy, labels, cpu, tmp_path_factory):
    """A folder with a split, the labels, a forest and its calibrated copy."""
    folder = tmp_path_factory.mktemp("calibrate")
    split = make_split(labels, "random:0.5", seed=0, window=1)
    split.save(folder / "split.npz")
    write_labels(folder / "labels.npy", labels)
    train(
        make_classifier("forest"), noisy, labels, split, folder / "forest.safetensors",
        compute=cpu, schedule="demo",
    )  # fmt: skip
    kept = calibrate(
        noisy, labels, split, folder / "forest.safetensors", folder / "warm.safetensors",
        folds=3, compute=cpu,
    )  # fmt: skip
    return folder, split, kept


def test_temperature_is_kept_in_the_model(made):
    folder, split, kept = made
    assert sorted(path.name for path in folder.iterdir() if path.name[0] == ".") == []
    model = load_model(folder / "warm.safetensors")
    assert model.description["calibration"] == json.loads(json.dumps(kept))
    assert kept["pixels"] == split.train.sum()
    assert 0.05 < kept["temperature"] < 20
    assert kept["ece"] < kept["ece_before"]
    assert len(kept["least"]) == len(PERCENT)
    assert kept["least"] == sorted(kept["least"], reverse=True)
    before = load_model(folder / "forest.safetensors")
    assert np.array_equal(model.classifier.spectra, before.classifier.spectra)
    assert "fingerprint" not in model.description


def test_training_into_a_calibrated_file_trains(made, noisy, labels, cpu, caplog):
    folder, split, _ = made
    path = folder / "again.safetensors"
    path.write_bytes((folder / "warm.safetensors").read_bytes())
    train(make_classifier("forest"), noisy, labels, split, path, compute=cpu, schedule="demo")
    assert "what another training left there will be replaced" in caplog.text
    assert "calibration" not in load_model(path).description


def test_hold_out_keeps_the_model_that_never_saw_the_fold(made, noisy, labels, cpu):
    folder, split, _ = made
    out = folder / "held.safetensors"
    kept = calibrate(
        noisy, labels, split, folder / "forest.safetensors", out,
        folds=4, hold_out=True, compute=cpu,
    )  # fmt: skip
    left = len(load_model(out).classifier.spectra)
    assert left + kept["pixels"] == split.train.sum()
    assert kept["pixels"] == pytest.approx(split.train.sum() / 4, abs=3)


def test_folds_by_blocks_hold_whole_blocks_out(made, noisy, labels, cpu):
    from hsi.evaluation.calibrate import _folds

    split = made[1]
    fold_of = _folds(labels, split, 4, 6, 0)
    assert np.array_equal(fold_of >= 0, split.train)
    assert set(fold_of[split.train].tolist()) == {0, 1, 2, 3}
    for row in range(0, 30, 6):
        for column in range(0, 27, 6):
            inside = fold_of[row : row + 6, column : column + 6]
            assert len(set(inside[inside >= 0].tolist())) <= 1
    with pytest.raises(HsiError, match="`block` 30: expected at least 4 blocks with training"):
        _folds(labels, split, 4, 30, 0)


def test_networks_are_calibrated_too(noisy, labels, cpu, tmp_path):
    (tmp_path / "quick.yaml").write_text("steps: 10\nbatch_size: 16\nlearning_rate: 0.005\n")
    split = make_split(labels, "random:0.2", seed=0, window=5)
    settings = {"hidden": "8,6", "dropout": "0"}
    network = make_classifier("cnn2d", window=9, components=5, settings=settings)
    train(
        network, noisy, labels, split, tmp_path / "cnn.safetensors",
        compute=cpu, schedule=str(tmp_path / "quick.yaml"),
    )  # fmt: skip
    kept = calibrate(
        noisy, labels, split, tmp_path / "cnn.safetensors", tmp_path / "warm.safetensors",
        folds=2, compute=cpu,
    )  # fmt: skip
    assert kept["ece"] <= kept["ece_before"] + 3
    assert load_model(tmp_path / "warm.safetensors").classifier.window == 9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "`folds` 1: expected 2 to 20"),
        ({"block": 0}, "`block` 0: expected a number of pixels, at least 1"),
    ],
)
def test_bad_folds_are_refused(made, noisy, labels, cpu, options, message):
    folder, split, _ = made
    with pytest.raises(HsiError, match=message):
        calibrate(
            noisy, labels, split, folder / "forest.safetensors", folder / "x.safetensors",
            compute=cpu, **options,
        )  # fmt: skip


def test_other_splits_and_classifiers_without_probabilities_are_refused(made, noisy, labels, cpu):
    folder, split, _ = made
    other = make_split(labels, "random:0.5", seed=1, window=1)
    with pytest.raises(HsiError, match="learned from other training pixels"):
        calibrate(
            noisy, labels, other, folder / "forest.safetensors", folder / "x.safetensors",
            compute=cpu,
        )  # fmt: skip
    nearest = folder / "nearest.safetensors"
    train(make_classifier("coordinates"), noisy, labels, split, nearest, compute=cpu)
    with pytest.raises(HsiError, match=r"nearest.safetensors: .* found coordinates; give"):
        calibrate(noisy, labels, split, nearest, folder / "x.safetensors", compute=cpu)


@pytest.mark.parametrize(
    "changed", [{"temperature": 0.0}, {"temperature": "hot"}, {"least": [0.5]}, {"least": [2] * 50}]
)
def test_damaged_calibration_is_refused(made, tmp_path, changed):
    folder = made[0]
    tensors, description = load_tensors(folder / "warm.safetensors")
    description["calibration"] = {**description["calibration"], **changed}
    save_tensors(tmp_path / "m.safetensors", tensors, description)
    with pytest.raises(HsiError, match=r"m\.safetensors: calibration"):
        load_model(tmp_path / "m.safetensors")


def test_scores_state_calibration_coverage_and_sets(made, noisy, cpu, tmp_path, capsys):
    folder, split, _ = made
    scored = {}
    for name, options in (
        ("forest", {"confidence": True}),
        ("warm", {"confidence": True, "sets": 0.9}),
        ("open", {"confidence": True, "abstain": 0.6}),
    ):
        model = folder / f"{'warm' if name == 'open' else name}.safetensors"
        out = tmp_path / name / "map.npy"
        out.parent.mkdir()
        classify(noisy, model, out, compute=cpu, **options)
        naming_options(score_command)(
            str(out), str(folder / "labels.npy"), folder / "split.npz", tmp_path / name
        )
        scored[name] = json.loads((tmp_path / name / "scores.json").read_text())
    plain, warm, opened = scored.values()
    for name, one in (("forest", plain), ("warm", warm)):
        confidence = np.load(tmp_path / name / "map_confidence.npy")[split.test]
        right = np.load(tmp_path / name / "right.npy")
        assert one["ece"] == pytest.approx(calibration_error(confidence, right), abs=1e-4)
    assert (warm["oa"], warm["coverage"]) == (plain["oa"], 100)
    assert 85 < warm["sets_hold"] <= 100
    assert warm["oa"] < warm["sets_hold"]
    assert 1 <= warm["classes_per_set"] <= 3
    curve = pd.read_csv(tmp_path / "warm" / "coverage.csv")
    assert curve["accuracy"].iloc[-1] == pytest.approx(warm["oa"], abs=0.01)
    assert (tmp_path / "warm" / "coverage.png").is_file()
    # Pixels that are left open count as wrong, and the rest is better.
    assert opened["coverage"] < 100
    assert opened["oa"] < plain["oa"] < opened["oa_answered"]
    assert opened["oa"] == pytest.approx(opened["oa_answered"] * opened["coverage"] / 100, abs=0.01)
    assert "ece" not in opened
    confusion = pd.read_csv(tmp_path / "open" / "confusion.csv", index_col=0)
    left = (100 - opened["coverage"]) / 100 * split.test.sum()
    assert confusion["left open"].sum() == pytest.approx(left, abs=0.01)
    assert "of the test pixels answered" in capsys.readouterr().out
    summarise([tmp_path / name for name in ("forest", "open")][:1], tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "overall_accuracy_details.csv")
    assert table["ece"].tolist() == [pytest.approx(plain["ece"], abs=0.01)]
    assert table["coverage"].tolist() == [100]


def test_scores_of_open_pixels_by_hand():
    truth, predicted = np.array([1, 1, 2, 2, 2]), np.array([1, 0, 2, 1, 0])
    scores = scores_of(truth, predicted, np.array([1, 2]), abstains=True)
    assert (scores.oa, scores.coverage) == (40, 60)
    assert scores.oa_answered == pytest.approx(200 / 3)
    assert scores.support.tolist() == [2, 3]
    assert scores.recall.tolist() == [50, pytest.approx(100 / 3)]
    assert scores.precision.tolist() == [50, 100]
    by_chance = (2 * 2 + 1 * 3) / 25
    assert scores.kappa == pytest.approx(100 * (0.4 - by_chance) / (1 - by_chance))
    none = scores_of(truth, 0 * truth, np.array([1, 2]), abstains=True)
    assert (none.oa, none.coverage) == (0, 0)
    assert np.isnan(none.oa_answered)
