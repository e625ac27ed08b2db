"""Exports: other programs read them and restore the same images."""

import json
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from restore.errors import RestoreError
from restore.networks.denoiser import import_published, load_model, save
from restore.networks.dncnn import DnCNN
from restore.networks.export import OPSET, OPSETS, export
from restore.networks.shipped import find, shipped_models
from restore.networks.variants import Architecture

SIZES = ((1, 1), (7, 33), (40, 41), (65, 3))


def image(channels: int, size: tuple[int, int]) -> torch.Tensor:
    return torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(0))


def restored(name: str, degraded: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return load_model(name, device="cpu", precision="float32").network(degraded).numpy()


@pytest.mark.parametrize("name", shipped_models())
def test_onnx_restores_the_same_at_any_size(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    about = export(name, tmp_path / "a.onnx")
    session = runtime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    for size in SIZES:
        degraded = image(int(about["channels"]), size)
        (found,) = session.run(["restored"], {"image": degraded.numpy()})
        np.testing.assert_allclose(found, restored(name, degraded), rtol=0, atol=1e-5)
    assert session.get_modelmeta().custom_metadata_map == about
    assert about["sha256"] == load_model(name, device="cpu").sha256


@pytest.mark.parametrize("opset", [OPSETS[0], OPSET, 20, OPSETS[1]])
@pytest.mark.parametrize("residual", [True, False])
def test_every_opset_gives_the_same(opset, residual, tmp_path):
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    network = DnCNN(
        Architecture(4, 3, 5, batch_norm=False, residual=residual),
        torch.Generator().manual_seed(1),
    )
    with torch.no_grad():
        network.convolutions()[-1].weight.normal_()
    save(tmp_path / "w.safetensors", network, "dncnn-b-color", {})
    export(str(tmp_path / "w.safetensors"), tmp_path / "w.onnx", opset=opset)
    assert [one.version for one in onnx.load(tmp_path / "w.onnx").opset_import] == [opset]
    session = runtime.InferenceSession(tmp_path / "w.onnx", providers=["CPUExecutionProvider"])
    degraded = image(3, (9, 11))
    (found,) = session.run(None, {"image": degraded.numpy()})
    with torch.inference_mode():
        np.testing.assert_allclose(found, network(degraded).numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_state_dict_has_the_names_of_kair(suffix, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load_file

    out = tmp_path / f"b{suffix}"
    about = export("dncnn-b", out)
    state = torch.load(out, weights_only=True) if suffix == ".pth" else load_file(out)
    if suffix == ".safetensors":
        with safe_open(out, "pt") as file:
            assert json.loads(file.metadata()["restore-hsi"]) == about
    widths = [1, *[64] * 19, 1]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    kair = nn.Module()
    kair.model = nn.Sequential(*layers[:-1])
    kair.load_state_dict(state)
    degraded = image(1, (21, 30))
    with torch.inference_mode():
        found = degraded - kair.model(degraded)
    np.testing.assert_allclose(found.numpy(), restored("dncnn-b", degraded), rtol=0, atol=1e-6)


def test_a_state_dict_comes_back_by_import(tmp_path):
    export("dncnn-s-25", tmp_path / "s.pth")
    import_published(tmp_path / "s.pth", tmp_path / "s.safetensors")
    degraded = image(1, (30, 20))
    back = restored(str(tmp_path / "s.safetensors"), degraded)
    np.testing.assert_array_equal(back, restored("dncnn-s-25", degraded))


@pytest.mark.parametrize("name", ["dncnn-s-25", "dncnn-b-color"])
def test_spandrel_loads_it(name, tmp_path):
    spandrel = pytest.importorskip("spandrel")
    export(name, tmp_path / "a.pth")
    found = spandrel.ModelLoader(device="cpu").load_from_file(tmp_path / "a.pth")
    assert found.architecture.id == "DnCNN"
    degraded = image(found.input_channels, (24, 37))
    with torch.inference_mode():
        np.testing.assert_allclose(
            found.model(degraded).numpy(), restored(name, degraded), rtol=0, atol=1e-5
        )


def test_wrong_input_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(RestoreError, match=r"ends with one of \.onnx, \.pth, \.safetensors"):
        export("dncnn-b", tmp_path / "a.pt")
    with pytest.raises(RestoreError, match="`opset` 13: expected 14 to 25"):
        export("dncnn-b", tmp_path / "a.onnx", opset=13)
    with pytest.raises(RestoreError, match="model 'dncnn-q': expected"):
        export("dncnn-q", tmp_path / "a.onnx")
    direct = DnCNN(Architecture(3, 1, 4, False, residual=False), torch.Generator().manual_seed(0))
    save(tmp_path / "direct.safetensors", direct, "dncnn-s-25-nobn-direct", {})
    with pytest.raises(RestoreError, match=r"export it to \.onnx"):
        export(str(tmp_path / "direct.safetensors"), tmp_path / "a.pth")
    (tmp_path / "file").touch()
    with pytest.raises(RestoreError, match="cannot be written"):
        export("dncnn-b", tmp_path / "file/a.pth")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(RestoreError, match="needs the package onnx; pip install"):
        export("dncnn-b", tmp_path / "a.onnx")
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".onnx", ".pth")] == []
    assert find("dncnn-b").is_file()
