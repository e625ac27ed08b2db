"""Multiply-adds of window networks: they decide how windows are classified, and fill a column."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from torch import nn

from hsi.networks.window_network import WindowNetwork

Convolution = nn.Conv2d | nn.Conv3d


def trunk_cost(network: WindowNetwork) -> Callable[[int, int], int]:
    """Return a function of (height, width) that counts the trunk's multiply-adds on such a crop."""
    return _cost(network.trunk, network.bands)


def multiply_adds_per_pixel(network: WindowNetwork) -> int:
    """Return the multiply-adds of one window alone, trunk and head."""
    side = network.window - _shrinks(network.trunk)
    within = network.within or nn.Sequential()
    linear = sum(
        layer.weight.numel()
        for part in (within, network.head)
        for layer in part.modules()
        if isinstance(layer, nn.Linear)
    )
    trunk = trunk_cost(network)(network.window, network.window)
    return trunk + _cost(within, 1)(side, side) + linear


def largest_layers(network: WindowNetwork) -> int:
    """Return the values per pixel of the two largest neighbouring layers of a dense pass."""
    widest = [network.bands]
    widest += [
        layer.out_channels * depth for layer, depth in _convolutions(network.trunk, network.bands)
    ]
    if network.within is None:
        widest += [layer.out_features for layer in network.head if isinstance(layer, nn.Linear)]
    return max(a + b for a, b in pairwise(widest))


def window_features(network: WindowNetwork) -> int:
    """Return the number of values of one window's features behind the trunk."""
    *_, (last, depth) = _convolutions(network.trunk, network.bands)
    return last.out_channels * depth * (network.window - _shrinks(network.trunk)) ** 2


def _convolutions(part: nn.Module, depth: int) -> Iterator[tuple[Convolution, int]]:
    """Yield the convolutions, each with the depth of its output."""
    for layer in part.modules():
        if isinstance(layer, nn.Unflatten):
            depth = int(layer.unflattened_size[1])
        elif isinstance(layer, nn.Conv3d):
            padding = int(layer.padding[0])
            depth = (depth + 2 * padding - layer.kernel_size[0]) // layer.stride[0] + 1
            yield layer, depth
        elif isinstance(layer, nn.Conv2d):
            depth = 1
            yield layer, depth


def _cost(part: nn.Module, depth: int) -> Callable[[int, int], int]:
    layers = [
        (layer.weight.numel() * deep, layer.kernel_size[-2] - 1, layer.kernel_size[-1] - 1)
        for layer, deep in _convolutions(part, depth)
    ]

    def cost(height: int, width: int) -> int:
        total = 0
        for per_output, tall, wide in layers:
            height, width = height - tall, width - wide
            total += per_output * height * width
        return total

    return cost


def _shrinks(part: nn.Module) -> int:
    """Return the rows that unpadded kernels take off."""
    return sum(layer.kernel_size[-1] - 1 for layer, _ in _convolutions(part, 1))
