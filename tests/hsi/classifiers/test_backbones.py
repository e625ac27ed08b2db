"""Backbones are trained, saved and mapped as all networks are, those that normalise, too."""

import csv

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from engine.device import Compute
from engine.tensors import load_tensors, save_tensors
from engine.training import loop
from hsi.classifiers.batches import Batches, Examples
from hsi.classifiers.catalogue import CATALOGUE
from hsi.classifiers.model import ARCHITECTURES, load_model, make_classifier
from hsi.classifiers.protocol import Application, Training
from hsi.classifiers.recipe import Recipe
from hsi.classifiers.schedules import WindowSchedule
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.features.components import ComponentsFile
from hsi.features.pca import fit_pca
from hsi.maps.blocks import classify_whole
from hsi.networks.backbones import Backbone, GoogLeNet, ResNet
from hsi.networks.windows import Windows, padded
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split

NAMES = [
    name
    for name, listed in CATALOGUE.items()
    if listed.network and issubclass(ARCHITECTURES[listed.architecture], Backbone)
]


@pytest.fixture(scope="module")
def split(labels):
    return make_split(labels, "random:0.1", seed=0, window=9)


@pytest.fixture
def schedule(tmp_path):
    def write(**settings):
        path = tmp_path / "schedule.yaml"
        text = {"steps": 4, "batch_size": 16, "learning_rate": 0.002} | settings
        path.write_text(yaml.safe_dump(text))
        return str(path)

    return write


def small(name="resnet18", window=9, components=5, **settings):
    chosen = {"width": 0.05, **settings}
    return make_classifier(name, window=window, components=components, settings=chosen)


def test_ten_are_listed():
    assert NAMES == [
        "lenet5", "alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "mobilenet-v1",
        "mobilenet-v2", "senet", "danet",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_falls_and_test_pixels_are_right(
    tmp_path, scene, labels, split, cpu, schedule, name
):
    depth = {"depth": 10} if name in ("resnet50", "senet", "danet") else {}
    width = 0.5 if name == "lenet5" else 0.12
    steps = 40 if name == "mobilenet-v2" else 24  # the slowest to learn
    history = tmp_path / "loss.csv"
    made = small(name, 13, width=width, **depth)
    train(
        made, scene, labels, split, tmp_path / "m.safetensors",
        compute=cpu, schedule=schedule(steps=steps, batch_size=32, learning_rate=0.004),
        history=history,
    )  # fmt: skip
    losses = [float(row["loss"]) for row in csv.DictReader(history.read_text().splitlines())]
    assert np.mean(losses[-4:]) < 0.75 * np.mean(losses[:2])
    # In evaluation mode and by the pass that maps use, not by the statistics of a batch.
    found = classify_whole(made, scene, Application(cpu)).numbers(labels.classes)
    right = (found == labels.ground_truth)[split.test].mean()
    assert right > 0.55, f"{right:.2f}, and a third by chance"


def test_native_windows_are_trained_and_mapped(tmp_path, scene, labels, split, cpu, schedule):
    out = tmp_path / "m.safetensors"
    made = small("lenet5", 5, form="native", width=1.0)
    train(made, scene, labels, split, out, compute=cpu, schedule=schedule())
    model = load_model(out)
    assert model.description["settings"]["parameters"] == 61_706 + 4 * 150 - 7 * 85
    blocks = [
        classify_whole(model.classifier, scene, Application(cpu, block, probabilities=True))
        for block in (None, 8)
    ]
    np.testing.assert_allclose(blocks[0].probabilities, blocks[1].probabilities, atol=1e-6)


def test_statistics_are_saved_and_a_map_is_the_same_by_blocks(
    tmp_path, scene, labels, split, cpu, schedule
):
    out, made = tmp_path / "m.safetensors", small()
    train(made, scene, labels, split, out, compute=cpu, schedule=schedule())
    tensors, _ = load_tensors(out)
    means = [value for name, value in tensors.items() if name.endswith("running_mean")]
    assert means
    assert all((mean != 0).any() for mean in means)
    whole, again, blocks = (
        classify_whole(classifier, scene, Application(cpu, block, probabilities=True))
        for classifier, block in (
            (made, None), (load_model(out).classifier, None), (made, 7),
        )
    )  # fmt: skip
    assert np.array_equal(whole.probabilities, again.probabilities)
    np.testing.assert_allclose(whole.probabilities, blocks.probabilities, atol=1e-6)


@pytest.mark.parametrize("option", ["ema_decay", "keep_best_every"])
def test_kept_weights_have_their_own_statistics(
    tmp_path, scene, labels, split, cpu, schedule, option
):
    found = {}
    for key, value in (("last", {}), (option, {option: 0.9 if option == "ema_decay" else 2})):
        out, made = tmp_path / f"{key}.safetensors", small()
        text = schedule(steps=7, **value)
        train(made, scene, labels, split, out, compute=cpu, schedule=text)
        found[key] = load_tensors(out)[0]
        again = load_model(out).classifier.network.state_dict()
        assert all(torch.equal(v, again[n]) for n, v in made.network.state_dict().items())
    statistics = [n for n in found["last"] if n.endswith(("running_mean", "running_var"))]
    assert all(not torch.equal(found["last"][n], found[option][n]) for n in statistics)


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "mobilenet-v2"])
def test_bfloat16_trains_with_statistics_in_float32(tmp_path, scene, labels, split, schedule, name):
    compute = Compute(torch.device("cpu"), "bf16", "for the test")
    out = tmp_path / "m.safetensors"
    train(small(name), scene, labels, split, out, compute=compute, schedule=schedule())
    tensors, _ = load_tensors(out)
    assert all(
        value.dtype == torch.float32
        for name, value in tensors.items()
        if name.startswith("network.") and value.is_floating_point()
    )
    application = Application(compute, probabilities=True)
    assert np.isfinite(
        classify_whole(load_model(out).classifier, scene, application).probabilities
    ).all()


