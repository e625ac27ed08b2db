"""State dicts as people save them, with batch normalisation not yet folded."""

import json

import pytest
import torch
from torch import nn

from engine.device import Compute
from engine.tensors import load_tensors
from restore.errors import RestoreError
from restore.networks import denoiser, self_test
from restore.networks.state_dict import read

CPU = Compute(torch.device("cpu"), "float32", "test")


@pytest.fixture
def taken_as_they_are(monkeypatch):
    """Random weights, which serve to compare functions, remove no noise."""
    monkeypatch.setattr(self_test, "sense", lambda _: ("subtracted", 0.0))


def sequence(depth, channels=1, features=8, *, bias, eps):
    """Build the layers of KAIR and of SaoYan, with statistics as after a training."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(channels, features, 3, padding=1, bias=bias), nn.ReLU()]
    for _ in range(depth - 2):
        norm = nn.BatchNorm2d(features, eps=eps)
        for values in (norm.running_var, norm.weight.data):
            values.uniform_(0.001, 2)  # small variances, so that eps counts
        for values in (norm.running_mean, norm.bias.data):
            values.normal_()
        layers += [nn.Conv2d(features, features, 3, padding=1, bias=bias), norm, nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(features, channels, 3, padding=1, bias=bias)).eval()


FORMS = {
    "KAIR": ("model.", True, 1e-4),
    "SaoYan": ("dncnn.", False, 1e-5),
    "SaoYan, DataParallel": ("module.dncnn.", False, 1e-5),
}


@pytest.mark.usefixtures("taken_as_they_are")
@pytest.mark.parametrize("form", FORMS)
def test_normalisation_is_folded_to_the_same_function(form, tmp_path):
    prefix, bias, eps = FORMS[form]
    network = sequence(6, bias=bias, eps=eps)
    state = {prefix + name: value for name, value in network.state_dict().items()}
    torch.save(state, tmp_path / "net.pth")
    denoiser.import_published(tmp_path / "net.pth", tmp_path / "net.safetensors")
    image = torch.rand(20, 24)
    with torch.inference_mode():
        expected = (image - network(image[None, None])[0, 0]).numpy() * 255
    found = denoiser.load(str(tmp_path / "net.safetensors"), CPU)(image.numpy() * 255)
    assert abs(found - expected).max() < 1e-3 * abs(expected).max()
    published = load_tensors(tmp_path / "net.safetensors")[1]["published"]
    assert (published["batch_norm"], published["batch_norm_eps"]) == (True, eps)
    assert json.dumps(published)  # all of it is plain


@pytest.mark.usefixtures("taken_as_they_are")
@pytest.mark.parametrize(
    ("path", "depth", "channels", "variant", "sigma"),
    [
        ("logs/DnCNN-S-25/net.pth", 17, 1, "dncnn-s-25", 25),
        ("logs/DnCNN-B/net.pth", 17, 1, "dncnn-b", None),
        ("dncnn_color_50.pth", 17, 3, "dncnn-s-50-color", 50),
        ("CDnCNN-S-50.pth", 17, 3, "dncnn-s-50-color", 50),
        ("dncnn_color_blind.pth", 20, 3, "dncnn-b-color", None),
        ("dncnn_gray_blind.pth", 20, 1, "dncnn-b", None),
        ("dncnn3.pth", 20, 1, "dncnn-3", None),
        ("net.pth", 17, 1, "dncnn", None),
    ],
)
def test_sigma_comes_from_the_name_of_the_file_or_its_folder(
    path, depth, channels, variant, sigma, tmp_path
):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    network = sequence(depth, channels, bias=True, eps=1e-5)
    torch.save({"state_dict": network.state_dict()}, tmp_path / path)
    assert denoiser.import_published(tmp_path / path, tmp_path / "out.safetensors") == variant
    published = load_tensors(tmp_path / "out.safetensors")[1]["published"]
    assert published["sigma"] == sigma
    assert (published["depth"], published["channels"]) == (depth, channels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"3.running_var": torch.ones(5), "3.weight": torch.ones(5)}, "3: expected batch normal"),
        ({"9.weight": torch.ones(8, 8)}, "and nothing else, found 9 with weight"),
        ({"loose": torch.ones(1)}, "and nothing else, found a layer with loose"),
    ],
)
def test_other_layers_are_refused_in_one_line(change, message, tmp_path):
    state = sequence(4, bias=True, eps=1e-5).state_dict() | change
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(RestoreError) as error:
        read(tmp_path / "net.pth")
    assert str(error.value).startswith(f"{tmp_path / 'net.pth'}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
