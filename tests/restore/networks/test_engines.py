"""Engines give PyTorch's values, and `auto` takes the fastest that was measured."""

import json
import math
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from engine.device import Compute
from restore.errors import RestoreError
from restore.folders.folder import denoise_folder
from restore.folders.options import FolderOptions
from restore.networks import engines
from restore.networks.denoiser import load
from restore.networks.engines import ENGINES, TOLERANCE, run_by
from restore.networks.shipped import shipped_models

MODULES = {"onnx": "onnxruntime", "openvino": "openvino"}


@pytest.fixture(params=MODULES)
def name(request):
    pytest.importorskip("onnx")
    pytest.importorskip(MODULES[request.param], reason=f"restore-hsi[{request.param}] is missing")
    return request.param


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "cache_file", lambda: tmp_path / "cache" / "engines.json")
    return tmp_path / "cache" / "engines.json"


@pytest.mark.parametrize("model", ["dncnn-s-25", "dncnn-3", "dncnn-r"])
def test_any_size_gives_the_values_of_torch(name, model, cpu):
    assert model in shipped_models()
    plain = load(model, cpu)
    run = run_by(plain, name)
    for size in ((1, 1), (7, 33), (65, 3)):
        shape = (2, plain.channels, *size)
        image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        found, wanted = run.restore_batch(image), plain.restore_batch(image)
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE["float32"])


def test_bfloat16_of_openvino_is_as_far_off_as_that_of_torch():
    pytest.importorskip("onnx")
    pytest.importorskip("openvino", reason="restore-hsi[openvino] is missing")
    compute = Compute(torch.device("cpu"), "bf16", "test")
    run_by(load("dncnn-s-25", compute), "openvino")  # raises beyond the tolerance


def test_a_folder_by_an_engine_is_that_of_torch(name, tmp_path):
    noisy = np.random.default_rng(0).normal(128, 25, (40, 57)).clip(0, 255).astype(np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(noisy).save(tmp_path / "in/a.png")
    given = {"model": "dncnn-s-25", "device": "cpu", "precision": "float32", "tile": "32"}
    for engine in ("torch", name):
        denoise_folder(tmp_path / "in", tmp_path / engine, engine=engine, **given)
    found, wanted = (np.asarray(Image.open(tmp_path / one / "a.png")) for one in (name, "torch"))
    assert np.abs(found.astype(int) - wanted).max() <= 1  # where a value lies between two
    assert np.mean(found != wanted) < 0.001
    assert wanted.std() < noisy.std() / 2


def test_an_engine_that_differs_is_refused(monkeypatch, cpu):
    pytest.importorskip("onnx")
    monkeypatch.setitem(engines._MAKERS, "onnx", lambda *_: lambda image: image)
    with pytest.raises(RestoreError, match=r"expected the values of torch within 1e-05, found"):
        run_by(load("dncnn-s-25", cpu), "onnx")
    monkeypatch.setitem(engines._MAKERS, "onnx", lambda *_: lambda image: image * math.nan)
    with pytest.raises(RestoreError, match=r"within 1e-05, found nan; use torch"):
        run_by(load("dncnn-s-25", cpu), "onnx")


@pytest.mark.parametrize("engine", MODULES)
@pytest.mark.parametrize("missing", ["onnx", "its own"])
def test_a_missing_package_is_one_line(engine, missing, monkeypatch, cpu):
    pytest.importorskip("onnx")
    package = "onnx" if missing == "onnx" else MODULES[engine]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RestoreError) as error:
        run_by(load("dncnn-s-25", cpu), engine)
    assert str(error.value) == (
        f"`engine` {engine}: needs the packages onnx and {MODULES[engine]}; "
        f"pip install 'restore-hsi[{engine}]'"
    )


def test_auto_measures_once_and_takes_the_fastest(monkeypatch, kept, cpu):
    pytest.importorskip("onnxruntime")
    plain, calls = load("dncnn-s-25", cpu), []

    def seconds(denoiser):
        calls.append(denoiser)
        return {"torch": 2.0, "onnx": 1.0}

    monkeypatch.setattr(engines, "_seconds", seconds)
    for _ in range(2):
        assert run_by(plain, "auto").engine is not None
    assert len(calls) == 1
    (found,) = json.loads(kept.read_text()).values()
    assert found == {"torch": 2.0, "onnx": 1.0}
    kept.write_text('{"a": 3}')  # damaged: measured anew
    monkeypatch.setattr(engines, "_seconds", lambda _: {"torch": 1.0, "onnx": 2.0})
    assert run_by(plain, "auto") is plain


def test_a_real_measurement_holds_what_is_installed(kept, make_weights, monkeypatch, cpu):
    monkeypatch.setattr(engines, "SIDE", 24)
    plain = load(str(make_weights()), cpu)
    engine = engines.fastest(plain)
    (found,) = json.loads(kept.read_text()).values()
    assert engine in found
    assert found[engine] == min(found.values()) > 0
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert set(engines._seconds(plain)) == {"torch"}


def test_wrong_words_and_devices_are_one_line(cpu):
    with pytest.raises(RestoreError, match="`engine` tpu: expected one of torch, onnx, openvino"):
        FolderOptions(engine="tpu")
    gpu = Compute(torch.device("cuda"), "float32", "test")
    plain = load("dncnn-s-25", cpu)
    on_gpu = type(plain)(plain.name, plain.network, plain.description, plain.sha256, gpu)
    with pytest.raises(RestoreError, match="`engine` onnx: expected the device cpu, found cuda"):
        run_by(on_gpu, "onnx")
    assert run_by(on_gpu, "auto") is on_gpu
    assert ENGINES[0] == "torch"
