"""The DnCNN weights that people have: the authors' MatConvNet files and PyTorch state dicts.

In both, batch normalisation is already folded into the convolutions. The files do not say for
which noise they were trained: the published ones are recognised by checksum, others by their name.
"""

import pickle  # noqa: TID251 (only for the exception that torch raises when it refuses a file)
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import artifacts
from restore.errors import RestoreError

_Convolutions = list[tuple[Tensor, Tensor]]

# Published files whose name may have been changed: SHA-256 (first 16 digits) to variant.
_KNOWN = {
    "657d5115fa05d371": "dncnn-s-15",  # sigma=15.mat
    "5a5404c9e3ef14e3": "dncnn-s-25",  # sigma=25.mat
    "517dc0b55a8da2c1": "dncnn-s-50",  # sigma=50.mat
    "0451a70de9b672ae": "dncnn-s-25",  # dncnn_25.pth
    "37f76da0b71dd2b2": "dncnn-b",  # GD_Gray_Blind.mat
    "57db5437a44037e7": "dncnn-b-color",  # GD_Color_Blind.mat
    "3962377d522b6728": "dncnn-3",  # DnCNN3.mat
}


def import_weights(path: Path | str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read published DnCNN weights.

    Parameters
    ----------
    path : Path
        MatConvNet ``.mat`` of version 7.3, or a PyTorch state dict ``.pth``.

    Returns
    -------
    tensors : dict of str to Tensor
        ``layers.{i}.weight`` (out, in, 3, 3) and ``layers.{i}.bias`` (out,), float32, of a network
        whose batch normalisation is folded.
    description : dict
        variant ('dncnn-s-25', ..., 'dncnn-b', 'dncnn-3', 'dncnn-b-color', or 'dncnn' where
        neither content nor name tells), depth, channels, features, sigma (float or None),
        sigma_range ([0, 55] or None), residual, batch_norm, source (file name), source_sha256,
        and format ('matconvnet' or 'pytorch').

    Raises
    ------
    RestoreError
        If the file is missing, damaged, carries code, or holds another network.
    """
    path = Path(path)
    if not path.is_file():
        raise RestoreError(f"{path}: no such file; expected published weights (.mat or .pth)")
    with path.open("rb") as file:
        head = file.read(520)
    if b"\x89HDF\r\n\x1a\n" in (head[:8], head[512:520]):
        form, convolutions = "matconvnet", _matconvnet(path)
    elif head.startswith(b"MATLAB 5.0"):
        raise RestoreError(
            f"{path}: expected a .mat of version 7.3; save it with save(..., '-v7.3')"
        )
    else:
        form, convolutions = "pytorch", _pytorch(path)
    features = _checked(path, convolutions)
    digest = artifacts.sha256_file(path)
    depth, channels = len(convolutions), convolutions[0][0].shape[1]
    variant = _KNOWN.get(digest[:16]) or _from_name(path.stem, depth, channels)
    noise = re.fullmatch(r"dncnn-s-(\d+)", variant)
    blind = variant in ("dncnn-b", "dncnn-b-color", "dncnn-3")
    tensors = {}
    for index, (weight, bias) in enumerate(convolutions):
        tensors[f"layers.{index}.weight"] = weight
        tensors[f"layers.{index}.bias"] = bias
    return tensors, {
        "variant": variant,
        "depth": depth,
        "channels": channels,
        "features": features,
        "sigma": float(noise[1]) if noise else None,
        "sigma_range": [0, 55] if blind else None,
        "residual": True,
        "batch_norm": False,
        "source": path.name,
        "source_sha256": digest,
        "format": form,
    }


def _matconvnet(path: Path) -> _Convolutions:
    """Read the convolutions of `net.layers`, a cell array of MATLAB structs."""
    import h5py

    found: _Convolutions = []
    try:
        with h5py.File(path, "r") as file:
            for (layer,) in file["net/layers"][:]:
                if "weights" not in file[layer]:
                    continue  # a ReLU, or the loss
                kernel, bias = (file[entry][:] for entry in file[layer]["weights"][:].ravel())
                # MATLAB drops trailing dimensions of one: (in, 3, 3) is a single output channel.
                kernel = kernel[None] if kernel.ndim == 3 else kernel
                # HDF5 reads MATLAB's (row, column, in, out) backwards, as (out, in, column, row).
                weight = np.ascontiguousarray(kernel.transpose(0, 1, 3, 2), dtype=np.float32)
                flat = np.asarray(bias, dtype=np.float32).ravel()
                found.append((torch.from_numpy(weight), torch.from_numpy(flat)))
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise RestoreError(
            f"{path}: expected a MatConvNet network (net.layers), not readable: {_line(error)}"
        ) from error
    return found


def _pytorch(path: Path) -> _Convolutions:
    """Read a state dict of alternating convolution weights and biases; no code is ever run."""
    try:
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
    names = [name for name in state if name.endswith("weight")]
    for name in names:
        if name.removesuffix("weight") + "bias" not in state or len(state) != 2 * len(names):
            raise RestoreError(
                f"{path}: expected convolutions with a bias and nothing else (batch normalisation "
                f"folded), found {', '.join(list(state)[:4])}, ..."
            )
    return [
        (state[name].float(), state[name.removesuffix("weight") + "bias"].float()) for name in names
    ]


def _checked(path: Path, convolutions: _Convolutions) -> int:
    """Check that the convolutions form a DnCNN, and give its number of features."""
    shapes = [tuple(weight.shape) for weight, _ in convolutions]
    if len(shapes) >= 3 and len(shapes[0]) == 4:
        features, channels = shapes[0][:2]
        inner = (features, features, 3, 3)
        expected = [(features, channels, 3, 3), *[inner] * (len(shapes) - 2)]
        expected.append((channels, features, 3, 3))
        biases = [tuple(bias.shape) for _, bias in convolutions]
        if shapes == expected and biases == [(shape[0],) for shape in expected]:
            return int(features)
    raise RestoreError(
        f"{path}: expected a DnCNN (3x3 convolutions, as many channels out as in), found "
        f"{len(shapes)} layers {', '.join(map(str, shapes[:3]))}"
    )


def _from_name(stem: str, depth: int, channels: int) -> str:
    """Guess the variant from the shape and the file name."""
    if depth == 20:
        if channels == 3:
            return "dncnn-b-color"
        return "dncnn-3" if re.search(r"dncnn[-_]?3$", stem, re.IGNORECASE) else "dncnn-b"
    number = re.search(r"(?:sigma|dncnn)\D{0,3}(\d+)$", stem, re.IGNORECASE)
    return f"dncnn-s-{int(number[1])}" if number and channels == 1 else "dncnn"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
