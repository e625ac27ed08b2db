"""What a recipe changes in training and mapping."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from hsi.classifiers.batches import Examples
from hsi.classifiers.catalogue import CATALOGUE, networks
from hsi.classifiers.model import ARCHITECTURES, load_model, make_classifier
from hsi.classifiers.protocol import Application, Training
from hsi.classifiers.recipe import Recipe, parse_settings
from hsi.classifiers.schedules import WindowSchedule, schedule
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.features.components import ComponentsFile
from hsi.features.pca import fit_pca
from hsi.maps.blocks import classify_whole
from hsi.networks.backbones import Backbone
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split

NARROW = {"hidden": "8,6", "dropout": "0.1"}
THIN = {"width": "0.03"}  # of a backbone


@pytest.fixture(scope="module")
def split(labels):
    return make_split(labels, "random:0.1", seed=0, window=9)


@pytest.fixture
def quick(tmp_path):
    path = tmp_path / "quick.yaml"
    path.write_text(yaml.safe_dump({"steps": 3, "batch_size": 16, "learning_rate": 0.002}))
    return str(path)


@pytest.mark.parametrize("name", networks())
def test_every_network_trains_and_is_one_file(tmp_path, scene, labels, split, cpu, quick, name):
    out = tmp_path / "model.safetensors"
    window = 13 if CATALOGUE[name].takes_window else None
    backbone = issubclass(ARCHITECTURES[CATALOGUE[name].architecture], Backbone)
    settings = THIN if backbone else NARROW
    classifier = make_classifier(name, window=window, components=13, settings=settings)
    train(classifier, scene, labels, split, out, compute=cpu, schedule=quick)
    model = load_model(out)
    assert model.description["classifier"] == name
    assert model.description["settings"]["window"] == (window or CATALOGUE[name].window)
    assert model.description["settings"]["multiply_adds_a_pixel"] > 0
    application = Application(cpu, probabilities=True)
    one, two = (classify_whole(c, scene, application) for c in (classifier, model.classifier))
    assert np.array_equal(one.probabilities, two.probabilities)
    assert np.array_equal(one.indices, one.probabilities.argmax(axis=2))


def test_cnn2d_13_takes_fewer_components_where_there_are_fewer_bands(
    tmp_path, scene, labels, split, cpu, quick
):
    out = tmp_path / "model.safetensors"
    bands = scene.cube.shape[2]
    assert bands < make_classifier("cnn2d-13").components
    train(make_classifier("cnn2d-13"), scene, labels, split, out, compute=cpu, schedule=quick)
    assert load_model(out).classifier.components == bands
    asked = make_classifier("cnn2d-13", components=bands + 1)
    with pytest.raises(HsiError, match=f"components: expected 1 to {bands}"):
        train(asked, scene, labels, split, out, compute=cpu, schedule=quick)


def test_averaging_makes_the_map_turn_with_the_scene(tmp_path, scene, labels, split, cpu, quick):
    found = {}
    for average in ("false", "true"):
        classifier = make_classifier(
            "cnn2d", window=9, components=5, settings=NARROW | {"average": average}
        )
        train(
            classifier, scene, labels, split, tmp_path / f"{average}.safetensors",
            compute=cpu, schedule=quick,
        )  # fmt: skip
        turned = Scene("turned", np.rot90(scene.cube), scene.wavelengths)
        application = Application(cpu, probabilities=True)
        plain, after = (classify_whole(classifier, s, application) for s in (scene, turned))
        found[average] = np.abs(np.rot90(plain.probabilities) - after.probabilities).max()
    assert found["false"] > 1e-4
    assert found["true"] < 1e-6


def test_batches_are_turned_and_noisy_by_their_step_alone(scene, labels, split, cpu):
    pca = fit_pca(scene, 5)
    training = Training(scene, labels, split, 0, WindowSchedule("x", 4, 16), cpu, None)
    made = Examples(training, pca.reduce(scene), pca, 9, Recipe(dihedral=True, component_noise=0.1))
    drawn = [made.draw(1, torch.Generator().manual_seed(s)) for s in (7, 7, 8)]
    (one, _, noisy), (again, _, same), (other, _, different) = drawn
    assert set(one.orientations.tolist()) <= set(range(8))
    assert len(set(one.orientations.tolist())) > 3
    assert np.array_equal(one.orientations, again.orientations)
    assert torch.equal(noisy, same)
    assert not np.array_equal(one.orientations, other.orientations)
    assert not torch.equal(noisy, different)
    difference = noisy - made.padded
    assert difference[:, 4:-4, 4:-4].std().item() == pytest.approx(0.1, rel=0.05)
    assert (difference[:, :4] == 0).all()  # beyond the scene there is no noise, as in the map


def test_illumination_is_a_gain_on_the_spectra(scene, labels, split, cpu):
    pca = fit_pca(scene, 5)
    training = Training(scene, labels, split, 0, WindowSchedule("x", 4, 16), cpu, None)
    made = Examples(training, pca.reduce(scene), pca, 9, Recipe(illumination=0.2))
    drawn = [made.varied(torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert (drawn[0][:, :4] == 0).all()
    dark = made.dark
    inner, varied = (s[:, 4:-4, 4:-4].double() for s in (made.padded, drawn[0]))
    gain = ((varied - dark) * (inner - dark)).sum(0) / (inner - dark).square().sum(0)
    assert gain.std().item() == pytest.approx(0.2, rel=0.6)  # few independent points
    steps = torch.cat([gain.diff(dim=0).ravel(), gain.diff(dim=1).ravel()]).abs()
    assert steps.max() < 0.15  # smooth
    brighter = scene.cube[:, :, pca.bands] * gain.numpy()[:, :, None]
    valid = np.ones(scene.shape, bool)
    expected = np.moveaxis(pca.project(brighter, valid), -1, 0)
    np.testing.assert_allclose(varied, expected, atol=1e-3)


def test_what_holds_no_data_stays_zero_in_training(scene, labels, split, cpu):
    pca = fit_pca(scene, 5)
    cube = pca.reduce(scene)
    cube[2:4, 3:7] = 0
    training = Training(scene, labels, split, 0, WindowSchedule("x", 4, 16), cpu, None)
    made = Examples(training, cube, pca, 9, Recipe(illumination=0.2, component_noise=0.1))
    varied = made.varied(torch.Generator().manual_seed(0))[:, 4:-4, 4:-4]
    assert (varied[:, 2:4, 3:7] == 0).all()
    assert (varied[:, 5:] != 0).all()


def test_plain_recipe_is_the_published_way(scene, labels, split, cpu):
    pca = fit_pca(scene, 5)
    training = Training(scene, labels, split, 0, WindowSchedule("x", 4, 16), cpu, None)
    made = Examples(training, pca.reduce(scene), pca, 9, Recipe())
    windows, _, padded_scene = made.draw(0, torch.Generator())
    assert windows.orientations is None
    assert padded_scene is made.padded


def test_recipe_changes_what_it_states():
    plain = schedule("paper", 3075)
    assert Recipe().applied(plain) == plain
    decayed = Recipe(weight_decay=0.05).applied(plain)
    assert (decayed.optimizer, decayed.weight_decay) == ("adamw", 0.05)
    assert decayed.steps == plain.steps
    fast = Recipe(optimizer="muon", learning_rate=0.004, decay="cosine").applied(plain)
    assert (fast.optimizer, fast.momentum, fast.learning_rate) == ("muon", 0.95, 0.004)
    assert fast.decay == "cosine"


def test_settings_have_the_types_of_their_fields():
    kind = ARCHITECTURES["hybridsn"]
    given = {"dihedral": "true", "hidden": "8,6", "component_noise": "0.1", "filters_2d": "32"}
    assert parse_settings(given, Recipe, kind) == {
        "dihedral": True, "hidden": (8, 6), "component_noise": 0.1, "filters_2d": 32,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("hybridsn", {"settings": {"dihedrall": "true"}}, "no such setting; known: dihedral"),
        ("hybridsn", {"settings": {"dihedral": "yes"}}, "expected true or false"),
        ("hybridsn", {"settings": {"hidden": "a,b"}}, "expected numbers such as 256,128"),
        ("hybridsn", {"settings": {"window": "9"}}, "`settings` window: no such setting"),
        ("hybridsn", {"settings": {"label_smoothing": "1"}}, "label_smoothing: expected at least"),
        ("hybridsn-11", {"window": 9}, "its window is 11; leave out `window`"),
        ("svm", {"window": 9}, "`classifier` svm: it has no `window`"),
        ("svm", {"settings": {"dihedral": "true"}}, "`classifier` svm: it has no `settings`"),
    ],
)
def test_wrong_settings_are_one_line(name, options, message):
    with pytest.raises(HsiError, match=message):
        make_classifier(name, **options)


def test_training_pca_asks_for_such_components(tmp_path, scene, labels, split, cpu, quick):
    pca = fit_pca(scene, 5)
    prepared = ComponentsFile(pca.reduce(scene), pca, scene.name, scene.checksum())
    settings = NARROW | {"training_pca": "true"}
    out = Path(tmp_path) / "m.safetensors"
    with pytest.raises(HsiError, match="training_pca asks for components fitted on training"):
        train(
            make_classifier("cnn2d", window=9, components=5, settings=settings),
            scene, labels, split, out, compute=cpu, schedule=quick, reduced=prepared,
        )  # fmt: skip
    train(
        make_classifier("cnn2d", window=9, components=5, settings=settings),
        scene, labels, split, out, compute=cpu, schedule=quick,
    )  # fmt: skip
    assert load_model(out).description["settings"]["pca_fitted_on"] == "training pixels"
