"""Foreign weights are tried on noise before they are taken."""

import pytest
import torch

from engine.device import Compute
from engine.tensors import load_tensors
from restore.errors import RestoreError
from restore.networks import denoiser, self_test, shipped
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture

CPU = Compute(torch.device("cpu"), "float32", "test")
SHIPPED = ["dncnn-s-15", "dncnn-s-50", "dncnn-3", "dncnn-b-color"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_pass_by_far(name):
    found, gain = self_test.sense(denoiser.load(name, CPU).network)
    assert found == "subtracted"
    assert gain > 3 * self_test.LEAST


def saved(path, sign=1):
    """Write DnCNN-B in the names of another program, its last layer negated by choice."""
    tensors = load_tensors(shipped.find("dncnn-b"))[0]
    count = len(tensors) // 2
    state = {
        f"conv_list.{index}.{part}": tensors[f"layers.{index}.{part}"]
        * (sign if index == count - 1 else 1)
        for index in range(count)
        for part in ("weight", "bias")
    }
    torch.save(state, path)


def test_a_network_that_adds_its_last_layer_is_negated(tmp_path):
    saved(tmp_path / "adds.pth", -1)
    saved(tmp_path / "subtracts.pth")
    for name in ("adds", "subtracts"):
        denoiser.import_published(tmp_path / f"{name}.pth", tmp_path / f"{name}.safetensors")
    (one, said), (two, _) = (
        load_tensors(tmp_path / f"{name}.safetensors") for name in ("adds", "subtracts")
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert said["published"]["sense"] == "added"


def test_a_network_that_gives_the_image_itself_runs_as_such(tmp_path):
    network = DnCNN(Architecture(3, 1, 2, batch_norm=False)).eval()
    for layer in network.convolutions():  # a mean of 3x3, and twice itself; ReLU changes nothing
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        layer.weight.data[0, 0, 1, 1] = 1
    list(network.convolutions())[1].weight.data[0, 0] = 1 / 9
    torch.save(network.state_dict(), tmp_path / "direct.pth")
    denoiser.import_published(tmp_path / "direct.pth", tmp_path / "direct.safetensors")
    taken = denoiser.load(str(tmp_path / "direct.safetensors"), CPU)
    assert not taken.network.architecture.residual
    assert taken.description["published"]["residual"] is False


def test_weights_that_remove_no_noise_are_refused(tmp_path):
    generator = torch.Generator().manual_seed(0)
    shapes = [(64, 1), *[(64, 64)] * 5, (1, 64)]  # of IRCNN, whose dilations are not in the file
    state = {
        f"model.{2 * index}.{part}": torch.randn(out, inside, 3, 3, generator=generator) * 0.02
        if part == "weight"
        else torch.zeros(out)
        for index, (out, inside) in enumerate(shapes)
        for part in ("weight", "bias")
    }
    torch.save(state, tmp_path / "ircnn.pth")
    with pytest.raises(RestoreError, match="expected a DnCNN that removes noise, found"):
        denoiser.import_published(tmp_path / "ircnn.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
