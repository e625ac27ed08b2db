"""`best`: members as other libraries fit them, a plan chosen on training pixels alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_ridge import KernelRidge

from engine.training.checkpoint import Checkpoint
from hsi.classifiers import committee, members
from hsi.classifiers.committee import Committee
from hsi.classifiers.members import PLANS, KernelRegression, Logistic
from hsi.classifiers.model import load_model, make_classifier
from hsi.classifiers.protocol import Application, Training
from hsi.classifiers.schedules import schedule
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.maps.blocks import classify_whole
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split


@pytest.fixture(scope="module")
def training(scene, labels, cpu):
    split = make_split(labels, "random:0.2", seed=0)
    return Training(
        scene, labels, split, 0, schedule("demo", 60), cpu, Checkpoint(Path("unused"), {})
    )


def planned(monkeypatch, plan):
    monkeypatch.setattr(committee, "NEAR", 0.0 if plan == "far" else 1000.0)
    return make_classifier("best")


@pytest.mark.parametrize("plan", PLANS)
def test_every_plan_learns_blocks_leave_no_seam_and_a_file_keeps_it(
    plan, training, cpu, monkeypatch, tmp_path
):
    made = planned(monkeypatch, plan)
    out = tmp_path / "best.safetensors"
    train(made, training.scene, training.labels, training.split, out, compute=cpu)
    cube = training.scene.cube.copy()
    cube[3:6, 8:20] = 0
    holed = Scene("holed", cube, training.scene.wavelengths)
    whole = classify_whole(made, holed, Application(cpu, 100, probabilities=True))
    assert (whole.indices[3:6, 8:20] == -1).all()
    test = training.split.test & (whole.indices >= 0)
    assert (whole.indices == training.labels.indices)[test].mean() > 0.95
    model = load_model(out)
    assert model.description["settings"]["smooth"] == str(made.smoothing)
    for held in (made, model.classifier):
        found = classify_whole(held, holed, Application(cpu, 7, probabilities=True))
        assert np.array_equal(found.indices, whole.indices)
        assert found.probabilities == pytest.approx(whole.probabilities, abs=1e-5)


@pytest.mark.parametrize(("apart", "plan"), [(3, "near"), (60, "far")])
def test_the_plan_goes_by_the_distance_to_training_pixels(apart, plan):
    train = np.zeros((60, 60), bool)
    train[::apart, ::apart] = True
    distance = committee.mean_distance(train, np.random.default_rng(0))
    assert ("far" if distance > committee.NEAR else "near") == plan


def test_a_map_does_not_depend_on_test_labels(training, cpu):
    one, two = make_classifier("best"), make_classifier("best")
    one.fit(training)
    truth = training.labels.ground_truth.copy()
    truth[training.split.test] = np.random.default_rng(0).permutation(truth[training.split.test])
    two.fit(replace(training, labels=replace(training.labels, ground_truth=truth)))
    assert one.classifier.settings == two.classifier.settings
    maps = [classify_whole(made, training.scene, Application(cpu)).indices for made in (one, two)]
    assert np.array_equal(*maps)


@pytest.mark.parametrize(("smooth", "kept"), [("box:1", "box:1"), ("none", None)])
def test_another_smoothing_or_none(smooth, kept, training, cpu, tmp_path):
    made, out = make_classifier("best", settings={"smooth": smooth}), tmp_path / "m.safetensors"
    train(made, training.scene, training.labels, training.split, out, compute=cpu)
    assert load_model(out).description["settings"].get("smooth") == kept


def test_only_best_chooses_its_smoothing():
    with pytest.raises(HsiError, match="`smooth` auto: forest chooses none; expected box:R"):
        make_classifier("forest", settings={"smooth": "auto"})


def test_the_kernel_regression_is_scikit_learns_ridge():
    rng = np.random.default_rng(0)
    features, targets = rng.normal(size=(60, 5)), rng.integers(0, 3, 60) * 2
    found = KernelRegression.fit(features, targets, 6, [slice(0, 5)], [0.7], 0.2, rng)
    kernel = RBF(np.sqrt(5 / 0.7 / 2))(features)
    share = np.eye(3)[targets // 2] - 1 / 3
    weights = (60 / 3 / np.bincount(targets // 2))[targets // 2] ** 0.5
    expected = KernelRidge(alpha=0.2, kernel="precomputed").fit(kernel, share, weights)
    assert found.weights == pytest.approx(expected.dual_coef_, abs=1e-8)
    shares = found.probabilities(rng.normal(size=(9, 5)))
    assert shares.sum(axis=1) == pytest.approx(1)
    assert (shares[:, 1::2] == 0).all()


def test_of_many_training_pixels_the_kernel_takes_some_of_every_class(monkeypatch):
    monkeypatch.setattr(members, "LANDMARKS", 10)
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1, 2], [40, 40, 1])
    found = KernelRegression.fit(rng.normal(size=(81, 2)), targets, 3, [slice(0, 2)], [1.0], 1, rng)
    assert len(found.landmarks) == 10
    assert found.known.tolist() == [0, 1, 2]


@pytest.mark.parametrize("classes", [2, 3])
def test_the_logistic_regression_gives_scikit_learns_probabilities(classes):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    targets = rng.integers(0, classes, 80)
    features = rng.normal(size=(80, 4)) + targets[:, None]
    reference = LogisticRegression(C=members.C, class_weight="balanced", tol=1e-4, max_iter=1000)
    expected = reference.fit(features, targets).predict_proba(features)
    found = Logistic.fit(features, targets + 1, classes + 1).probabilities(features)
    assert found[:, 1:] == pytest.approx(expected, abs=1e-6)
    assert (found[:, 0] == 0).all()


def test_a_model_of_the_earlier_best_says_what_to_do(training, cpu, tmp_path):
    with pytest.raises(HsiError, match="plan: expected one of far, near, found None; train again"):
        Committee.load({}, {"classes": 3})
