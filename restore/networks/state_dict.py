"""Convolutions of a PyTorch state dict, with the batch normalisation between them folded in.

Known forms: KAIR's (``model.0.weight``, ...; usually folded already) and SaoYan's DnCNN-PyTorch
(``module.dncnn.0.weight``, ...; no bias, batch normalisation as trained).
"""

import logging
import pickle  # noqa: TID251 (only for the exception that torch raises when it refuses a file)
import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from restore.errors import RestoreError

log = logging.getLogger(__name__)

Convolutions = list[tuple[Tensor, Tensor]]

# What is added to the variance is part of the code, not of the file: KAIR's layers are built with
# 1e-4 (models/basicblock.py), everybody else's with PyTorch's default.
_KAIR_EPS, _DEFAULT_EPS = 1e-4, 1e-5


def read(path: Path) -> tuple[Convolutions, float | None]:
    """Read a state dict; no code is ever run.

    Parameters
    ----------
    path : Path
        What ``torch.save`` wrote, also inside a checkpoint under 'state_dict', 'params' or 'model',
        or safetensors.

    Returns
    -------
    convolutions : list of (Tensor (out, in, h, w), Tensor (out,))
        Weights and biases in float32, by the numbers in their names, else in the file's order; a
        missing bias is zero.
    eps : float or None
        Of the batch normalisation that was folded, None where there was none.

    Raises
    ------
    RestoreError
        If the file is damaged, carries code, or holds other layers.
    """
    state = _loaded(path)
    found: Convolutions = []
    eps = None
    for name, layer in _layers(state).items():
        kernel = layer.get("weight")
        if kernel is not None and kernel.ndim == 4 and layer.keys() <= {"weight", "bias"}:
            bias = layer.get("bias", torch.zeros(len(kernel)))
            found.append((kernel.float(), bias.float()))
        elif found and layer.keys() == {"weight", "bias", "running_mean", "running_var"}:
            eps = _KAIR_EPS if name.removeprefix("module.").startswith("model.") else _DEFAULT_EPS
            deviation = (layer["running_var"].double() + eps).sqrt()
            gain, shift, mean = (layer[part] for part in ("weight", "bias", "running_mean"))
            try:
                found[-1] = fold(*found[-1], gain, shift, mean, deviation)
            except RuntimeError as error:
                raise RestoreError(
                    f"{path}: {name}: expected batch normalisation of {len(found[-1][1])} "
                    f"features, found {len(deviation)}"
                ) from error
        else:
            raise RestoreError(
                f"{path}: expected convolutions and batch normalisation and nothing else, "
                f"found {name or 'a layer'} with {', '.join(layer)}"
            )
    if eps is not None:
        log.info("%s: batch normalisation folded, its eps taken to be %g", path, eps)
    return found, eps


def fold(
    weight: Tensor, bias: Tensor, gain: Tensor, shift: Tensor, mean: Tensor, deviation: Tensor
) -> tuple[Tensor, Tensor]:
    """Fold ``gain * (x - mean) / deviation + shift`` into the convolution before it.

    Parameters
    ----------
    weight : Tensor (out, in, h, w)
    bias, gain, shift, mean, deviation : Tensor (out,)

    Returns
    -------
    weight, bias : Tensor
        float32, computed in float64.
    """
    scale = gain.double() / deviation.double()
    folded = weight.double() * scale[:, None, None, None]
    return folded.float(), ((bias.double() - mean.double()) * scale + shift.double()).float()


def _loaded(path: Path) -> dict[str, Tensor]:
    try:
        state: Any
        if path.suffix.lower() == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = re.search(r"(?:global|GLOBAL|class) ([\w.]+)", str(error))
        if reason:
            raise RestoreError(
                f"{path}: refused, because loading it would run code ({reason[1]}); "
                "ask its author for a plain state dict"
            ) from error
        raise RestoreError(f"{path}: not a .mat or .pth of weights, or damaged") from error
    except Exception as error:  # torch raises whatever the first strange byte leads it to
        raise RestoreError(f"{path}: not a .mat or .pth of weights, or damaged") from error
    if isinstance(state, dict):
        for key in ("state_dict", "params", "model"):
            if isinstance(state.get(key), dict):
                state = state[key]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise RestoreError(
            f"{path}: expected a state dict of tensors, found {type(state).__name__}"
        )
    return {str(name): value for name, value in state.items()}


def _layers(state: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Gather the tensors of each layer, by the numbers in their names, else in the file's order.

    safetensors sorts names as text: model.10 before model.2.
    """
    layers: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        layer, _, part = name.rpartition(".")
        if part != "num_batches_tracked":
            layers.setdefault(layer, {})[part] = value
    if len({re.sub(r"\d+", "#", name) for name in layers}) > 1:
        return layers
    return dict(sorted(layers.items(), key=lambda item: [*map(int, re.findall(r"\d+", item[0]))]))
