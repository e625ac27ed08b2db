from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

from engine.device import Compute
from engine.tensors import load_tensors
from hsi.classifiers import batches as examples
from hsi.classifiers import protocol
from hsi.classifiers.model import CLASSIFIERS, load_model, make_classifier
from hsi.classifiers.protocol import Application, Classifier
from hsi.classifiers.schedules import WindowSchedule, schedule
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.features.components import ComponentsFile
from hsi.features.pca import fit_pca
from hsi.maps.blocks import classify_whole
from hsi.networks.hybridsn import HybridSN
from hsi.scenes.labels import make_labels
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split

SETTINGS = {"steps": 6, "batch_size": 16, "learning_rate": 0.002}


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    path = tmp_path_factory.mktemp("schedule") / "quick.yaml"
    path.write_text(yaml.safe_dump(SETTINGS))
    return str(path)


@pytest.fixture(scope="module")
def split(labels):
    return make_split(labels, "random:0.1", seed=0, window=9)


def small() -> Classifier:
    return make_classifier("hybridsn", window=9, components=13)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, scene, labels, split, cpu, quick):
    out = tmp_path_factory.mktemp("model") / "model.safetensors"
    history = out.with_name("train.csv")
    train(
        small(), scene, labels, split, out,
        compute=cpu, schedule=quick, history=history,
    )  # fmt: skip
    return out


def test_one_file_says_how_it_was_made(trained, split, labels):
    _, description = load_tensors(trained)
    assert description["classifier"] == "hybridsn"
    assert description["classes"] == [1, 2, 7]
    assert description["split"] == split.describe()
    assert description["schedule"]["steps"] == 6
    assert description["seconds_train"] > 0
    assert description["settings"]["architecture"]["window"] == 9
    assert description["settings"]["pca_fitted_on"] == "all pixels"
    assert {"code_revision", "versions", "data", "wavelengths", "seed"} <= set(description)
    assert trained.with_name("train.csv").read_text().startswith("step,loss,learning_rate,seconds")
    assert not (trained.parent / ".resume").exists()


def test_loaded_predicts_what_the_network_says(trained, scene, cpu):
    model = load_model(trained)
    found = classify_whole(model.classifier, scene, Application(cpu, probabilities=True))
    assert found.indices.shape == scene.shape
    assert found.probabilities.sum(axis=2) == pytest.approx(np.ones(scene.shape), abs=1e-5)
    assert np.array_equal(found.probabilities.argmax(axis=2), found.indices)
    blocked = classify_whole(model.classifier, scene, Application(cpu, block=7))
    assert np.array_equal(blocked.indices, found.indices)


def test_same_seed_same_weights_and_nothing_twice(
    tmp_path, trained, scene, labels, split, cpu, quick, caplog
):
    out = tmp_path / "model.safetensors"
    train(small(), scene, labels, split, out, compute=cpu, schedule=quick)
    one, _ = load_tensors(trained)
    two, _ = load_tensors(out)
    assert all(torch.equal(one[name], two[name]) for name in one)
    written = out.stat().st_mtime_ns
    with caplog.at_level("INFO"):
        train(small(), scene, labels, split, out, compute=cpu, schedule=quick)
    assert "nothing to do" in caplog.text
    assert out.stat().st_mtime_ns == written


def test_prepared_components_change_nothing(tmp_path, trained, scene, labels, split, cpu, quick):
    pca = fit_pca(scene, 13)
    prepared = ComponentsFile(pca.reduce(scene), pca, scene.name, scene.checksum())
    out = tmp_path / "model.safetensors"
    train(small(), scene, labels, split, out, compute=cpu, schedule=quick, reduced=prepared)
    one, _ = load_tensors(trained)
    two, _ = load_tensors(out)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    classifier = load_model(out).classifier
    plain = classify_whole(classifier, scene, Application(cpu)).indices
    assert np.array_equal(
        classify_whole(classifier, scene, Application(cpu, reduced=prepared)).indices, plain
    )
    other = fit_pca(scene, 13, training=split.train)
    wrong = ComponentsFile(other.reduce(scene), other, scene.name, scene.checksum())
    with pytest.raises(HsiError, match="expected the model's own projection"):
        classify_whole(classifier, scene, Application(cpu, reduced=wrong))


@pytest.mark.parametrize("name", ["coordinates", "svm", "boxmean-svm"])
def test_controls_are_one_file_too(tmp_path, scene, labels, split, cpu, name):
    out = tmp_path / "model.safetensors"
    train(CLASSIFIERS[name](), scene, labels, split, out, compute=cpu, schedule="demo")
    model = load_model(out)
    assert model.description["schedule"] is None
    indices = classify_whole(model.classifier, scene, Application(cpu)).indices
    assert (indices == labels.indices)[split.test].mean() > 0.85


def test_other_bands_are_refused(trained, scene):
    model = load_model(trained)
    with pytest.raises(HsiError, match=r"expected 16 bands as in Stripes, .* found 15"):
        model.match(Scene("x", scene.cube[..., :15]))
    shifted = Scene("x", scene.cube, scene.wavelengths + 10)
    with pytest.raises(HsiError, match=r"16 of them have none within 0.1 nm here \(400, 533"):
        model.match(shifted)


def test_labels_and_split_must_belong_together(tmp_path, scene, split, labels, cpu):
    out = tmp_path / "m.safetensors"
    swapped = labels.ground_truth.copy()
    swapped[swapped == 2] = 3
    others = make_labels("x", swapped)
    with pytest.raises(HsiError, match="found it made from others"):
        train(CLASSIFIERS["svm"](), scene, others, split, out, compute=cpu)


