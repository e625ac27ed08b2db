"""The layers of a DnCNN as they run without gradients: kernels by precision and CPU."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import functional

from restore.networks import winograd
from restore.networks.dncnn import DnCNN
from restore.networks.inference.columns import Columns
from restore.networks.inference.convolution import (
    convolution_relu,
    in_kernel_order,
    in_parts,
    weight_of_parts,
)
from restore.networks.winograd import kernels

# Of features, rows and columns of zeros around them, and where the result goes, if not into fresh
# memory.
Layer = Callable[[Tensor, tuple[int, int], Tensor | None], Tensor]

_SAFE = 1e36  # features below it do not overflow, whatever is rounded; the shipped weights: 1e22
_GAINS: WeakKeyDictionary[DnCNN, tuple[Any, float, float]] = WeakKeyDictionary()


class Layers(NamedTuple):
    """What a batch of one width goes through.

    Attributes
    ----------
    enter : callable
        Makes of images what the first layer reads.
    every : sequence of Layer
        From the first to the last.
    columns : Columns, optional
        The order of the columns of all features in between, where it is another.
    """

    enter: Callable[[Tensor], Tensor]
    every: Sequence[Layer]
    columns: Columns | None


def layers(network: DnCNN, dtype: torch.dtype, largest: float, width: int) -> Layers:
    """Return the layers of a network, computed in a precision.

    The one kernel of convolution and ReLU gives 0 for what is not a number, which `Denoiser` is to
    see, and Winograd's sums could overflow. So both are used where nothing of the kind can arise
    from values up to `largest`; a GPU has neither.
    """
    if network.norms:
        count = network.architecture.depth
        every = [partial(_put, partial(network.layer, index)) for index in range(count)]
        return Layers(_as_it_is, every, None)
    first, *inner, final = [
        (conv.weight.to(dtype), None if conv.bias is None else conv.bias.to(dtype))
        for conv in network.convolutions()
    ]
    enter = _as_it_is
    if dtype == torch.bfloat16:
        enter, first = in_parts, (weight_of_parts(network.convolutions()[0].weight), first[1])
    bound = _bound(network, largest) if math.isfinite(largest) else math.inf
    faster = dtype == torch.float32 and winograd.faster(network.architecture.features)
    if faster and bound < winograd.LARGEST:
        columns = Columns(width)
        begin = partial(_first_filtered, columns, in_kernel_order(first[0], (0, 1)), first[1])
        between = [partial(_filtered, columns, kernels(weight), bias) for weight, bias in inner]
        end = partial(_put, partial(_last_filtered, columns, *final))
        return Layers(enter, [begin, *between, end], columns)
    if bound < _SAFE:
        made = [
            partial(_inner, in_kernel_order(weight, (0, 1)), bias)
            for weight, bias in (first, *inner)
        ]
    else:
        made = [partial(_put, partial(_apart, *of)) for of in (first, *inner)]
    return Layers(enter, [*made, partial(_put, partial(_last, *final))], None)


def _as_it_is(images: Tensor) -> Tensor:
    return images


def _inner(
    weight: Tensor,
    bias: Tensor | None,
    hidden: Tensor,
    padding: tuple[int, int],
    out: Tensor | None,
) -> Tensor:
    return convolution_relu(hidden.to(weight.dtype), weight, bias, padding, out)


def _first_filtered(
    columns: Columns,
    weight: Tensor,
    bias: Tensor | None,
    hidden: Tensor,
    padding: tuple[int, int],
    out: Tensor | None,
) -> Tensor:
    return columns.enter(_inner(weight, bias, hidden, padding, None), out)


def _filtered(
    columns: Columns,
    weight: list[Tensor],
    bias: Tensor | None,
    hidden: Tensor,
    padding: tuple[int, int],
    out: Tensor | None,
) -> Tensor:
    return columns.convolution_relu(hidden, weight, bias, padding[0], out)


def _last_filtered(
    columns: Columns,
    weight: Tensor,
    bias: Tensor | None,
    hidden: Tensor,
    padding: tuple[int, int],
) -> Tensor:
    return _last(weight, bias, columns.leave(hidden), padding)


def _apart(weight: Tensor, bias: Tensor | None, hidden: Tensor, padding: tuple[int, int]) -> Tensor:
    return _last(weight, bias, hidden, padding).relu_()


def _last(weight: Tensor, bias: Tensor | None, hidden: Tensor, padding: tuple[int, int]) -> Tensor:
    return functional.conv2d(hidden.to(weight.dtype), weight, bias, padding=padding)


def _put(
    layer: Callable[[Tensor, tuple[int, int]], Tensor],
    hidden: Tensor,
    padding: tuple[int, int],
    out: Tensor | None,
) -> Tensor:
    result = layer(hidden, padding)
    return result if out is None else out.copy_(result)


def _bound(network: DnCNN, largest: float) -> float:
    """Return what no feature can be larger than; NaN where a weight is not a number."""
    state = tuple((part.data_ptr(), part._version) for part in network.parameters())
    known = _GAINS.get(network)
    if known is None or known[0] != state:
        _GAINS[network] = known = state, *_gains(network)
    return known[1] * largest + known[2]


def _gains(network: DnCNN) -> tuple[float, float]:
    """Return how much larger than the input a feature can be: so many times, and so much more."""
    found = [(0.0, 0.0)]
    times, more = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for conv in network.convolutions():
        gains = conv.weight.detach().double().abs().sum(dim=(2, 3))
        times = gains @ times.expand(gains.shape[1])
        more = gains @ more.expand(gains.shape[1])
        if conv.bias is not None:
            more = more + conv.bias.detach().double().abs()
        found.append((float(times.max()), float(more.max())))
    largest = torch.tensor(found, dtype=torch.float64).amax(dim=0)  # NaN where one is
    return float(largest[0]), float(largest[1])
