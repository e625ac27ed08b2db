"""Convolution on a CPU: with ReLU in one kernel, and of an image in bfloat16 without rounding it.

Apart, ReLU reads and writes all features again, a fifth of the time of a layer. The kernel is the
one of oneDNN that torch.compile calls, where this build of torch has it. It has no public name, so
it is tried once before it is used.

Rounded to bfloat16, an image has noise of up to half a grey level more, which a denoiser removes
together with the image's own: from an image without it, that is an error. `in_parts` keeps twice as
many digits, as two images of bfloat16.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

log = logging.getLogger(__name__)

Kernel = Callable[..., Tensor]


def convolution_relu(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: tuple[int, int],
    out: Tensor | None = None,
) -> Tensor:
    """Convolve features and cut off what is below zero; for inference alone.

    Parameters
    ----------
    hidden : Tensor (B, C, H, W)
        Of the type of `weight`.
    weight : Tensor (F, C, K, K)
        Of `in_kernel_order`, or plain.
    bias : Tensor (F,), optional
    padding : (int, int)
        Rows and columns of zeros on either side.
    out : Tensor (1, F, H', W'), optional
        Of one image, channels last: written to and returned. By default fresh memory.

    Returns
    -------
    Tensor (B, F, H', W')
    """
    kernel = _kernel(hidden.dtype) if hidden.device.type == "cpu" else None
    if kernel is None:
        made = functional.conv2d(hidden, weight, bias, padding=padding).relu_()
        return made if out is None else out.copy_(made)
    return kernel(hidden, weight, bias, padding, out)


def in_kernel_order(weight: Tensor, padding: tuple[int, int]) -> Tensor:
    """Return a weight as the kernel reads it, or the weight itself where there is no kernel.

    A plain one is brought into this order at every call.
    """
    kernel = _kernel(weight.dtype) if weight.device.type == "cpu" else None
    return weight if kernel is None else _reordered(weight, padding)


@functools.cache
def _kernel(dtype: torch.dtype) -> Kernel | None:
    """Return oneDNN's kernel for numbers of a type; None where it is missing or another."""
    if dtype not in (torch.float32, torch.bfloat16) or not torch._C._has_mkldnn:
        return None
    drawn = torch.Generator().manual_seed(0)
    hidden, weight, bias = (
        torch.randn(shape, generator=drawn).to(dtype)
        for shape in ((1, 2, 5, 4), (3, 2, 3, 3), (3,))
    )
    padding = (0, 1)
    expected = functional.conv2d(hidden, weight, bias, padding=padding).relu_()
    out = torch.full((1, 3, 3, 4), torch.nan, dtype=dtype).to(memory_format=torch.channels_last)
    try:
        _fused(hidden, _reordered(weight, padding), bias, padding, out)
        found = _fused(hidden, weight, bias, padding, None)
    except (AttributeError, RuntimeError, TypeError) as error:
        log.debug("convolution and ReLU stay apart: %s", error)
        return None
    near = all(torch.allclose(made, expected, rtol=0.02, atol=0.02) for made in (found, out))
    return _fused if near else None


def _reordered(weight: Tensor, padding: tuple[int, int]) -> Tensor:
    kernels: Any = torch.ops.mkldnn
    once = [1, 1]
    made: Tensor = kernels._reorder_convolution_weight(weight, [*padding], once, once, 1, [])
    return made


def _fused(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: tuple[int, int],
    out: Tensor | None,
) -> Tensor:
    once = [1, 1]
    kernels: Any = torch.ops.mkldnn
    if out is None:
        made: Tensor = kernels._convolution_pointwise(
            hidden, weight, bias, [*padding], once, once, 1, "relu", [], None
        )
        return made
    # The kernel that writes to given memory adds to what is there.
    kernels._convolution_pointwise_.binary(
        out.zero_(), hidden, weight, bias, [*padding], once, once, 1, "add", 1.0, "relu", [], None
    )
    return out


def in_parts(images: Tensor) -> Tensor:
    """Give each channel as three in bfloat16: rounded, what rounding took, and rounded again.

    Returns
    -------
    Tensor (B, 3 C, H, W)
        For a convolution by `weight_of_parts`.
    """
    rounded = images.to(torch.bfloat16)
    rest = (images - rounded).to(torch.bfloat16)
    return torch.cat([rounded, rest, rounded], 1)


def weight_of_parts(weight: Tensor) -> Tensor:
    """Return the kernels, in bfloat16, that convolve `in_parts` as these would the image.

    Image and kernel are each a sum of what is rounded and the rest. Of the four products the one of
    both rests is left out: it is as small as what float32 rounds.

    Parameters
    ----------
    weight : Tensor (F, C, K, K)
        float32.

    Returns
    -------
    Tensor (F, 3 C, K, K)
    """
    rounded = weight.to(torch.bfloat16)
    rest = (weight - rounded).to(torch.bfloat16)
    return torch.cat([rounded, rounded, rest], 1)