def test_a_killed_training_ends_with_the_same_weights(
    tmp_path, scene, labels, split, cpu, schedule, monkeypatch
):
    text = schedule(steps=6)
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    train(small("googlenet"), scene, labels, split, one, compute=cpu, schedule=text)
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0.0)
    draw = Examples.draw

    def killed(self, step, generator):
        if step == 4:
            raise KeyboardInterrupt
        return draw(self, step, generator)

    monkeypatch.setattr(Examples, "draw", killed)
    with pytest.raises(KeyboardInterrupt):
        train(small("googlenet"), scene, labels, split, two, compute=cpu, schedule=text)
    monkeypatch.setattr(Examples, "draw", draw)
    train(small("googlenet"), scene, labels, split, two, compute=cpu, schedule=text)
    assert load_model(one).sha256 == load_model(two).sha256


def test_a_budget_is_found_once_and_saved_as_a_width(tmp_path, scene, labels, split, cpu, schedule):
    out = tmp_path / "m.safetensors"
    made = make_classifier("vgg16", window=9, components=5, settings={"parameters": 20_000})
    train(made, scene, labels, split, out, compute=cpu, schedule=schedule())
    settings = load_model(out).description["settings"]
    assert settings["parameters"] == pytest.approx(20_000, rel=0.05)
    assert settings["architecture"]["parameters"] == 0
    assert settings["architecture"]["width"] > 0


def batches(scene, labels, split, cpu, *, size, short=False, paired=True):
    plan = WindowSchedule("x", 9, size, short_batch=short)
    return Batches(Training(scene, labels, split, 0, plan, cpu, None), paired=paired)


@pytest.mark.parametrize("short", [False, True])
def test_no_batch_of_a_normalised_network_is_of_one_window(scene, labels, split, cpu, short):
    pixels = int(split.train.sum())
    size = pixels - 1 if short else 2
    if not short:
        assert pixels % 2  # or no batch would be of one
    drawn = {}
    for paired in (False, True):
        made = batches(scene, labels, split, cpu, size=size, short=short, paired=paired)
        drawn[paired] = [made.draw(step) for step in range(made.per_epoch)]
    assert [len(targets) for _, targets in drawn[False]][-1] == 1
    assert min(len(targets) for _, targets in drawn[True]) == 2
    for (one, _), (other, _) in zip(drawn[False], drawn[True], strict=True):
        assert set(zip(one.rows, one.columns, strict=True)) <= set(
            zip(other.rows, other.columns, strict=True)
        )


