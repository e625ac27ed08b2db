"""Pixels left open, and the rasters of certainty beside a map."""

import json

import numpy as np
import pytest

from hsi.calibration.conformal import PERCENT
from hsi.calibration.temperature import tempered
from hsi.classifiers.model import Model, load_model
from hsi.errors import HsiError
from hsi.features.smoothing import Smoothing
from hsi.formats.registry import read
from hsi.maps.join import join
from hsi.maps.options import MapOptions, Strip
from hsi.scenes.scene import open_scene
from tests.hsi.small_maps import run

LAYERS = {"probabilities": True, "confidence": True, "entropy": True, "margin": True}


@pytest.fixture(scope="module")
def models(small_models):
    """The small models, and one that is calibrated by numbers made up."""
    made = load_model(small_models / "cnn2d.safetensors")
    kept = {"temperature": 1.7, "least": list(np.linspace(0.9, 0.2, len(PERCENT))), "pixels": 50}
    Model(made.classifier, {**made.description, "calibration": kept}).save(
        small_models / "warm.safetensors"
    )
    return small_models


def arrays(found, *names):
    return [np.asarray(np.load(getattr(found, name))) for name in names]


def test_rasters_of_certainty_are_those_of_the_probabilities(models, tmp_path, cpu):
    found = run(models, tmp_path / "m.npy", cpu, **LAYERS)
    shares, confidence, entropy, margin = arrays(found, *LAYERS)
    ordered = np.sort(shares, axis=2)
    assert np.array_equal(confidence, ordered[..., -1])
    assert np.array_equal(margin, ordered[..., -1] - ordered[..., -2])
    exact = shares.astype(float)
    assert entropy == pytest.approx(-(exact * np.log2(exact + 1e-300)).sum(axis=2), abs=1e-5)
    assert {a.dtype for a in (shares, confidence, entropy, margin)} == {np.dtype(np.float32)}


def test_uncertain_pixels_are_left_open(models, tmp_path, cpu, caplog):
    plain = run(models, tmp_path / "plain.npy", cpu, confidence=True)
    numbers, confidence = arrays(plain, "map", "confidence")
    level = float(np.median(confidence))
    found = run(models, tmp_path / "open.npy", cpu, abstain=level)
    expected = np.where(confidence < level, 0, numbers)
    assert np.array_equal(np.load(found.map), expected)
    assert 0.3 < (expected == 0).mean() < 0.6
    record = json.loads(found.record.read_text())
    assert (record["abstain"], record["calibration"]) == (level, None)
    assert record["pixels"]["0"] == (expected == 0).sum()
    assert f"or no probability of at least {level:g}: 0 in the map" in caplog.text


def test_calibration_of_a_model_is_used(models, tmp_path, cpu):
    plain = run(models, tmp_path / "plain.npy", cpu, probabilities=True)
    found = run(models, tmp_path / "warm.npy", cpu, "warm", sets=0.9, abstain=0.5, **LAYERS)
    raw, (shares, confidence, sets) = (
        np.load(plain.probabilities), arrays(found, "probabilities", "confidence", "sets"),
    )  # fmt: skip
    assert shares == pytest.approx(tempered(raw, 1.7), abs=1e-6)
    least = np.float32(np.linspace(0.9, 0.2, len(PERCENT))[40])
    assert sets.dtype == np.uint8
    assert np.array_equal(sets, raw >= np.minimum(least, raw.max(axis=2, keepdims=True)))
    assert np.array_equal(np.load(found.map), np.where(confidence < 0.5, 0, np.load(plain.map)))
    record = json.loads(found.record.read_text())
    assert (record["sets"], record["calibration"]["temperature"]) == (0.9, 1.7)
    hashes = {load_model(models / f"{name}.safetensors").sha256 for name in ("cnn2d", "warm")}
    assert len(hashes) == 2


