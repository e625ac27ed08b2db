"""The dense pass of a window network as nodes of an ONNX graph.

The graph is written node by node, as it is in `hsi.networks.window_network`: a scene goes through
the trunk once, and the dense layers are convolutions. Features lie as (N, C, D, h, w) here, in the
order that all runtimes have, and the kernels are those of the weights as they are stored.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from hsi.networks.convolutions import Spectrum, SpectrumAsChannels
from hsi.networks.dilated import Dilated, MeanPool
from hsi.networks.window_network import WindowNetwork

_BACKWARDS = -(2**31)  # of a slice: beyond the first


class CannotExport(Exception):
    """A network has layers that are not written to a graph; the message says which."""


class Graph:
    """Nodes and constants of an ONNX graph that grows.

    Attributes
    ----------
    nodes, constants : list
        What `onnx.helper.make_graph` takes.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._names: dict[int, str] = {}

    def node(self, operator: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        from onnx import helper

        name = out or f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, values: npt.ArrayLike, kind: str = "") -> str:
        """Append a constant and return its name."""
        from onnx import numpy_helper

        array = np.ascontiguousarray(np.asarray(values, kind or None))
        name = f"constant{len(self.constants)}"
        # A scalar must stay one, and ascontiguousarray makes it a vector.
        array = array.reshape(np.shape(values))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, tensor: torch.Tensor) -> str:
        """Append a weight in float32, once however often it is asked for; return its name."""
        key = tensor.data_ptr()
        if key not in self._names:
            self._names[key] = self.constant(tensor.detach().cpu().float().numpy())
        return self._names[key]

    def flip(self, values: str, axis: int) -> str:
        """Return values with an axis reversed."""
        starts, ends, axes, steps = (
            self.constant([number], "int64") for number in (-1, _BACKWARDS, axis, -1)
        )
        return self.node("Slice", values, starts, ends, axes, steps)

    def oriented(self, image: str, orientation: int) -> str:
        """Return (N, C, h, w) as `engine.orientation.oriented` turns it."""
        turned = self._turned(image, orientation % 4)
        return self.flip(turned, 3) if orientation >= 4 else turned

    def back(self, image: str, orientation: int) -> str:
        """Return (N, C, h, w) as it was before `oriented`."""
        plain = self.flip(image, 3) if orientation >= 4 else image
        return self._turned(plain, -orientation % 4)

    def _turned(self, image: str, quarters: int) -> str:
        if quarters == 0:
            return image
        if quarters == 2:
            return self.flip(self.flip(image, 2), 3)
        flipped = self.flip(image, 3 if quarters == 1 else 2)
        return self.node("Transpose", flipped, perm=[0, 1, 3, 2])

    def convolution(
        self,
        values: str,
        weight: str,
        bias: str | None,
        kernel: Sequence[int],
        **attributes: Any,
    ) -> str:
        """Append a convolution of any number of axes."""
        inputs = [values, weight, *([] if bias is None else [bias])]
        return self.node("Conv", *inputs, kernel_shape=list(kernel), **attributes)


def dense(graph: Graph, network: WindowNetwork, crop: str) -> str:
    """Append the dense pass over a padded scene, and return the name of its logits.

    Parameters
    ----------
    graph : Graph
    network : WindowNetwork
        In evaluation mode.
    crop : str
        Name of values (N, K, h, w), float32.

    Returns
    -------
    str
        Logits (N, C, h − window + 1, w − window + 1).

    Raises
    ------
    CannotExport
        Windows share no pass, or a layer is not known.
    """
    if network.alone or network.within is not None:
        raise CannotExport("every window goes through layers of its own")
    trunk, values, step = network.trunk, crop, 1
    assert isinstance(trunk, nn.Sequential)
    layers = trunk.dilations() if isinstance(trunk, Dilated) else ((layer, 1) for layer in trunk)
    channels = network.bands
    for layer, dilation in layers:
        values = _trunk_layer(graph, layer, values, dilation, channels)
        channels = layer.out_channels if isinstance(layer, nn.Conv2d) else channels
        step = 2 * dilation if isinstance(layer, MeanPool) else max(step, dilation)
    features, side = network.trunk_pass.shape[1], network.trunk_pass.shape[-1]
    for layer in network.head:
        if isinstance(layer, nn.Linear):
            kernel = layer.weight.view(-1, features, side, side)
            bias = None if layer.bias is None else graph.weight(layer.bias)
            values = graph.convolution(
                *(values, graph.weight(kernel), bias, (side, side)), dilations=[step, step]
            )
            features, side, step = layer.out_features, 1, 1
        elif not isinstance(layer, nn.Dropout):
            values = _function(graph, layer, values)
    return _cropped(graph, values, crop, network.window) if isinstance(trunk, Dilated) else values


def _cropped(graph: Graph, logits: str, crop: str, window: int) -> str:
    """Leave out positions behind the last window, which strides leave rows for."""
    sides = graph.node("Gather", graph.node("Shape", crop), graph.constant([2, 3], "int64"))
    ends = graph.node("Sub", sides, graph.constant([window - 1] * 2, "int64"))
    starts, axes = (graph.constant(numbers, "int64") for numbers in ([0, 0], [2, 3]))
    return graph.node("Slice", logits, starts, ends, axes)


def _trunk_layer(graph: Graph, layer: nn.Module, values: str, dilation: int, channels: int) -> str:
    if isinstance(layer, nn.Conv2d | nn.Conv3d):
        axes = layer.weight.ndim - 2
        bias = None if layer.bias is None else graph.weight(layer.bias)
        pads = [int(size) for size in layer.padding] * 2
        return graph.convolution(
            *(values, graph.weight(layer.weight), bias, layer.weight.shape[2:]),
            strides=list(layer.stride),
            pads=pads,
            dilations=[1] * (axes - 2) + [dilation] * 2,
        )
    if isinstance(layer, MeanPool):
        kernel = graph.constant(np.full((channels, 1, 2, 2), 0.25, np.float32))
        return graph.convolution(
            values, kernel, None, (2, 2), group=channels, dilations=[dilation] * 2
        )
    if isinstance(layer, Spectrum | nn.Unflatten):
        return graph.node("Unsqueeze", values, graph.constant([1], "int64"))
    if isinstance(layer, SpectrumAsChannels | nn.Flatten):
        shape = graph.node("Shape", values)
        ends = (graph.constant(places, "int64") for places in ([0], [3, 4]))
        count, sides = (graph.node("Gather", shape, places, axis=0) for places in ends)
        wanted = graph.node("Concat", count, graph.constant([-1], "int64"), sides, axis=0)
        return graph.node("Reshape", values, wanted)
    return _function(graph, layer, values)


def _function(graph: Graph, layer: nn.Module, values: str) -> str:
    known: dict[type[nn.Module], str] = {nn.ReLU: "Relu", nn.Tanh: "Tanh", nn.Sigmoid: "Sigmoid"}
    if type(layer) not in known:
        raise CannotExport(f"its layer {type(layer).__name__} has no counterpart here")
    return graph.node(known[type(layer)], values)
