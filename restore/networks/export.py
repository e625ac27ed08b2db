"""Weights in the forms that other programs read: ONNX, and the state dict of KAIR's DnCNN.

The state dict has the names of KAIR [1]_ (``model.0.weight``, ``model.2.weight``, ...), which
spandrel [2]_ knows, and with it chaiNNer and others. The ONNX graph is written node by node: a
DnCNN is convolutions, ReLU and a subtraction, which every runtime has.

References
----------
.. [1] K. Zhang et al., KAIR, https://github.com/cszn/KAIR
.. [2] spandrel, https://github.com/chaiNNer-org/spandrel
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import artifacts
from engine.errors import why
from engine.tensors import as_tensors
from restore.errors import RestoreError
from restore.networks import weights_file
from restore.networks.dncnn import DnCNN
from restore.networks.shipped import find

OPSET = 17  # of 2022: what programs of users read
OPSETS = (14, 25)  # in these, convolution, ReLU and subtraction are the same
_IR_VERSION = 8  # of the same year

Tensors = dict[str, Tensor]


def export(name_or_file: str, out: Path, *, opset: int = OPSET) -> dict[str, str]:
    """Write weights in a form that other programs read.

    Parameters
    ----------
    name_or_file : str
        Shipped weights or a .safetensors file.
    out : Path
        .onnx: input `image` and output `restored`, both float32 (N, C, H, W) on 0..1 with any N, H
        and W; neither clipped nor rounded. .pth or .safetensors: a state dict as KAIR's DnCNN has
        it, whose network subtracts its output from its input.
    opset : int
        Of ONNX, `OPSETS[0]` to `OPSETS[1]`.

    Returns
    -------
    dict of str to str
        What is written beside the weights: model, channels, range, sha256, schedule, image sets.

    Raises
    ------
    RestoreError
        No such model; another ending or opset; a network that gives the image itself or computes on
        squares of pixels, as a state dict; the package onnx is missing; the file cannot be written.

    Examples
    --------
    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "b.pth"
    ...     about = export("dncnn-b", file)
    ...     state = torch.load(file, weights_only=True)
    >>> about["channels"], list(state)[:2], len(state)
    ('1', ['model.0.weight', 'model.0.bias'], 40)
    """
    write = _WRITERS.get(out.suffix.lower())
    if write is None:
        raise RestoreError(f"{out}: expected a name that ends with one of {', '.join(_WRITERS)}")
    if not OPSETS[0] <= opset <= OPSETS[1]:
        raise RestoreError(f"`opset` {opset}: expected {OPSETS[0]} to {OPSETS[1]}")
    stored, description, architecture = weights_file.stored(find(name_or_file))
    network = DnCNN(architecture)
    network.load_state_dict(as_tensors(stored))
    about = {
        "model": str(description["variant"]),
        "channels": str(architecture.channels),
        "range": "0..1, sRGB as it is stored",
        "sha256": weights_file.identity(stored, description),
        "schedule": weights_file.describe_schedule(description),
        "image_sets": ", ".join(description.get("training", {}).get("sets", ())) or "unknown",
    }
    try:
        write(network.eval(), out, about, opset)
    except OSError as error:
        raise RestoreError(f"{out}: cannot be written: {why(error)}") from error
    return about


def _onnx(network: DnCNN, out: Path, about: dict[str, str], opset: int) -> None:
    try:
        content = onnx_bytes(network, about, opset)
    except ImportError as error:
        raise RestoreError(
            f"{out}: needs the package onnx; pip install 'restore-hsi[onnx]'"
        ) from error
    with artifacts.atomic(out) as part:
        part.write_bytes(content)


def onnx_bytes(network: DnCNN, about: dict[str, str], opset: int = OPSET) -> bytes:
    """Return the content of an ONNX file: `image` to `restored`, see `export`.

    Parameters
    ----------
    network : DnCNN
        Without batch normalisation.
    about : dict of str to str
        `model`, and other metadata.
    opset : int

    Raises
    ------
    ImportError
        The package onnx is missing.
    """
    import onnx
    from onnx import helper, numpy_helper

    shape, side = network.architecture, network.architecture.unshuffle
    nodes, weights = [], []

    def constant(name: str, values: Any) -> str:
        weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(kind: str, inputs: Sequence[str], output: str, **how: Any) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [output], **how))
        return output

    whole = hidden = "image"
    if side > 1:  # as `unshuffled`
        node("Shape", ["image"], "shape")
        beyond = node("Mod", [node("Neg", ["shape"], "minus"), constant("side", [side])], "beyond")
        # How much is put before and behind: of images, channels, rows and columns.
        ends = constant("ends", np.array([0, 0, 1, 1]))
        node("Mul", [beyond, ends], "behind")
        node("Concat", [constant("before", np.zeros(4, np.int64)), "behind"], "pads", axis=0)
        whole = node("Pad", ["image", "pads"], "whole", mode="edge")
        hidden = node("SpaceToDepth", [whole], "squares", blocksize=side)
    for index, conv in enumerate(network.convolutions()):
        weight, bias = (
            value.detach().cpu().float().numpy() for value in (conv.weight, _bias(conv))
        )
        if index == 0:  # ONNX has the channels of the image last in a square
            parts = weight.reshape(len(weight), shape.channels, side**2, 3, 3)
            weight = parts.swapaxes(1, 2).reshape(weight.shape)
        inputs = [hidden, constant(f"layer{index}.weight", weight)]
        inputs.append(constant(f"layer{index}.bias", bias))
        hidden = node("Conv", inputs, f"sum{index}", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        if index < shape.depth - 1:
            hidden = node("Relu", [hidden], f"hidden{index}")
    if side > 1:
        hidden = node("DepthToSpace", [hidden], "output", blocksize=side, mode="CRD")
    if shape.residual:
        hidden = node("Sub", [whole, hidden], "difference")
    if side > 1:
        starts = constant("starts", np.zeros(4, np.int64))
        node("Slice", [hidden, starts, "shape"], "restored")
    else:
        node("Identity", [hidden], "restored")
    image, restored = (
        helper.make_tensor_value_info(
            name, onnx.TensorProto.FLOAT, ["batch", shape.channels, "height", "width"]
        )
        for name in ("image", "restored")
    )
    graph = helper.make_graph(nodes, about["model"], [image], [restored], weights)
    operators = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        graph,
        opset_imports=operators,
        producer_name="restore-hsi",
        ir_version=max(_IR_VERSION, helper.find_min_ir_version_for(operators)),
    )
    helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def _bias(conv: torch.nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias


def _state_dict(network: DnCNN, out: Path) -> Tensors:
    if network.architecture.unshuffle > 1:
        raise RestoreError(
            f"{out}: expected a network that computes on pixels, as KAIR's does, found one of "
            f"squares of {network.architecture.unshuffle}; export it to .onnx"
        )
    if not network.architecture.residual:
        raise RestoreError(
            f"{out}: expected a network that predicts the noise, as KAIR's does, found one that "
            "gives the image itself; export it to .onnx"
        )
    return {
        f"model.{2 * index}.{key}": value.detach().float().contiguous()
        for index, conv in enumerate(network.convolutions())
        for key, value in conv.named_parameters()
    }


def _pth(network: DnCNN, out: Path, about: dict[str, str], opset: int) -> None:  # noqa: ARG001
    state = _state_dict(network, out)
    with artifacts.atomic(out) as part, part.open("wb") as file:
        torch.save(state, file)


def _safetensors(
    network: DnCNN, out: Path, about: dict[str, str], opset: int  # noqa: ARG001
) -> None:  # fmt: skip
    from safetensors.torch import save

    content = save(_state_dict(network, out), {"restore-hsi": json.dumps(about)})
    with artifacts.atomic(out) as part:
        part.write_bytes(content)


_WRITERS: dict[str, Callable[[DnCNN, Path, dict[str, str], int], Any]] = {
    ".onnx": _onnx,
    ".pth": _pth,
    ".safetensors": _safetensors,
}
