"""Whether weights remove noise, and in which of the three senses that authors use.

A file of weights does not say how its network joins input and output, nor that its convolutions
are dilated. So a small picture with noise goes in, and its PSNR must rise.
"""

import logging
import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from restore.errors import RestoreError
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture

log = logging.getLogger(__name__)

Sense = Literal["subtracted", "added", "direct"]

SIDE = 64  # of the picture, in pixels
SIGMAS = (5.0, 15.0, 25.0, 50.0)
LEAST = 1.0  # dB by which PSNR must rise at one of them; the shipped weights reach 13 to 17


@torch.inference_mode()
def sense(network: DnCNN) -> tuple[Sense | None, float]:
    """Return how a network's last layer joins its input, and the best gain in PSNR.

    Parameters
    ----------
    network : DnCNN
        In evaluation mode, on the CPU; it subtracts what its last layer gives.

    Returns
    -------
    sense : {'subtracted', 'added', 'direct'} or None
        'added': the last layer is to be negated; 'direct': it gives the image itself. None where
        no noise is removed in any sense.
    gain : float
        In dB, of that sense or of the best one; -inf where the values are not finite.
    """
    clean = _picture().expand(1, network.architecture.channels, SIDE, SIDE)
    generator = torch.Generator().manual_seed(0)
    best: dict[Sense, float] = {"subtracted": -math.inf, "added": -math.inf, "direct": -math.inf}
    for sigma in SIGMAS:
        noise = torch.randn(clean.shape, generator=generator) * (sigma / 255)
        noisy = clean + noise
        last = noisy - network(noisy)
        found: dict[Sense, Tensor] = {
            "subtracted": noisy - last, "added": noisy + last, "direct": last
        }  # fmt: skip
        for name, restored in found.items():
            error = float((restored - clean).square().mean())
            if math.isfinite(error) and error > 0:
                gain = 10 * math.log10(float(noise.square().mean()) / error)
                best[name] = max(best[name], gain)
    name = max(best, key=lambda key: best[key])
    return (name if best[name] >= LEAST else None), best[name]


def tried(
    tensors: dict[str, Tensor], shape: Architecture, path: Path
) -> tuple[dict[str, Tensor], Architecture, Sense]:
    """Return weights so that they remove noise, with the architecture that they are of.

    Parameters
    ----------
    tensors : dict of str to Tensor
        Of a DnCNN without batch normalisation.
    shape : Architecture
    path : Path
        The file that they are from, for messages.

    Raises
    ------
    RestoreError
        They remove no noise in any sense.
    """
    network = DnCNN(shape).eval()
    network.load_state_dict(tensors)
    found, gain = sense(network)
    if found is None:
        raise RestoreError(
            f"{path}: expected a DnCNN that removes noise, found one that does not (PSNR of a "
            f"noisy picture changes by {gain:.1f} dB); networks of other links or with dilated "
            "convolutions cannot be imported"
        )
    if found == "added":
        log.warning("%s: its network adds its last layer; negated, to be subtracted", path)
        last = f"layers.{shape.depth - 1}."
        turned = {name: -part if name.startswith(last) else part for name, part in tensors.items()}
        return turned, shape, found
    if found == "direct":
        log.warning("%s: its network gives the image itself, not the noise", path)
        return tensors, replace(shape, residual=False), found
    return tensors, shape, found


def _picture() -> Tensor:
    """Draw slopes and edges on 0..1."""
    at = torch.arange(SIDE, dtype=torch.float32)
    waves = 0.5 + 0.2 * torch.sin(at / 9)[None, :] + 0.15 * torch.cos(at / 7)[:, None]
    square = ((at > 20) & (at < 44)).float()
    return waves - 0.15 * square[None, :] * square[:, None]
