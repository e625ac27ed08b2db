"""Winograd's filtering is convolution, in every width, and a denoiser gives the same by it."""

import pytest
import torch
from torch.nn import functional

from benchmarks.side_by_side import counted
from engine.device import Compute
from restore.networks import denoiser, winograd
from restore.networks.dncnn import DnCNN
from restore.networks.inference import layers, streaming
from restore.networks.inference.columns import Columns
from restore.networks.variants import Architecture
from restore.networks.winograd import kernels


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


@pytest.fixture
def forced(monkeypatch):
    monkeypatch.setattr(winograd, "faster", lambda _: True)


def network(features: int = 8, depth: int = 5, channels: int = 1) -> DnCNN:
    generator = torch.Generator().manual_seed(0)
    made = DnCNN(Architecture(depth, channels, features, batch_norm=False), generator)
    for conv in made.convolutions():
        torch.nn.init.normal_(conv.bias, std=0.1, generator=generator)
    torch.nn.init.normal_(made.convolutions()[-1].weight, std=0.1, generator=generator)
    return made.eval()


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 7, 8, 17])
@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("biased", [True, False])
def test_filtering_is_convolution(width, rows, biased):
    features, weight = drawn(2, 3, 6, width).double(), drawn(5, 3, 3, 3).double()
    bias = drawn(5).double() if biased else None
    columns = Columns(width)
    found = columns.convolution_relu(columns.enter(features), kernels(weight), bias, rows)
    expected = functional.conv2d(features, weight, bias, padding=(rows, 1)).relu()
    torch.testing.assert_close(columns.leave(found), expected, rtol=0, atol=1e-12)
    assert 0.1 < (expected > 0).double().mean() < 0.9
    # Another layer reads it: what lies outside the image is zero.
    again = columns.convolution_relu(found, kernels(drawn(2, 5, 3, 3).double()), None, 1)
    twice = functional.conv2d(expected, drawn(2, 5, 3, 3).double(), padding=1).relu()
    torch.testing.assert_close(columns.leave(again), twice, rtol=0, atol=1e-12)


@pytest.mark.parametrize("width", [1, 4, 6, 13])
def test_columns_come_back(width):
    features, columns = drawn(2, 3, 4, width), Columns(width)
    assert torch.equal(columns.leave(columns.enter(features)), features)


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (23, 4), (41, 1), (1, 41), (40, 17)])
@pytest.mark.parametrize("rows", [None, 1, 3, 7])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.usefixtures("forced")
def test_strips_and_bands_equal_one_pass(size, rows, threads):
    model, batch = network(), drawn(2, 1, *size)
    with torch.inference_mode():
        found = streaming.evaluate(model, batch, rows=rows, threads=threads)
        torch.testing.assert_close(found, model(batch), rtol=0, atol=2e-6)


def test_a_shipped_denoiser_gives_the_same_with_half_the_products(monkeypatch):
    model = denoiser.load("dncnn-s-25", Compute(torch.device("cpu"), "float32", "test")).network
    batch = torch.rand(1, 1, 60, 70, generator=torch.Generator().manual_seed(0))
    found, products = [], []
    for faster in (False, True):
        monkeypatch.setattr(winograd, "faster", lambda _, faster=faster: faster)
        with torch.inference_mode():
            made, work = counted(lambda: streaming.evaluate(model, batch, threads=1))
        found.append(made)
        products.append(work)
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=2e-6)
    assert not torch.equal(found[0], found[1])
    assert products[1] < 0.6 * products[0]  # half, of widths that four divides


@pytest.mark.parametrize(
    ("capability", "features", "expected"),
    [("AVX2", 64, True), ("AVX2", 16, False), ("AVX512", 64, False), ("DEFAULT", 64, False)],
)
def test_it_is_used_where_it_is_faster(monkeypatch, capability, features, expected):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert winograd.faster(features) is expected
    ready = layers.layers(network(features), torch.float32, 1.0, 40)
    assert (ready.columns is not None) is expected
    assert layers.layers(network(features), torch.bfloat16, 1.0, 40).columns is None
    with_norms = DnCNN(Architecture(5, 1, features, batch_norm=True), torch.Generator()).eval()
    assert layers.layers(with_norms, torch.float32, 1.0, 40).columns is None


@pytest.mark.usefixtures("forced")
def test_sums_that_could_overflow_are_not_made():
    model = network()
    with torch.no_grad():
        for conv in model.convolutions()[1:-1]:
            conv.weight.mul_(1e10)
    assert layers.layers(model, torch.float32, 1.0, 40).columns is None
    with torch.inference_mode():
        found, expected = streaming.evaluate(model, drawn(1, 1, 9, 9)), model(drawn(1, 1, 9, 9))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)


@pytest.mark.usefixtures("forced")
def test_what_is_no_number_comes_out_as_none():
    holed = drawn(1, 1, 20, 20)
    holed[0, 0, 3, 4] = torch.nan
    assert streaming.evaluate(network(), holed).isnan().any()
