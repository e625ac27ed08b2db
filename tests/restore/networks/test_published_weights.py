import functools
import io
import re
import zipfile

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.device import Compute
from restore.degradations import degradation as degrade
from restore.errors import RestoreError
from restore.evaluation.benchmark import evaluate
from restore.image_sets import find
from restore.networks import denoiser as models
from restore.networks.published_weights import import_weights

DEPTH = 4


def matconvnet(path, channels=1, depth=DEPTH, features=8, seed=0, normed=False, given=None):
    """Write a network as MATLAB 7.3 does, and give its weights as PyTorch orders them.

    They are random, or `given` as a list of (weight, bias). With batch normalisation, gain, shift,
    mean and deviation follow weight and bias.
    """
    rng = np.random.default_rng(seed)
    widths = [channels, *[features] * (depth - 1), channels]
    tensors = []
    with h5py.File(path, "w", userblock_size=512) as file:
        references = []
        for index in range(depth):
            shape = (widths[index + 1], widths[index], 3, 3)
            weight = rng.normal(size=shape).astype(np.float32)
            bias = rng.normal(size=shape[0]).astype(np.float32)
            weight, bias = (weight, bias) if given is None else given[index]
            tensors.append((weight, bias))
            stored = weight.transpose(0, 1, 3, 2)
            stored = stored[0] if shape[0] == 1 else stored
            group = file.create_group(f"#refs#/layer{index}")
            parts = [file.create_dataset(f"#refs#/w{index}", data=stored)]
            parts.append(file.create_dataset(f"#refs#/b{index}", data=bias[None]))
            cells = np.array([[part.ref] for part in parts], dtype=h5py.ref_dtype)
            group.create_dataset("weights", data=cells, dtype=h5py.ref_dtype)
            references.append(group.ref)
            if normed and 0 < index < depth - 1:
                gain, shift, mean, deviation = rng.uniform(0.5, 2, (4, features))
                tensors[-1] += (gain, shift, mean, deviation)
                norm = file.create_group(f"#refs#/norm{index}")
                moments = np.stack([mean, deviation])
                parts = [gain[None], shift[None], moments]
                parts = [
                    file.create_dataset(f"#refs#/n{index}{at}", data=part)
                    for at, part in enumerate(parts)
                ]
                cells = np.array([[part.ref] for part in parts], dtype=h5py.ref_dtype)
                norm.create_dataset("weights", data=cells, dtype=h5py.ref_dtype)
                references.append(norm.ref)
            relu = file.create_group(f"#refs#/relu{index}")
            if index < depth - 1:
                references.append(relu.ref)
        cells = np.array(references, dtype=h5py.ref_dtype)[:, None]
        file.create_dataset("net/layers", data=cells, dtype=h5py.ref_dtype)
    return tensors


@pytest.mark.parametrize("channels", [1, 3])
def test_matconvnet_arrays_come_in_pytorchs_order(channels, tmp_path):
    expected = matconvnet(tmp_path / "net.mat", channels)
    tensors, description = import_weights(tmp_path / "net.mat")
    assert list(tensors)[:2] == ["layers.0.weight", "layers.0.bias"]
    for index, (weight, bias) in enumerate(expected):
        assert np.array_equal(tensors[f"layers.{index}.weight"].numpy(), weight)
        assert np.array_equal(tensors[f"layers.{index}.bias"].numpy(), bias)
    assert len(tensors) == 2 * DEPTH
    found = (description["depth"], description["channels"], description["features"])
    assert found == (DEPTH, channels, 8)
    assert (description["residual"], description["batch_norm"]) == (True, False)


def test_matconvnets_normalisation_is_folded(tmp_path):
    expected = matconvnet(tmp_path / "net.mat", normed=True)
    tensors, description = import_weights(tmp_path / "net.mat")
    assert len(tensors) == 2 * DEPTH
    for index, (weight, bias, *norm) in enumerate(expected):
        if norm:
            gain, shift, mean, deviation = norm
            weight = weight * (gain / deviation)[:, None, None, None]
            bias = (bias - mean) * gain / deviation + shift
        assert np.allclose(tensors[f"layers.{index}.weight"].numpy(), weight, atol=1e-6)
        assert np.allclose(tensors[f"layers.{index}.bias"].numpy(), bias, atol=1e-6)
    # MATLAB stores the deviations themselves.
    assert (description["batch_norm"], description["batch_norm_eps"]) == (True, None)


