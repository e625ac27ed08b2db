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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import artifacts
from engine.errors import why
from restore.errors import RestoreError
from restore.networks import weights_file
from restore.networks.denoiser import describe_schedule
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
        No such model; another ending or opset; a network that gives the image itself, as a state
        dict, or one of squares of pixels; the package onnx is missing; the file cannot be written.

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
    tensors, description, architecture = weights_file.read(find(name_or_file))
    network = DnCNN(architecture)
    network.load_state_dict(tensors)
    about = {
        "model": str(description["variant"]),
        "channels": str(architecture.channels),
        "range": "0..1, sRGB as it is stored",
        "sha256": weights_file.identity(tensors, description),
        "schedule": describe_schedule(description),
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
    RestoreError
        The network computes on squares of pixels.
    """
    _expect_pixels(network, about["model"])
    import onnx
    from onnx import helper, numpy_helper

    shape = network.architecture
    nodes, weights = [], []
    hidden = "image"
    for index, conv in enumerate(network.convolutions()):
        inputs = [hidden]
        for key, value in (("weight", conv.weight), ("bias", conv.bias)):
            assert value is not None
            inputs.append(f"layer{index}.{key}")
            plain = np.ascontiguousarray(value.detach().cpu().float().numpy())
            weights.append(numpy_helper.from_array(plain, inputs[-1]))
        last = index == shape.depth - 1
        hidden = f"sum{index}" if not last else "noise" if shape.residual else "restored"
        nodes.append(
            helper.make_node("Conv", inputs, [hidden], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        )
        if not last:
            nodes.append(helper.make_node("Relu", [hidden], [f"hidden{index}"]))
            hidden = f"hidden{index}"
    if shape.residual:
        nodes.append(helper.make_node("Sub", ["image", "noise"], ["restored"]))
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


def _expect_pixels(network: DnCNN, name: str) -> None:
    side = network.architecture.unshuffle
    if side > 1:
        raise RestoreError(
            f"{name}: expected a network that computes on pixels, found one of squares of {side}, "
            "which other programs are not given; choose another model"
        )


def _state_dict(network: DnCNN, out: Path, name: str) -> Tensors:
    _expect_pixels(network, name)
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
    state = _state_dict(network, out, about["model"])
    with artifacts.atomic(out) as part, part.open("wb") as file:
        torch.save(state, file)


def _safetensors(
    network: DnCNN, out: Path, about: dict[str, str], opset: int  # noqa: ARG001
) -> None:  # fmt: skip
    from safetensors.torch import save

    content = save(_state_dict(network, out, about["model"]), {"restore-hsi": json.dumps(about)})
    with artifacts.atomic(out) as part:
        part.write_bytes(content)


_WRITERS: dict[str, Callable[[DnCNN, Path, dict[str, str], int], Any]] = {
    ".onnx": _onnx,
    ".pth": _pth,
    ".safetensors": _safetensors,
}
