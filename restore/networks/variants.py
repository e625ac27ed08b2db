"""The named variants of DnCNN: their shapes, and what each is trained to remove.

It does not import torch, so that the plan of the workflow reads it at no cost. The network is in
`restore.networks.dncnn`.
"""

import re
from dataclasses import dataclass
from typing import Literal

from restore.errors import RestoreError


@dataclass(frozen=True)
class Architecture:
    """The shape of a DnCNN.

    Attributes
    ----------
    depth : int
        Convolutions, the first and the last included; also the halo of exact tiling, in pixels.
    channels : int
        1 (grey) or 3 (colour).
    features : int
        Channels inside.
    batch_norm : bool
        Normalise after each inner convolution; false once folded into the convolutions.
    residual : bool
        Predict the degradation (true) or the restored image itself.
    """

    depth: int = 17
    channels: int = 1
    features: int = 64
    batch_norm: bool = True
    residual: bool = True

    def __post_init__(self) -> None:
        if self.depth < 3 or self.channels < 1 or self.features < 1:
            raise RestoreError(
                f"architecture: expected depth >= 3, channels >= 1 and features >= 1, found {self}"
            )


@dataclass(frozen=True)
class Variant:
    """One of the paper's networks and what it is trained to remove.

    Attributes
    ----------
    name : str
    architecture : Architecture
    task : {'gaussian', 'blind', 'general', 'real'}
        One noise level; levels drawn from 0..55; blind noise, bicubic upscaling and JPEG; or the
        noise of photographs (`restore.degradations.real_noise`).
    sigma : float
        The noise level, on the 0..255 scale; for all but 'gaussian' the largest one.
    patch : int
        Side of the paper's training patches, in pixels.
    """

    name: str
    architecture: Architecture
    task: Literal["gaussian", "blind", "general", "real"]
    sigma: float
    patch: int


BLIND_SIGMA = 55.0


def variant(name: str) -> Variant:
    """Return the network called `name`.

    Parameters
    ----------
    name : str
        `dncnn-s-N` (σ = N), `dncnn-b`, `dncnn-3` or `dncnn-r` (colour alone). The first may go on
        with `-nobn` (no batch normalisation) and `-direct` (predicts the image itself, not the
        degradation), as the paper's ablation has it; then the first two with `-color`.

    Raises
    ------
    RestoreError
        There is no such variant.

    Examples
    --------
    >>> variant("dncnn-s-25-nobn-direct").architecture
    Architecture(depth=17, channels=1, features=64, batch_norm=False, residual=False)
    """
    base, channels = (name.removesuffix("-color"), 3) if name.endswith("-color") else (name, 1)
    specific = re.fullmatch(r"dncnn-s-(\d+(?:\.\d+)?)(-nobn)?(-direct)?", base)
    if specific and 0 < float(specific[1]) <= 255:
        shape = Architecture(17, channels, batch_norm=not specific[2], residual=not specific[3])
        return Variant(name, shape, "gaussian", float(specific[1]), 40)
    if base == "dncnn-b":
        return Variant(name, Architecture(20, channels), "blind", BLIND_SIGMA, 50)
    if name == "dncnn-3":
        return Variant(name, Architecture(20), "general", BLIND_SIGMA, 50)
    if name == "dncnn-r":
        return Variant(name, Architecture(20, 3), "real", BLIND_SIGMA, 50)
    raise RestoreError(
        f"model '{name}': expected dncnn-s-N[-nobn][-direct] (noise level N in 1..255), dncnn-b, "
        "either of them with -color, dncnn-3 or dncnn-r"
    )