@pytest.mark.parametrize(
    ("name", "depth", "channels", "variant", "sigma", "sigma_range"),
    [
        ("sigma=15.mat", 17, 1, "dncnn-s-15", 15, None),
        ("dncnn_50.mat", 17, 1, "dncnn-s-50", 50, None),
        ("mine.mat", 17, 1, "dncnn", None, None),
        ("GD_Gray_Blind.mat", 20, 1, "dncnn-b", None, [0, 55]),
        ("dncnn3.mat", 20, 1, "dncnn-3", None, [0, 55]),
        ("GD_Color_Blind.mat", 20, 3, "dncnn-b-color", None, [0, 55]),
    ],
)
def test_variant_and_sigma_from_shape_and_name(
    name, depth, channels, variant, sigma, sigma_range, tmp_path
):
    matconvnet(tmp_path / name, channels, depth)
    _, description = import_weights(tmp_path / name)
    assert description["variant"] == variant
    assert description["sigma"] == sigma
    assert description["sigma_range"] == sigma_range


def state(tensors, wrap=None):
    result = {}
    for index, (weight, bias) in enumerate(tensors):
        result[f"model.{2 * index}.weight"] = torch.from_numpy(weight)
        result[f"model.{2 * index}.bias"] = torch.from_numpy(bias)
    return {wrap: result} if wrap else result


@pytest.mark.parametrize("wrap", [None, "state_dict", "params"])
def test_pytorch_equals_matconvnet(wrap, tmp_path):
    torch.save(state(matconvnet(tmp_path / "a.mat"), wrap), tmp_path / "a.pth")
    one, _ = import_weights(tmp_path / "a.mat")
    two, description = import_weights(tmp_path / "a.pth")
    assert description["format"] == "pytorch"
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_safetensors_come_in_the_order_of_their_numbers(tmp_path):
    published = state(matconvnet(tmp_path / "a.mat", depth=7))
    assert sorted(published) != list(published)  # model.10 before model.2
    save_file(published, tmp_path / "dncnn_b.safetensors")
    one, _ = import_weights(tmp_path / "a.mat")
    two, _ = import_weights(tmp_path / "dncnn_b.safetensors")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)


class Payload:
    def __reduce__(self):
        return (print, ("this must never be seen",))


def test_a_pickle_with_code_is_refused_with_the_reason(tmp_path, capsys):
    torch.save({"model.0.weight": Payload()}, tmp_path / "bad.pth")
    with pytest.raises(RestoreError, match=r"refused, because loading it would run code \(.*print"):
        import_weights(tmp_path / "bad.pth")
    assert capsys.readouterr().out == ""


def test_a_whole_pickled_model_is_refused(tmp_path):
    torch.save(torch.nn.Conv2d(1, 8, 3), tmp_path / "model.pth")
    with pytest.raises(RestoreError, match=r"run code .*; ask its author for a plain state dict"):
        import_weights(tmp_path / "model.pth")


def test_other_files_are_refused_in_one_line(tmp_path):
    weights = matconvnet(tmp_path / "a.mat")
    cases = {
        "empty.pth": (b"", "not a .mat or .pth of weights"),
        "text.pth": (b"hello there", "not a .mat or .pth of weights"),
        "old.mat": (b"MATLAB 5.0 MAT-file" + b" " * 600, "of version 7.3"),
        "cut.mat": ((tmp_path / "a.mat").read_bytes()[:2000], "expected a MatConvNet network"),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "no weights")
    cases["zip.pth"] = (buffer.getvalue(), "not a .mat or .pth of weights")
    for name, saved, message in [
        ("list.pth", [1, 2], "expected a state dict of tensors, found list"),
        ("short.pth", state(weights[:2]), "expected a DnCNN"),
        ("norm.pth", {**state(weights), "model.3.running_mean": torch.zeros(8)}, "nothing else"),
        ("nobias.pth", {"a.weight": torch.zeros(8, 1, 3, 3)}, "expected a DnCNN"),
        (
            "other.pth",
            state([*weights[:1], (weights[1][0][:4], weights[1][1]), *weights[2:]]),
            "layer 2 of 4: expected a convolution of a DnCNN, (8, 8, 3, 3) (features, channels, "
            "rows, columns), found (4, 8, 3, 3)",
        ),
        (
            "bias.pth",
            state([(w, b[:-1]) for w, b in weights]),
            "layer 1 of 4: expected 8 biases, found (7,)",
        ),
        ("nan.pth", state([(w * np.nan, b) for w, b in weights]), "expected finite weights"),
    ]:
        buffer = io.BytesIO()
        torch.save(saved, buffer)
        cases[name] = (buffer.getvalue(), message)
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RestoreError, match=re.escape(message)) as error:
            import_weights(tmp_path / name)
        assert str(tmp_path / name) in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(RestoreError, match="no such file"):
        import_weights(tmp_path / "none.mat")