@pytest.mark.parametrize("suffix", [".npy", ".hdr", ".tif"])
def test_blocks_do_not_change_them(models, tmp_path, cpu, suffix):
    chosen = {**LAYERS, "sets": 0.8, "abstain": 0.5}
    whole = run(models, tmp_path / f"whole{suffix}", cpu, "warm", **chosen)
    blocked = run(models, tmp_path / f"blocked{suffix}", cpu, "warm", block=7, **chosen)
    assert np.array_equal(*(np.asarray(read(f.map, "labels").array) for f in (whole, blocked)))
    for name in (*LAYERS, "sets"):
        one, two = (
            np.asarray(read(getattr(f, name), "cube" if name in ("sets", "probabilities") else
                            "labels").array) for f in (whole, blocked)
        )  # fmt: skip
        assert one == pytest.approx(two, abs=1e-5)


def test_strips_are_joined_with_their_rasters(models, tmp_path, cpu):
    chosen = {"confidence": True, "entropy": True, "sets": 0.8, "abstain": 0.5}
    whole = run(models, tmp_path / "whole.npy", cpu, "warm", **chosen)
    for number in (1, 2):
        run(models, tmp_path / f"{number}.npy", cpu, "warm", strip=Strip(number, 2), **chosen)
    scene, strips = open_scene(models / "stripes.hdr"), [tmp_path / "1.npy", tmp_path / "2.npy"]
    out = join(scene, models / "warm.safetensors", strips, tmp_path / "joined.npy")
    assert np.array_equal(np.load(out), np.load(whole.map))
    for name in ("confidence", "entropy", "sets"):
        assert np.load(tmp_path / f"joined_{name}.npy") == pytest.approx(
            np.load(getattr(whole, name)), abs=1e-5
        )
    run(models, tmp_path / "2.npy", cpu, "warm", strip=Strip(2, 2), overwrite=True, sets=0.8)
    with pytest.raises(HsiError, match=r"2.npy: expected abstain as in 1.npy, 0.5, found None"):
        join(scene, models / "warm.safetensors", strips, tmp_path / "other.npy")


def test_pixels_without_data_have_no_certainty(models, tmp_path, cpu, scene):
    from hsi.maps.classify import classify
    from hsi.scenes.scene import Scene

    cube = scene.cube.copy()
    cube[:4, :4] = 0
    holed = Scene("holed", cube, scene.wavelengths)
    chosen = MapOptions(sets=0.8, **LAYERS)
    found = classify(holed, models / "warm.safetensors", tmp_path / "m.npy", chosen, compute=cpu)
    corner = [a[:4, :4] for a in arrays(found, "map", "probabilities", "confidence", "sets")]
    assert not any(part.any() for part in corner)
    entropy = np.load(found.entropy)
    assert np.isnan(entropy).sum() == 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"abstain": 1.5}, r"`abstain` 1.5: expected a probability above 0 and below 1"),
        ({"abstain": 0.0}, r"`abstain` 0: expected a probability above 0 and below 1"),
        ({"abstain": float("nan")}, r"`abstain` nan: expected a probability"),
        ({"sets": 1.0}, r"`sets` 1: expected a coverage from 0.5 to 0.99"),
        ({"sets": 0.9}, r"`sets` 0.9: expected a calibrated model, found one without; run hsi cal"),
    ],
)
def test_bad_options_are_refused_before_any_work(models, tmp_path, cpu, options, message):
    with pytest.raises(HsiError, match=message):
        run(models, tmp_path / "m.npy", cpu, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_calibration_does_not_hold_for_other_smoothing(models, tmp_path, cpu, caplog):
    smooth = Smoothing.parse("box:1")
    with pytest.raises(HsiError, match=r"`sets` 0\.9: the coverage was learned without that smoo"):
        run(models, tmp_path / "m.npy", cpu, "warm", sets=0.9, smooth=smooth)
    assert list(tmp_path.iterdir()) == []
    run(models, tmp_path / "m.npy", cpu, "warm", confidence=True, smooth=smooth)
    assert "box:1: the temperature was learned without that smoothing" in caplog.text


@pytest.mark.parametrize("option", ["abstain", "entropy", "margin", "sets"])
def test_classifiers_without_probabilities_are_refused(models, tmp_path, cpu, option):
    value = {"abstain": 0.6, "sets": 0.9}.get(option, True)
    with pytest.raises(HsiError, match=f"`{option}`: needs probabilities, and svm has none"):
        run(models, tmp_path / "m.npy", cpu, "svm", **{option: value})
