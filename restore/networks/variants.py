"""The named variants of DnCNN: their shapes, and what each is trained to remove.

It does not import torch, so that the plan of the workflow reads it at no cost. The network is in
`restore.networks.dncnn`.

References
----------
.. [1] W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
       Sub-Pixel Convolutional Neural Network", CVPR 2016. :arxiv:`1609.05158`
.. [2] K. Zhang, W. Zuo, L. Zhang, "FFDNet: Toward a Fast and Flexible Solution for CNN based Image
       Denoising", IEEE TIP 27(9), 2018. :arxiv:`1710.04026`
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
        Convolutions, the first and the last included.
    channels : int
        1 (grey) or 3 (colour).
    features : int
        Channels inside.
    batch_norm : bool
        Normalise after each inner convolution; false once folded into the convolutions.
    residual : bool
        Predict the degradation (true) or the restored image itself.
    unshuffle : int
        Side of the squares of pixels that enter as the channels of one, and leave as pixels again
        [1]_ [2]_: the layers see an image so many times smaller, at a square of it less work. 1
        for the plain network.
    """

    depth: int = 17
    channels: int = 1
    features: int = 64
    batch_norm: bool = True
    residual: bool = True
    unshuffle: int = 1

    def __post_init__(self) -> None:
        if self.depth < 3 or min(self.channels, self.features, self.unshuffle) < 1:
            raise RestoreError(
                "architecture: expected depth >= 3, and channels, features and unshuffle >= 1, "
                f"found {self}"
            )

    @property
    def halo(self) -> int:
        """Pixels around a tile that its result depends on."""
        return self.depth * self.unshuffle

    @property
    def in_words(self) -> str:
        """What a message shows of the shape."""
        squares = f", squares of {self.unshuffle} pixels" * (self.unshuffle > 1)
        return (
            f"{self.depth} layers, {self.channels} channels, {self.features} features, "
            f"{'residual' if self.residual else 'direct'}{squares}"
        )

    @property
    def widths(self) -> list[int]:
        """Channels that the first convolution reads, and that each gives."""
        outer = self.channels * self.unshuffle**2
        return [outer, *[self.features] * (self.depth - 1), outer]


@dataclass(frozen=True)
class Variant:
    """One of the paper's networks and what it is trained to remove.

    Attributes
    ----------
    name : str
    architecture : Architecture
    task : {'gaussian', 'blind', 'general', 'real', 'bicubic'}
        One noise level; levels drawn from 0..55; blind noise, bicubic upscaling and JPEG; the
        noise of photographs (`restore.degradations.real_noise`); or bicubic upscaling by one
        factor, `scale`.
    sigma : float
        The noise level, on the 0..255 scale; for all but 'gaussian' the largest one.
    patch : int
        Side of the paper's training patches, in pixels.
    """

    name: str
    architecture: Architecture
    task: Literal["gaussian", "blind", "general", "real", "bicubic"]
    sigma: float
    patch: int

    @property
    def scale(self) -> int:
        """Return by how much images were enlarged, for 'bicubic'; the layers see them as small."""
        return self.architecture.unshuffle


BLIND_SIGMA = 55.0
SCALES = (2, 3, 4)  # of bicubic upscaling


def variant(name: str) -> Variant:
    """Return the network called `name`.

    Parameters
    ----------
    name : str
        `dncnn-s-N` (σ = N), `dncnn-b`, `dncnn-3`, `dncnn-r` (colour alone), or `dncnn-x2`, `-x3`
        or `-x4` (enlarged so many times). The first may go on with `-nobn` (no batch
        normalisation) and `-direct` (predicts the image itself, not the degradation), as the
        paper's ablation has it; then the first two with `-color`.

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
    if name in (f"dncnn-x{scale}" for scale in SCALES):
        scale = int(name[-1])
        return Variant(name, Architecture(20, unshuffle=scale), "bicubic", 0.0, 32 * scale)
    raise RestoreError(
        f"model '{name}': expected dncnn-s-N[-nobn][-direct] (noise level N in 1..255), dncnn-b, "
        "either of them with -color, dncnn-3, dncnn-r, or dncnn-x2, -x3 or -x4"
    )