@pytest.mark.reference
def test_the_published_files_are_recognised_even_renamed(shared_data, tmp_path):
    expected = {
        "sigma=15.mat": ("dncnn-s-15", 555_137),
        "sigma=25.mat": ("dncnn-s-25", 555_137),
        "sigma=50.mat": ("dncnn-s-50", 555_137),
        "dncnn_25.pth": ("dncnn-s-25", 555_137),
        "GD_Gray_Blind.mat": ("dncnn-b", 665_921),
        "GD_Color_Blind.mat": ("dncnn-b-color", 668_227),
        "DnCNN3.mat": ("dncnn-3", 665_921),
    }
    for index, (name, (variant, parameters)) in enumerate(expected.items()):
        renamed = tmp_path / f"weights{index}"
        renamed.write_bytes((shared_data / "published_weights" / name).read_bytes())
        tensors, description = import_weights(renamed)
        assert description["variant"] == variant
        assert sum(tensor.numel() for tensor in tensors.values()) == parameters


@pytest.mark.reference
def test_the_two_published_forms_of_one_network_are_equal(shared_data):
    folder = shared_data / "published_weights"
    one, _ = import_weights(folder / "sigma=25.mat")
    two, _ = import_weights(folder / "dncnn_25.pth")
    assert all(torch.equal(one[key], two[key]) for key in one)


@pytest.fixture(scope="module")
def imported(shared_data, tmp_path_factory):
    """Give a function from a published file to its denoiser, each imported once."""
    folder = tmp_path_factory.mktemp("imported")

    @functools.cache
    def denoiser(name):
        out = folder / f"{name}.safetensors"
        models.import_published(shared_data / "published_weights" / name, out)
        return models.load(str(out), Compute(torch.device("cpu"), "float32", "as published"))

    return denoiser


S15, S25, S50 = (f"sigma={sigma}.mat" for sigma in (15, 25, 50))
B, COLOUR_B, THREE = "GD_Gray_Blind.mat", "GD_Color_Blind.mat", "DnCNN3.mat"


@pytest.mark.reference
@pytest.mark.slow
@pytest.mark.parametrize(
    ("weights", "images", "degradation", "psnr", "ssim", "within"),
    [
        (S15, "BSD68", "noise:15", 31.74, 0.8907, 0.03),
        (S25, "BSD68", "noise:25", 29.23, 0.8279, 0.03),
        (S50, "BSD68", "noise:50", 26.24, 0.7189, 0.03),
        (B, "BSD68", "noise:25", 29.16, 0.8244, 0.03),
        (S15, "Set12", "noise:15", 32.85, 0.9025, 0.03),
        (S25, "Set12", "noise:25", 30.43, 0.8617, 0.03),
        (S50, "Set12", "noise:50", 27.17, 0.7828, 0.03),
        (COLOUR_B, "CBSD68", "noise:15", 33.89, None, 0.03),
        (COLOUR_B, "CBSD68", "noise:25", 31.23, None, 0.03),
        (COLOUR_B, "CBSD68", "noise:50", 27.92, None, 0.03),
        (THREE, "Classic5", "jpeg:10", 29.40, 0.8026, 0.01),
        (THREE, "Classic5", "jpeg:20", 31.63, 0.8610, 0.01),
        (THREE, "Classic5", "jpeg:30", 32.91, 0.8861, 0.01),
        (THREE, "Classic5", "jpeg:40", 33.77, 0.9003, 0.01),
        (THREE, "LIVE1", "jpeg:10", 29.19, 0.8123, 0.01),
        (THREE, "Set5", "bicubic:2", 37.58, 0.9590, 0.01),
        (THREE, "Set5", "bicubic:3", 33.76, 0.9222, 0.01),
        (THREE, "Set5", "bicubic:4", 31.40, 0.8845, 0.01),
    ],
)
def test_published_weights_give_the_published_figures(
    weights, images, degradation, psnr, ssim, within, imported, shared_data
):
    chosen = find.image_set(images, shared_data / "images")
    rows = evaluate(imported(weights), [chosen], [degrade.parse(degradation)], seed=0)
    found = [np.mean([row[key] for row in rows]) for key in ("psnr_db", "ssim")]
    print(f"FOUND {weights} {images} {degradation}: {found[0]:.4f} dB, {found[1]:.5f}")
    assert found[0] == pytest.approx(psnr, abs=within)
    if ssim is not None:  # none is published for colour noise
        assert found[1] == pytest.approx(ssim, abs=0.0005)
