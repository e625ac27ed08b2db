"""The DnCNN weights that people have: the authors' MatConvNet files and PyTorch state dicts.

Batch normalisation is folded into the convolutions where it is not already. The files do not say
for which noise they were trained: the published ones are recognised by checksum, others by their
name, or that of their folder.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import artifacts
from engine.errors import why
from restore.errors import RestoreError
from restore.networks import state_dict
from restore.networks.state_dict import Convolutions

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
# 'sigma=25', 'dncnn_25', 'DnCNN-S-25', 'dncnn_color_50'
_SIGMA = re.compile(r"(?:sigma|dncnn)(?:[-_=]|s|gr[ae]y|colou?r)*(\d+)$", re.IGNORECASE)


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
        sigma_range ([0, 55] or None), residual, batch_norm (whether the file had it, unfolded),
        batch_norm_eps (float, or None where it was folded or the file tells the deviations),
        source (file name), source_sha256, and format ('matconvnet' or 'pytorch').

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
        form, eps = "matconvnet", None
        convolutions, normed = _matconvnet(path)
    elif head.startswith(b"MATLAB 5.0"):
        raise RestoreError(
            f"{path}: expected a .mat of version 7.3; save it with save(..., '-v7.3')"
        )
    else:
        form = "pytorch"
        convolutions, eps = state_dict.read(path)
        normed = eps is not None
    features = _checked(path, convolutions)
    digest = artifacts.sha256_file(path)
    depth, channels = len(convolutions), convolutions[0][0].shape[1]
    variant = _KNOWN.get(digest[:16]) or _from_name(path, depth, channels)
    noise = re.fullmatch(r"dncnn-s-(\d+)(?:-color)?", variant)
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
        "batch_norm": normed,
        "batch_norm_eps": eps,
        "source": path.name,
        "source_sha256": digest,
        "format": form,
    }


def _matconvnet(path: Path) -> tuple[Convolutions, bool]:
    """Read the convolutions of `net.layers`, a cell array of MATLAB structs.

    The second value says whether batch normalisation lay between them and was folded.
    """
    import h5py

    found: Convolutions = []
    normed = False
    try:
        with h5py.File(path, "r") as file:
            for (layer,) in file["net/layers"][:]:
                if "weights" not in file[layer]:
                    continue  # a ReLU, or the loss
                parts = [file[entry][:] for entry in file[layer]["weights"][:].ravel()]
                if len(parts) == 3:  # gains, shifts, and (mean, standard deviation) a feature
                    gain, shift, moments = (torch.from_numpy(part) for part in parts)
                    norm = (gain.ravel(), shift.ravel(), moments[0], moments[1])
                    found[-1] = state_dict.fold(*found[-1], *norm)
                    normed = True
                    continue
                kernel, bias = parts
                # MATLAB drops trailing dimensions of one: (in, 3, 3) is a single output channel.
                kernel = kernel[None] if kernel.ndim == 3 else kernel
                # HDF5 reads MATLAB's (row, column, in, out) backwards, as (out, in, column, row).
                weight = np.ascontiguousarray(kernel.transpose(0, 1, 3, 2), dtype=np.float32)
                flat = np.asarray(bias, dtype=np.float32).ravel()
                found.append((torch.from_numpy(weight), torch.from_numpy(flat)))
    except (LookupError, OSError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise RestoreError(
            f"{path}: expected a MatConvNet network (net.layers), not readable: "
            f"{why(error, whole=True)}"
        ) from error
    return found, normed


def _checked(path: Path, convolutions: Convolutions) -> int:
    """Check that the convolutions form a DnCNN, and give its number of features."""
    shapes = [tuple(weight.shape) for weight, _ in convolutions]
    if len(shapes) < 3 or len(shapes[0]) != 4:
        raise RestoreError(
            f"{path}: expected a DnCNN, three 3x3 convolutions or more, found {len(shapes)} layers "
            f"{', '.join(map(str, shapes[:3]))}"
        )
    features, channels = shapes[0][:2]
    inner = (features, features, 3, 3)
    expected = [(features, channels, 3, 3), *[inner] * (len(shapes) - 2)]
    expected.append((channels, features, 3, 3))
    for number, (found, right) in enumerate(zip(shapes, expected, strict=True), 1):
        if found != right:
            raise RestoreError(
                f"{path}: layer {number} of {len(shapes)}: expected a convolution of a DnCNN, "
                f"{right} (features, channels, rows, columns), found {found}"
            )
    for number, (weight, bias) in enumerate(convolutions, 1):
        if bias.shape != weight.shape[:1]:
            raise RestoreError(
                f"{path}: layer {number} of {len(shapes)}: expected {len(weight)} biases, found "
                f"{tuple(bias.shape)}"
            )
    if not all(part.isfinite().all() for layer in convolutions for part in layer):
        raise RestoreError(f"{path}: expected finite weights, found NaN or infinite ones")
    return int(features)


def _from_name(path: Path, depth: int, channels: int) -> str:
    """Guess the variant from the shape and the name of the file, else of its folder."""
    suffix = "-color" if channels == 3 else ""
    for name in (path.stem, path.resolve().parent.name):
        if depth == 20 and channels == 1 and re.search(r"dncnn[-_]?3$", name, re.IGNORECASE):
            return "dncnn-3"
        number = _SIGMA.search(name)
        if depth == 17 and channels in (1, 3) and number:
            return f"dncnn-s-{int(number[1])}{suffix}"
        if channels in (1, 3) and re.search(r"dncnn[-_]?b$", name, re.IGNORECASE):
            return f"dncnn-b{suffix}"
    return f"dncnn-b{suffix}" if depth == 20 and channels in (1, 3) else "dncnn"
