"""Convolution and its gradients by Winograd's filtering, where a network learns in float32.

Forward and backward pass take half the products (`restore.networks.winograd`): the gradient of the
features is a convolution with turned kernels, that of the kernels is made of sums as the outputs
are.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from engine.device import Compute
from restore.networks import winograd
from restore.networks.winograd import (
    INPUTS,
    OUTPUTS,
    PIXELS,
    Memory,
    kernels,
    of_kernels,
    outputs,
    products,
    spread,
    sums,
)

_MEMORY = Memory()


def faster(features: int, compute: Compute) -> bool:
    """Return whether a network of so many features learns faster so."""
    plain = compute.device.type == "cpu" and compute.precision == "float32"
    return plain and winograd.faster(features)


def by_kind(features: Tensor) -> Tensor:
    """Put columns 0, 4, 8, … first, then 1, 5, 9, … and so on; `in_order` puts them back.

    Parameters
    ----------
    features : Tensor (B, C, H, W)
        Of a width that four divides.

    Returns
    -------
    Tensor (B, C, H, W)
        Channels last.
    """
    return _exchanged(features, -1, OUTPUTS)


def in_order(features: Tensor) -> Tensor:
    """Put columns that are sorted `by_kind` back into their order."""
    return _exchanged(features, OUTPUTS, -1)


def _exchanged(features: Tensor, outer: int, inner: int) -> Tensor:
    images, channels, rows, columns = features.shape
    tiles = features.permute(0, 2, 3, 1).reshape(images, rows, outer, inner, channels)
    exchanged = tiles.transpose(2, 3).reshape(images, rows, columns, channels)
    return exchanged.permute(0, 3, 1, 2)


def convolution(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve features with 3×3 kernels, with zeros around them.

    Parameters
    ----------
    features : Tensor (B, C, H, W)
        Columns `by_kind`.
    weight : Tensor (F, C, 3, 3)
    bias : Tensor (F,), optional

    Returns
    -------
    Tensor (B, F, H, W)
        Columns `by_kind`, channels last.
    """
    plain = features.permute(0, 2, 3, 1)
    made: Tensor = _Filtered.apply(plain, weight, bias)  # type: ignore[no-untyped-call]
    return made.permute(0, 3, 1, 2)


class _Filtered(torch.autograd.Function):
    """The convolution of (B, H, W, C), some images at a time, whose sums stay in the cache."""

    @staticmethod
    def forward(ctx: Any, plain: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(plain, weight)
        return _convolved(plain, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        plain, weight = ctx.saved_tensors
        of_features, of_weight, of_bias = ctx.needs_input_grad
        turned = weight.flip(2, 3).transpose(0, 1)
        return (
            _convolved(gradient, turned, None) if of_features else None,
            _weight_gradient(plain, gradient) if of_weight else None,
            gradient.sum((0, 1, 2)) if of_bias else None,
        )


def _convolved(plain: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    six = kernels(weight)
    made = plain.new_empty(*plain.shape[:3], len(weight))
    for part, into in zip(_parts(plain), _parts(made), strict=True):
        found = products(sums(_inputs(part), _MEMORY), six, bias, 1)
        outputs(found, _kinds(into), _MEMORY)
    return made


def _weight_gradient(plain: Tensor, gradient: Tensor) -> Tensor:
    """Return the gradient of the kernels, by that of what they made of features.

    Each row of a kernel takes one matrix product: of the sums of all rows of features, which lie
    one after the other with two rows of zeros behind each image, by as many rows of the gradient.
    """
    height, tiles = plain.shape[1], plain.shape[2] // OUTPUTS
    found = plain.new_zeros(3, INPUTS, gradient.shape[-1], plain.shape[-1])
    for part, behind in zip(_parts(plain), _parts(gradient), strict=True):
        summed = _with_zeros("read", part, ends=(0, -1))
        sums(_inputs(part), _MEMORY, summed[:, :, 1:-1])
        wanted = _with_zeros("given", behind, ends=(-2, -1))
        spread(_kinds(behind), _MEMORY, wanted[:, :, :-2])
        rows = len(part) * (height + 2) * tiles - 2 * tiles
        by_pixel = wanted.flatten(1, 3)[:, :rows].transpose(1, 2)
        pixels = summed.flatten(1, 3)
        for row in range(3):
            found[row].baddbmm_(by_pixel, pixels[:, row * tiles : row * tiles + rows])
    return of_kernels(found.permute(1, 2, 3, 0))


def _with_zeros(name: str, plain: Tensor, ends: tuple[int, int]) -> Tensor:
    """Return room for six sums or products, with two more rows, at these places, of zeros."""
    images, height, width, channels = plain.shape
    shape = INPUTS, images, height + 2, width // OUTPUTS, channels
    room = _MEMORY.of(name, shape, plain.dtype)
    for end in ends:
        room[:, :, end] = 0
    return room


def _parts(plain: Tensor) -> tuple[Tensor, ...]:
    """Return as many images at once as the cache holds sums of."""
    at_once = max(1, PIXELS // (plain.shape[1] * plain.shape[2]))
    return torch.tensor_split(plain.contiguous(), -(-len(plain) // at_once))


def _kinds(plain: Tensor) -> list[Tensor]:
    """Return the columns of each kind, four of (B, H, tiles, C), of (B, H, W, C)."""
    images, height, width, channels = plain.shape
    return [*plain.view(images, height, OUTPUTS, width // OUTPUTS, channels).unbind(2)]


def _inputs(plain: Tensor) -> list[Tensor]:
    """Return the inputs of tiles, without those outside the image."""
    kinds = _kinds(plain)
    return [kinds[-1][:, :, :-1], *kinds, kinds[0][:, :, 1:]]
