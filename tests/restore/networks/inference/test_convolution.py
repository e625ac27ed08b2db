"""Convolution and ReLU in one kernel equal the two, and stay apart where torch has no kernel."""

import pytest
import torch
from torch.nn import functional

from engine.device import cpu_bf16
from restore.networks.inference import convolution
from restore.networks.inference.convolution import (
    convolution_relu,
    in_kernel_order,
    in_parts,
    weight_of_parts,
)


@pytest.fixture(autouse=True)
def _tried_anew():
    convolution._kernel.cache_clear()
    yield
    convolution._kernel.cache_clear()


def drawn(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, 16, 9, 14, generator=generator).to(dtype)
    weight = torch.randn(8, 16, 3, 3, generator=generator).to(dtype) / 12
    bias = torch.randn(8, generator=generator).to(dtype)
    return hidden.contiguous(memory_format=torch.channels_last), weight, bias


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("padding", [(1, 1), (0, 1)])
@pytest.mark.parametrize(
    ("dtype", "most"), [(torch.float32, 1e-5), (torch.bfloat16, 0.03), (torch.float64, 0.0)]
)
def test_it_equals_the_two(dtype, most, padding, with_bias):
    hidden, weight, bias = drawn(dtype)
    given = bias if with_bias else None
    with torch.inference_mode():
        found = convolution_relu(hidden, weight, given, padding)
        expected = functional.conv2d(hidden, weight, given, padding=padding)
    assert float(expected.min()) < -0.1  # there is something to cut off
    assert found.dtype == dtype
    torch.testing.assert_close(found, expected.clamp(min=0), rtol=0, atol=most)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_it_writes_to_given_memory_what_it_returns_without(dtype):
    hidden, weight, bias = drawn(dtype)
    one = hidden[:1].contiguous(memory_format=torch.channels_last)
    around = torch.full((1, 20, 14, 8), torch.nan, dtype=dtype).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = convolution_relu(one, weight, bias, (0, 1))
        found = convolution_relu(one, weight, bias, (0, 1), around[:, :, 5:12])
    assert found.data_ptr() == around[:, :, 5:12].data_ptr()
    assert torch.equal(around[:, :, 5:12], expected)
    assert around[:, :, :5].isnan().all()
    assert around[:, :, 12:].isnan().all()


@pytest.mark.skipif(not torch._C._has_mkldnn, reason="this build of torch has no oneDNN")
@pytest.mark.parametrize("padding", [(1, 1), (0, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_weight_in_the_order_of_the_kernel_gives_the_same(dtype, padding):
    hidden, weight, bias = drawn(dtype)
    ordered = in_kernel_order(weight, (0, 1))
    # Without instructions for bfloat16, oneDNN may have no kernel for it.
    assert ordered.is_mkldnn == (convolution._kernel(dtype) is not None)
    with torch.inference_mode():
        found = convolution_relu(hidden, ordered, bias, padding)
        expected = convolution_relu(hidden, weight, bias, padding)
    assert torch.equal(found, expected)


def test_this_torch_has_the_kernel():
    assert convolution._kernel(torch.float32) is not None
    assert convolution._kernel(torch.float64) is None
    assert not cpu_bf16() or convolution._kernel(torch.bfloat16) is not None


@pytest.mark.parametrize("error", [AttributeError, RuntimeError, TypeError])
def test_a_kernel_that_fails_is_not_used(monkeypatch, error):
    def broken(*_: object) -> torch.Tensor:
        raise error("changed")

    monkeypatch.setattr(convolution, "_fused", broken)
    hidden, weight, bias = drawn(torch.float32)
    found = convolution_relu(hidden, weight, bias, (1, 1))
    torch.testing.assert_close(found, functional.conv2d(hidden, weight, bias, padding=1).relu())


def test_a_kernel_that_gives_something_else_is_not_used(monkeypatch):
    def other(
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        padding: tuple[int, int],
        out: torch.Tensor | None,
    ) -> torch.Tensor:
        made = functional.conv2d(hidden, weight, bias, padding=padding)
        return made if out is None else out.copy_(made)

    monkeypatch.setattr(convolution, "_fused", other)
    assert convolution._kernel(torch.float32) is None


def test_a_kernel_that_leaves_given_memory_as_it_was_is_not_used(monkeypatch):
    kernel = convolution._fused
    monkeypatch.setattr(convolution, "_fused", lambda *given: kernel(*given[:4], None))
    assert convolution._kernel(torch.float32) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_in_parts_is_not_rounded(channels):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, channels, 11, 9, generator=generator)
    weight = torch.randn(5, channels, 3, 3, generator=generator)
    expected = functional.conv2d(image, weight)
    parts, kernels = in_parts(image), weight_of_parts(weight)
    assert parts.dtype == kernels.dtype == torch.bfloat16
    found = functional.conv2d(parts.float(), kernels.float())
    rounded = functional.conv2d(image.bfloat16().float(), weight.bfloat16().float())
    most = float((rounded - expected).abs().max())
    assert float((found - expected).abs().max()) < most / 100
