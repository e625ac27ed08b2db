"""Smoothed maps: strips as the whole, stated in the record, refused without probabilities."""

import json

import numpy as np
import pytest

from hsi.classifiers.model import make_classifier
from hsi.classifiers.spectral import Forest
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.features.smoothing import Smoothing
from hsi.maps.classify import classify
from hsi.maps.join import join
from hsi.maps.options import MapOptions, Strip
from hsi.splits.split import make_split

GUIDED = Smoothing.parse("guided:2")


@pytest.fixture(scope="module")
def models(tmp_path_factory, scene, labels, cpu):
    folder = tmp_path_factory.mktemp("smooth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Forest, "choose", lambda _, seed: {"trees": 12, "seed": seed})
        for name in ("forest", "svm"):
            split = make_split(labels, "random:0.1", seed=0, window=9)
            out = folder / f"{name}.safetensors"
            train(make_classifier(name), scene, labels, split, out, compute=cpu)
    return folder


def test_strips_are_smoothed_as_the_whole(models, scene, tmp_path, cpu):
    model = models / "forest.safetensors"
    plain = classify(scene, model, tmp_path / "plain.npy", confidence=True, compute=cpu)
    options = MapOptions(smooth=GUIDED, block=7, confidence=True)
    whole = classify(scene, model, tmp_path / "whole.npy", options, compute=cpu)
    strips = []
    for number in (1, 2):
        part = MapOptions(smooth=GUIDED, strip=Strip(number, 2), confidence=True)
        strips.append(tmp_path / f"s{number}.npy")
        classify(scene, model, strips[-1], part, compute=cpu)
    joined = join(scene, model, strips, tmp_path / "joined.npy")
    assert np.array_equal(np.load(whole.map), np.load(joined))
    one, two, three = (
        np.load(path)
        for path in (whole.confidence, tmp_path / "joined_confidence.npy", plain.confidence)
    )
    assert one == pytest.approx(two, abs=1e-5)
    assert one.std() < three.std() / 1.2
    records = [json.loads(path.with_suffix(".json").read_text()) for path in (whole.map, joined)]
    assert [record["smooth"] for record in records] == ["guided:2,0.01"] * 2
    assert json.loads(plain.record.read_text())["smooth"] is None
    assert records[0]["model_sha256"] == json.loads(plain.record.read_text())["model_sha256"]


def test_strips_that_were_smoothed_otherwise_are_not_joined(models, scene, tmp_path, cpu):
    model, strips = models / "forest.safetensors", []
    for number, smooth in ((1, GUIDED), (2, None)):
        strips.append(tmp_path / f"s{number}.npy")
        part = MapOptions(smooth=smooth, strip=Strip(number, 2))
        classify(scene, model, strips[-1], part, compute=cpu)
    with pytest.raises(HsiError, match="expected smooth as in"):
        join(scene, model, strips, tmp_path / "joined.npy")


def test_another_smoothing_makes_the_map_anew(models, scene, tmp_path, cpu):
    model, out = models / "forest.safetensors", tmp_path / "map.npy"
    classify(scene, model, out, smooth=GUIDED, compute=cpu)
    classify(scene, model, out, smooth="guided:2", compute=cpu)
    with pytest.raises(HsiError, match="there already"):
        classify(scene, model, out, smooth=Smoothing.parse("box:1"), compute=cpu)


def test_without_probabilities_there_is_nothing_to_smooth(models, scene, tmp_path, cpu):
    with pytest.raises(HsiError, match=r"`smooth`: .*svm has none; use hybridsn or forest"):
        classify(scene, models / "svm.safetensors", tmp_path / "m.npy", smooth=GUIDED, compute=cpu)
