"""Winograd's filtering learns as the plain layers do: features and all gradients."""

import copy

import pytest
import torch
from torch.nn import functional

from engine.device import Compute
from restore.networks import filtered, winograd
from restore.networks.dncnn import DnCNN
from restore.networks.filtered import by_kind, convolution, in_order
from restore.networks.variants import Architecture
from restore.training.train import train


def drawn(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("width", [4, 8, 20])
def test_columns_by_kind_come_back(width):
    features = drawn(2, 3, 5, width)
    assert torch.equal(in_order(by_kind(features)), features)
    assert torch.equal(by_kind(features)[..., 1], features[..., 4 if width > 4 else 1])


@pytest.mark.parametrize("shape", [(1, 1, 4), (2, 5, 8), (7, 9, 12)])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("pixels", [1, 150, winograd.PIXELS])
def test_features_and_gradients_are_those_of_the_plain_layer(monkeypatch, shape, biased, pixels):
    monkeypatch.setattr(filtered, "PIXELS", pixels)  # parts of the batch
    images, height, width = shape
    features = drawn(images, 3, height, width).requires_grad_()
    weight = drawn(5, 3, 3, 3).requires_grad_()
    bias = drawn(5).requires_grad_() if biased else None
    expected = functional.conv2d(features, weight, bias, padding=1)
    found = in_order(convolution(by_kind(features), weight, bias))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    learned = [features, weight, *([bias] if biased else [])]
    wanted = drawn(*expected.shape)
    for ours, plain in zip(
        torch.autograd.grad(found, learned, wanted),
        torch.autograd.grad(expected, learned, wanted),
        strict=True,
    ):
        torch.testing.assert_close(ours, plain, rtol=0, atol=1e-10)
        assert ours.abs().max() > 0.1


def test_only_the_gradients_that_are_asked_for_are_made():
    weight = drawn(5, 3, 3, 3).requires_grad_()
    convolution(by_kind(drawn(1, 3, 4, 4)), weight, None).sum().backward()
    assert weight.grad is not None


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("width", [12, 10])
def test_a_network_learns_as_the_plain_one(batch_norm, width):
    shape = Architecture(5, 1, 8, batch_norm)
    plain = DnCNN(shape, torch.Generator().manual_seed(0)).double().train()
    torch.nn.init.normal_(plain.convolutions()[-1].weight, std=0.1)
    ours = copy.deepcopy(plain)
    ours.filtered = True
    batch = drawn(4, 1, 9, width)
    results = [network(batch) for network in (plain, ours)]
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=1e-5)  # both in float32
    for result in results:
        result.square().sum().backward()
    for one, other in zip(plain.parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-6, atol=1e-6)
    for one, other in zip(plain.buffers(), ours.buffers(), strict=True):
        torch.testing.assert_close(one, other)
    assert ours.train().filtered
    assert copy.deepcopy(ours).filtered


@pytest.mark.parametrize(
    ("device", "precision", "capability", "expected"),
    [
        ("cpu", "float32", "AVX2", True),
        ("cpu", "float32", "AVX512", False),
        ("cpu", "bf16", "AVX2", False),
        ("cuda", "float32", "AVX2", False),
    ],
)
def test_it_is_used_where_it_is_faster(monkeypatch, device, precision, capability, expected):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert filtered.faster(64, Compute(torch.device(device), precision, "")) is expected
    assert not filtered.faster(16, Compute(torch.device(device), precision, ""))


@pytest.mark.parametrize("faster", [True, False])
def test_a_training_uses_it_where_it_is_faster(monkeypatch, tmp_path, faster):
    monkeypatch.setattr(winograd, "faster", lambda _: faster)
    calls = []
    monkeypatch.setattr(
        filtered, "convolution", lambda *given: calls.append(1) or convolution(*given)
    )
    plan = tmp_path / "short.yaml"
    plan.write_text("{name: short, steps: 1, batch_size: 2, patch: 32, learning_rate: 0.001}")
    out = tmp_path / "m.safetensors"
    train(
        "dncnn-s-25", "embedded-train", out, schedule=str(plan), device="cpu", precision="float32"
    )
    assert bool(calls) is faster
