"""Multiply-adds of window networks: they decide how windows are classified, and fill a column."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from torch import nn

from hsi.networks.dilated import Dilated, MeanPool
from hsi.networks.window_network import WindowNetwork

Convolution = nn.Conv2d | nn.Conv3d


def trunk_cost(network: WindowNetwork) -> Callable[[int, int], int]:
    """Return a function of (height, width) that counts a dense trunk pass over such a crop."""
    layers = list(_layers(network.trunk, network.bands))

    def cost(height: int, width: int) -> int:
        total = 0
        for per_output, tall, wide in layers:
            height, width = height - tall, width - wide
            total += per_output * height * width
        return total

    return cost


def multiply_adds_per_pixel(network: WindowNetwork) -> int:
    """Return the multiply-adds of one window alone: trunk, layers within the window, and head."""
    return network.trunk_pass.multiply_adds + network.rest_pass.multiply_adds


def largest_layers(network: WindowNetwork) -> int:
    """Return the values per pixel of the two largest neighbouring layers of a dense pass."""
    widest = [network.bands]
    widest += [
        layer.out_channels * depth for layer, depth in _convolutions(network.trunk, network.bands)
    ]
    if network.within is None:
        widest += [layer.out_features for layer in network.head if isinstance(layer, nn.Linear)]
    return max((a + b for a, b in pairwise(widest)), default=network.bands)


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


def _layers(trunk: nn.Module, depth: int) -> Iterator[tuple[int, int, int]]:
    """Yield the multiply-adds per position of layers, and the rows and columns they take off."""
    if isinstance(trunk, Dilated):
        for layer, dilation in trunk.dilations():
            if isinstance(layer, nn.Conv2d):
                tall, wide = (dilation * (side - 1) for side in layer.kernel_size)
                yield layer.weight.numel(), tall, wide
            elif isinstance(layer, MeanPool):
                yield 0, dilation, dilation
    else:
        for layer, deep in _convolutions(trunk, depth):
            tall, wide = (side - 1 for side in layer.kernel_size[-2:])
            yield layer.weight.numel() * deep, tall, wide
