from pathlib import Path

import numpy as np
import pytest

from engine.training.checkpoint import Checkpoint
from hsi.classifiers.coordinates import Coordinates
from hsi.classifiers.protocol import Application, Training
from hsi.classifiers.schedules import schedule
from hsi.classifiers.spectral import SVM, BoxMeanSVM, Forest, stratified_folds
from hsi.errors import HsiError
from hsi.maps.blocks import classify_whole
from hsi.scenes import spectra
from hsi.splits.split import make_split

CONTROLS = [Coordinates, SVM, BoxMeanSVM, Forest]


@pytest.fixture(scope="module")
def training(scene, labels, cpu):
    split = make_split(labels, "random:0.1", seed=0)
    checkpoint = Checkpoint(Path("unused"), {})
    return Training(scene, labels, split, 0, schedule("demo", 60), cpu, checkpoint)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(Forest, "choose", lambda _, seed: {"trees": 12, "seed": seed})


@pytest.mark.parametrize("kind", CONTROLS)
def test_learns_the_stripes(kind, training, cpu):
    classifier = kind()
    assert classifier.fit(training) >= 0
    indices = classify_whole(classifier, training.scene, Application(cpu)).indices
    test = training.split.test
    assert (indices == training.labels.indices)[test].mean() > 0.85


@pytest.mark.parametrize("kind", CONTROLS)
def test_saved_equals_loaded(kind, training, cpu):
    classifier = kind()
    classifier.fit(training)
    again = kind.load(*classifier.save())
    one, two = (
        classify_whole(c, training.scene, Application(cpu)).indices for c in (classifier, again)
    )
    assert np.array_equal(one, two)


def test_coordinates_take_the_nearest_training_pixel(training, cpu):
    classifier = Coordinates()
    classifier.fit(training)
    indices = classify_whole(classifier, training.scene, Application(cpu)).indices
    points = np.argwhere(training.split.train)
    for row, column in [(0, 0), (13, 9), (29, 26)]:
        distances = ((points - [row, column]) ** 2).sum(axis=1)
        nearest = training.targets[distances == distances.min()]
        assert indices[row, column] in nearest


@pytest.mark.parametrize("kind", CONTROLS)
@pytest.mark.parametrize("block", [1, 4, 7, 29])
def test_blocks_leave_no_seam(kind, block, training, cpu, monkeypatch):
    classifier = kind()
    classifier.fit(training)
    whole = classify_whole(classifier, training.scene, Application(cpu)).indices
    monkeypatch.setattr(spectra, "READ_BYTES", 27 * 16 * 8 * 4)
    blocked = classify_whole(classifier, training.scene, Application(cpu, block=block))
    assert np.array_equal(blocked.indices, whole)


def test_test_labels_are_not_looked_at(training, labels, cpu):
    wrong = labels.ground_truth.copy()
    wrong[training.split.test] = 1
    changed = type(labels)("x", wrong, labels.class_names, labels.colours)
    one, two = SVM(), SVM()
    one.fit(training)
    two.fit(type(training)(**{**vars(training), "labels": changed}))
    assert one.settings == two.settings
    assert np.array_equal(one.targets, two.targets)


def test_folds_spread_every_class():
    targets = np.repeat([0, 1, 2], [9, 4, 1])
    fold = stratified_folds(targets, 3, np.random.default_rng(0))
    assert np.bincount(fold[targets == 0]).tolist() == [3, 3, 3]
    assert sorted(np.bincount(fold[targets == 1], minlength=3)) == [1, 1, 2]


def test_forest_has_probabilities_of_every_class(training, cpu):
    fewer = type(training)(
        **{
            **vars(training),
            "split": type(training.split)(
                **{
                    **vars(training.split),
                    "train": training.split.train & (training.labels.ground_truth != 2),
                }
            ),
        }
    )
    classifier = Forest()
    classifier.fit(fewer)
    again = Forest.load(*classifier.save())
    found = classify_whole(again, training.scene, Application(cpu, probabilities=True))
    assert found.probabilities.shape == (30, 27, 3)
    assert found.probabilities.sum(axis=2) == pytest.approx(1, abs=1e-6)
    assert (found.probabilities[..., 1] == 0).all()
    assert np.array_equal(found.probabilities.argmax(axis=2), found.indices)


def test_c_is_searched_where_there_are_pixels_to_search_on():
    classifier = SVM()
    rng = np.random.default_rng(0)
    classifier.targets = np.repeat([0, 1], 30)
    classifier.spectra = (rng.normal(size=(60, 4)) + classifier.targets[:, None]).astype("f")
    assert set(classifier.choose(0)["searched"]) == {1.0, 10.0, 100.0, 1000.0}
    classifier.targets, classifier.spectra = np.array([0, 1]), np.ones((2, 4), "f")
    assert classifier.choose(0) == {"c": 100.0, "searched": {}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda cube: cube.__setitem__((5, 5, 3), np.nan), "at 1 places in 1 of 16 bands, first"),
        (lambda cube: cube.__setitem__((..., 4), np.inf), "first in band 5; mark whole bands"),
        (lambda cube: cube.fill(7), "expected bands that vary, found all of them constant"),
    ],
)
def test_spectra_that_cannot_be_learnt_from_are_refused(training, cpu, change, message):
    cube = training.scene.cube.astype(np.float32)
    change(cube)
    scene = type(training.scene)("x", cube)
    everywhere = type(training.split)(
        **{**vars(training.split), "train": training.labels.ground_truth > 0}
    )
    changed = type(training)(**{**vars(training), "scene": scene, "split": everywhere})
    with pytest.raises(HsiError, match=message):
        SVM().fit(changed)


def test_constant_band_changes_nothing_for_others(training, cpu):
    cube = training.scene.cube.copy()
    cube[..., 4] = 7
    scene = type(training.scene)("x", cube)
    classifier = SVM()
    classifier.fit(type(training)(**{**vars(training), "scene": scene}))
    indices = classify_whole(classifier, scene, Application(cpu)).indices
    test = training.split.test
    assert (indices == training.labels.indices)[test].mean() > 0.85


def test_what_has_no_probabilities_says_so(training, cpu):
    classifier = Coordinates()
    classifier.fit(training)
    with pytest.raises(HsiError, match="coordinates has none"):
        classify_whole(classifier, training.scene, Application(cpu, probabilities=True))