def test_window_larger_than_the_scene_is_refused(tmp_path, scene, labels, split, cpu, quick):
    wide = make_classifier("hybridsn", window=29, components=13)
    with pytest.raises(HsiError, match="expected a scene of at least the window's 29 × 29"):
        train(
            wide, scene, labels, split, tmp_path / "m.safetensors",
            compute=cpu, schedule=quick,
        )  # fmt: skip


@pytest.mark.parametrize("short", [False, True])
def test_an_epoch_holds_every_pixel_once(short, scene, labels, split, cpu):
    pixels = int(split.train.sum())
    size = pixels // 3 + 1 if short else pixels // 3
    plan = WindowSchedule("x", 6, size, short_batch=short)
    training = protocol.Training(scene, labels, split, 0, plan, cpu, None)
    batches = examples.Batches(training)
    drawn = [batches.draw(step) for step in range(6)]
    for epoch in (drawn[:3], drawn[3:]):
        places = np.concatenate([np.stack([w.rows, w.columns]) for w, _ in epoch], axis=1).T
        assert sorted(map(tuple, places)) == sorted(map(tuple, np.argwhere(split.train)))
        sizes = [len(targets) for _, targets in epoch]
        assert sizes == [size, size, pixels - 2 * size] if short else max(sizes) - min(sizes) <= 1
    assert not np.array_equal(drawn[0][0].rows, drawn[3][0].rows)
    rows, columns = drawn[0][0].rows, drawn[0][0].columns
    assert np.array_equal(labels.indices[rows, columns], drawn[0][1])


def test_paper_schedule_is_a_hundred_epochs():
    paper = schedule("paper", 3074)
    assert (paper.steps, paper.batch_size, paper.learning_rate) == (1200, 256, 1e-3)
    assert (paper.decay, paper.optimizer, paper.keep_best_every) == ("constant", "adam", 0)
    assert (paper.warmup_steps, paper.ema_decay, paper.rate(20)) == (20, 0.99, 1e-3)


def test_notebook_schedule_cuts_epochs_as_keras_does():
    notebook = schedule("notebook", 3074)
    assert (notebook.steps, notebook.batch_size, notebook.learning_rate) == (1300, 256, 1e-3)
    assert (notebook.optimizer, notebook.keep_best_every) == ("keras-adam", 13)
    assert notebook.short_batch


def test_the_score_of_a_batch_is_its_right_pixels(scene, labels, split, cpu):
    plan = WindowSchedule("x", 1, int(split.train.sum()))
    training = protocol.Training(scene, labels, split, 0, plan, cpu, None)
    classifier = small()
    cube = fit_pca(scene, 13).reduce(scene)
    drawn = examples.Examples(training, cube, fit_pca(scene, 13), 9, classifier.recipe)
    batch = drawn.draw(0, torch.Generator())
    network = HybridSN(len(labels.classes), 9, 13).build(torch.Generator().manual_seed(0)).eval()
    value, score = drawn.loss(network, batch)
    logits = batch[0].logits(network, batch[2])
    assert int(score) == int((logits.argmax(1).numpy() == batch[1].numpy()).sum()) > 0
    assert torch.allclose(value, torch.nn.functional.cross_entropy(logits, batch[1]))


def test_best_schedule_is_fifteen_epochs_and_never_very_short():
    assert schedule("best", 5538).steps == 15 * 22
    assert schedule("best", 300).steps == 150
    assert schedule("best", 300).rate(149) < 1e-5


def test_bfloat16_trains_and_predicts(tmp_path, scene, labels, split, quick):
    compute = Compute(torch.device("cpu"), "bf16", "for the test")
    out = tmp_path / "model.safetensors"
    train(small(), scene, labels, split, out, compute=compute, schedule=quick)
    tensors, description = load_tensors(out)
    assert description["precision"] == "bf16"
    assert all(t.dtype == torch.float32 for n, t in tensors.items() if n.startswith("network."))
    found = classify_whole(
        load_model(out).classifier, scene, Application(compute, probabilities=True)
    )
    assert np.isfinite(found.probabilities).all()


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize("name", ["svm", "hybridsn"])
def test_training_pixels_without_data_are_named(tmp_path, scene, labels, split, cpu, kind, name):
    row, column = np.argwhere(split.train)[-1]
    cube = (scene.cube * 1000).astype(kind)
    cube[row, column] = np.nan if kind is float else 0
    broken = Scene("broken", cube)
    classifier = make_classifier(name, **({} if name == "svm" else {"window": 9}))
    with pytest.raises(HsiError, match=rf"found 1 of \d+ without .* row {row}, column {column}"):
        train(classifier, broken, labels, split, tmp_path / "m.safetensors", compute=cpu)
    assert list(tmp_path.iterdir()) == []


def test_a_band_without_numbers_is_named(tmp_path, scene, labels, split, cpu):
    cube = scene.cube.astype(np.float32)
    cube[:, :, 2] = np.nan
    with pytest.raises(HsiError, match=r"in 1 of 16 bands \(3, counted from 1\); mark them"):
        train(
            small(), replace(scene, cube=cube), labels, split, tmp_path / "m.safetensors",
            compute=cpu,
        )  # fmt: skip
    cube[:] = 0  # nothing is wrong with single bands
    with pytest.raises(HsiError, match=r"found (\d+) of \1 without"):
        train(
            small(), replace(scene, cube=cube), labels, split, tmp_path / "m.safetensors",
            compute=cpu,
        )  # fmt: skip
