"""ONNX files of networks: onnxruntime gives the probabilities of `hsi classify`."""

import json
import sys

import numpy as np
import pytest
import torch

from engine.tensors import load_tensors, save_tensors
from engine.tiling import Tiling
from hsi.calibration.conformal import PERCENT
from hsi.calibration.temperature import tempered
from hsi.classifiers import catalogue
from hsi.classifiers.model import Model, load_model, make_classifier
from hsi.classifiers.protocol import Application
from hsi.errors import HsiError
from hsi.features.projection import Projection
from hsi.maps.export import CAN, OPSETS, export

BANDS, CLASSES = 24, 3
SIZES = ((1, 1), (7, 13), (18, 5))


def made(name, **settings):
    """A network with weights as it begins, and a projection of half of the bands."""
    listed = catalogue.CATALOGUE[name]
    own = listed.architecture in ("hybridsn", "se-hybridsn", "cnn2d", "cnn3d", "reversed")
    window = None if "window" in (*listed.settings, *(["window"] if listed.window else [])) else 9
    if not own:  # published image networks, narrow; 33 pixels are enough for two pools
        window, settings = 33, {"width": "0.1", **settings}
    classifier = make_classifier(name, window=window, components=15, settings=settings)
    classifier.architecture = classifier.kind(
        CLASSES, classifier.window, components=classifier.components, **classifier.shape
    )
    classifier.network = classifier.architecture.build(torch.Generator().manual_seed(3))
    rng = np.random.default_rng(0)
    bands = np.arange(1, BANDS, dtype=np.int64)
    components = np.linalg.qr(rng.normal(size=(len(bands), len(bands))))[0][:15]
    classifier.pca = Projection(
        bands,
        rng.uniform(2000, 4000, len(bands)),
        components,
        rng.uniform(20, 900, 15),
        "all pixels",
    )
    return classifier


def saved(classifier, path, **more):
    description = {
        "classifier": classifier.name,
        "scene": 'odd "<scene>"',
        "classes": [2, 5, 9],
        "class_names": ["a", "b", "ä"],
        "colours": [[0, 0, 0]] * 3,
        "bands": BANDS,
        "wavelengths": None,
        "split": {"how": "random:0.1"},
        "schedule": None,
        "seed": 0,
        "seconds_train": 0.0,
        **more,
    }
    Model(classifier, description).save(path)
    return path


def spectra(size, seed=0):
    values = np.random.default_rng(seed).uniform(500, 6000, (*size, BANDS)).round()
    if min(size) > 3:
        values[2, 1] = 0
        values[3, 3, 7] = np.nan
    return values.astype(np.float32)


def by_torch(path, cube, cpu, temperature=1.0):
    classifier = load_model(path).classifier
    chosen = cube[..., classifier.bands]
    valid = np.isfinite(chosen).all(-1) & chosen.any(-1)
    features = classifier.features(chosen, valid)
    (block,) = Tiling(cube.shape[:2], cube.shape[:2], classifier.halo)
    found = classifier.classify(features, block, Application(cpu, probabilities=True))
    return np.where(valid[..., None], tempered(found.probabilities, temperature), 0)


def by_onnx(path, cubes):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"spectra": cubes})
    return found, session.get_modelmeta().custom_metadata_map


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("hybridsn", {}),
        ("cnn2d", {"average": True}),
        ("cnn2d-13", {}),
        ("cnn3d", {}),
        ("reversed", {}),
        ("lenet5", {}),
    ],
)
def test_onnx_gives_the_probabilities_at_any_size(name, settings, tmp_path, cpu):
    model, out = saved(made(name, **settings), tmp_path / "m.safetensors"), tmp_path / "m.onnx"
    about = export(model, out)
    for size in SIZES:
        cubes = np.stack([spectra(size), spectra(size, 1)])
        found, kept = by_onnx(out, cubes)
        for one, cube in zip(found, cubes, strict=True):
            np.testing.assert_allclose(one, by_torch(model, cube, cpu), rtol=0, atol=1e-5)
        assert found.shape == (2, *size, CLASSES)
    assert kept == about
    assert json.loads(about["classes"]) == [2, 5, 9]
    assert about["sha256"] == load_model(model).sha256
    assert np.ptp(found) > 0.01  # it tells classes apart


@pytest.mark.parametrize("opset", [OPSETS[0], 20, OPSETS[1]])
def test_every_opset_and_a_calibration(opset, tmp_path, cpu):
    calibration = {"temperature": 2.5, "least": [0.1] * len(PERCENT), "pixels": 9}
    model = saved(made("cnn2d"), tmp_path / "m.safetensors", calibration=calibration)
    export(model, tmp_path / "m.onnx", opset=opset)
    cube = spectra((6, 7))
    found, _ = by_onnx(tmp_path / "m.onnx", cube[None])
    np.testing.assert_allclose(found[0], by_torch(model, cube, cpu, 2.5), rtol=0, atol=1e-5)


def test_what_can_be_exported_is_what_the_message_says(tmp_path):
    pytest.importorskip("onnx")
    able, refused = [], []
    for name, listed in catalogue.CATALOGUE.items():
        if not listed.network or listed.smooth != "none":
            continue
        path = saved(made(name), tmp_path / f"{name}.safetensors")
        try:
            export(path, tmp_path / f"{name}.onnx")
            able.append(name)
        except HsiError as error:
            refused.append(str(error).removeprefix(f"{path}: {name} cannot be exported ("))
    assert all(line.startswith("every window goes through layers of its own") for line in refused)
    assert all(line.endswith(f"{CAN} can") for line in refused)
    sizes = [f"hybridsn-{side}" for side in (11, 15, 19)]
    names = CAN.replace(" (also -11, -15, -19)", "").replace(" and ", ", ").split(", ")
    assert set(able) == {*names, *sizes}


def test_other_models_are_one_line(small_models, tmp_path, monkeypatch):
    model = small_models / "svm.safetensors"
    with pytest.raises(HsiError, match=r"svm, which is no network, cannot be exported; hybridsn "):
        export(model, tmp_path / "m.onnx")
    with pytest.raises(HsiError, match=r"expected a name that ends with \.onnx"):
        export(model, tmp_path / "m.pth")
    with pytest.raises(HsiError, match="`opset` 13: expected 14 to 25"):
        export(model, tmp_path / "m.onnx", opset=13)
    with pytest.raises(HsiError, match="no such file"):
        export(tmp_path / "none.safetensors", tmp_path / "m.onnx")
    tensors, description = load_tensors(small_models / "cnn2d.safetensors")
    description["settings"]["smooth"] = "box:2"
    save_tensors(tmp_path / "smooth.safetensors", tensors, description)
    with pytest.raises(HsiError, match="whose probabilities are smoothed, cannot be exported"):
        export(tmp_path / "smooth.safetensors", tmp_path / "m.onnx")
    (tmp_path / "file").touch()
    with pytest.raises(HsiError, match="cannot be written"):
        export(small_models / "cnn2d.safetensors", tmp_path / "file/m.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(HsiError, match="needs the package onnx; pip install"):
        export(small_models / "cnn2d.safetensors", tmp_path / "m.onnx")
    assert not list(tmp_path.glob("*.onnx"))
