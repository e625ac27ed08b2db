"""The network has the paper's parameters; folding its normalisation changes nothing."""

import pytest
import torch

from restore.errors import RestoreError
from restore.networks.dncnn import DnCNN, folded, renormalised
from restore.networks.variants import Architecture, variant


def parameters(network: DnCNN) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "whole", "plain"),
    [
        ("dncnn-s-25", 557_057, 555_137),
        ("dncnn-b", 668_225, 665_921),
        ("dncnn-3", 668_225, 665_921),
    ],
)
def test_parameter_counts_are_those_of_the_paper(name: str, whole: int, plain: int) -> None:
    network = DnCNN(variant(name).architecture)
    assert parameters(network) == whole
    assert parameters(folded(network)) == plain


@pytest.mark.parametrize("residual", [True, False])
def test_folded_network_gives_the_same_image(residual: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    shape = Architecture(5, 1, 8, residual=residual)
    network = DnCNN(shape, generator)
    torch.nn.init.normal_(network.convolutions()[-1].weight, std=0.1, generator=generator)
    image = torch.rand(4, 1, 12, 9, generator=generator)
    for _ in range(3):
        network(image)  # moves the running statistics away from 0 and 1
    with torch.inference_mode():
        expected = network.eval()(image)
        found = folded(network)(image)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    assert (expected - image).abs().max() > 0.01


@pytest.mark.parametrize("residual", [True, False])
def test_normalisation_put_back_in_changes_nothing(residual: bool) -> None:
    generator = torch.Generator().manual_seed(2)
    network = DnCNN(Architecture(6, 3, 8, batch_norm=False, residual=residual), generator)
    for conv in network.convolutions():
        torch.nn.init.normal_(conv.weight, std=0.2, generator=generator)
        torch.nn.init.normal_(conv.bias, std=0.1, generator=generator)
    image = torch.rand(4, 3, 12, 9, generator=generator)
    again = renormalised(network, image)
    assert again.architecture == Architecture(6, 3, 8, residual=residual)
    with torch.inference_mode():
        expected = network(image)
        in_evaluation, refolded = again.eval()(image), folded(again)(image)
        in_training = again.train()(image)
    assert (expected - image).abs().max() > 0.01
    for found in (in_evaluation, refolded, in_training):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-6)


def test_the_network_for_photographs_has_the_shape_of_b_in_colour() -> None:
    real = variant("dncnn-r")
    assert (real.architecture, real.task) == (variant("dncnn-b-color").architecture, "real")


def test_untrained_network_changes_nothing() -> None:
    network = DnCNN(Architecture(4, 3, 8), torch.Generator().manual_seed(0)).eval()
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(network(image), image)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_untrained_direct_network_gives_more_than_black(batch_norm: bool) -> None:
    shape = Architecture(17, 1, 64, batch_norm, residual=False)
    network = DnCNN(shape, torch.Generator().manual_seed(0))
    output = network(torch.rand(2, 1, 24, 24))
    assert 0.05 < output.std() < 5


def test_same_seed_same_weights() -> None:
    one, other = (
        DnCNN(Architecture(4, 1, 8), torch.Generator().manual_seed(0)).state_dict() for _ in "ab"
    )
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    "name",
    [
        *("dncnn", "dncnn-s-0", "dncnn-s-300", "dncnn-3-color", "DnCNN-B", "dncnn-b-direct"),
        *("dncnn-r-color", "dncnn-r-25"),
        *("dncnn-s-25-direct-nobn", "dncnn-s-25-color-direct"),
    ],
)
def test_unknown_variant_is_one_line(name: str) -> None:
    with pytest.raises(RestoreError, match=rf"model '{name}': expected dncnn-s-N"):
        variant(name)


def test_colour_variants_have_three_channels() -> None:
    assert variant("dncnn-b-color").architecture.channels == 3
    assert variant("dncnn-s-15-color").sigma == 15


@pytest.mark.parametrize("color", ["", "-color"])
@pytest.mark.parametrize("nobn", ["", "-nobn"])
@pytest.mark.parametrize("direct", ["", "-direct"])
def test_variants_of_the_ablation(nobn: str, direct: str, color: str) -> None:
    network = variant(f"dncnn-s-25{nobn}{direct}{color}")
    shape = network.architecture
    assert (shape.depth, network.task, network.sigma) == (17, "gaussian", 25)
    assert (shape.batch_norm, shape.residual) == (not nobn, not direct)
    assert shape.channels == (3 if color else 1)