def test_batches_of_one_are_refused(tmp_path, scene, labels, split, cpu, schedule):
    message = "schedule schedule: batch_size: expected at least 2 windows for a network with batch"
    out = tmp_path / "m.safetensors"
    with pytest.raises(HsiError, match=message) as told:
        train(small(), scene, labels, split, out, compute=cpu, schedule=schedule(batch_size=1))
    assert "\n" not in str(told.value)
    train(  # without normalisation one is enough
        small("lenet5", 11), scene, labels, split, out, compute=cpu, schedule=schedule(batch_size=1)
    )


def test_windows_of_all_orientations_are_normalised_together():
    network = ResNet(3, 9, 5, width=0.05).build(torch.Generator().manual_seed(0)).train()
    reduced = np.random.default_rng(0).normal(size=(12, 12, 5)).astype(np.float32)
    scene = padded(reduced, 9)
    places = np.arange(8)
    windows = Windows(places, places, places)
    with torch.no_grad():
        found = windows.logits(network, scene)
        expected = network(windows.cut(9, scene))
    assert torch.equal(found, expected)  # of a batch; one by one they would be all alike
    assert found.std(0).max() > 0.01


def test_auxiliary_losses_count_in_training_alone(scene, labels, split, cpu):
    network = GoogLeNet(3, 9, 5, width=0.05, dropout=0.0).build(torch.Generator())
    pca = fit_pca(scene, 5)
    training = Training(scene, labels, split, 0, WindowSchedule("x", 4, 16), cpu, None)
    examples = Examples(training, pca.reduce(scene), pca, 9, Recipe(label_smoothing=0.1))
    batch = examples.draw(0, torch.Generator())
    windows, targets, around = batch

    def entropy(logits):
        return nn.functional.cross_entropy(logits, targets, label_smoothing=0.1)

    network.train()
    torch.manual_seed(1)  # of the heads' dropout
    value, _ = examples.loss(network, batch)
    torch.manual_seed(1)
    expected = entropy(windows.logits(network, around))
    for share, logits in network.auxiliary():
        expected = expected + share * entropy(logits)
    assert torch.allclose(value, expected)
    network.eval()
    value, _ = examples.loss(network, batch)
    assert torch.allclose(value, entropy(windows.logits(network, around)))


def test_scenes_of_fewer_bands_and_other_components_are_one_line(
    tmp_path, scene, labels, split, cpu, schedule
):
    out = tmp_path / "m.safetensors"
    three = Scene("three", scene.cube[..., :3].copy(), scene.wavelengths[:3])
    asked = small(components=30)
    with pytest.raises(HsiError, match=r"three: components: expected 1 to 3, .* found 30"):
        train(asked, three, labels, split, out, compute=cpu, schedule=schedule())
    pca = fit_pca(scene, 3)
    prepared = ComponentsFile(pca.reduce(scene), pca, scene.name, scene.checksum())
    with pytest.raises(HsiError, match="`components` 30: expected those of the reduced scene, 3"):
        train(asked, scene, labels, split, out, compute=cpu, schedule=schedule(), reduced=prepared)


def test_negative_variances_of_a_stranger_are_one_line(
    tmp_path, scene, labels, split, cpu, schedule
):
    out = tmp_path / "m.safetensors"
    train(small(), scene, labels, split, out, compute=cpu, schedule=schedule())
    tensors, description = load_tensors(out)
    name = next(name for name in tensors if name.endswith("running_var"))
    tensors[name][0] = -1
    save_tensors(out, tensors, description)
    with pytest.raises(HsiError, match="running_var: expected variances of 0 or more"):
        load_model(out)
