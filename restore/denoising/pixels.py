"""Denoise pixels of any depth in place, a batch of images of one size at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.orientation import COUNT, back, oriented
from restore.denoising import clipping, tile_size
from restore.denoising.levels import planes, stored, white
from restore.errors import RestoreError
from restore.networks.denoiser import DEFAULT_TILE, Denoiser
from restore.networks.dncnn import in_squares
from restore.networks.tiles import Tiles

_Image = npt.NDArray[Any]
_AT_ONCE = 2**20  # samples compared at a time


def is_number(value: object) -> bool:
    """Return whether a value is a real number, numpy's included."""
    return isinstance(value, Real)


@dataclass(frozen=True)
class How:
    """How pixels are restored.

    Attributes
    ----------
    strength : float
        Share of what the network removes that is removed, 0..1.
    self_ensemble : bool
        Average over the eight ways to turn and mirror the image: about 0.1 dB better, eight times
        slower.
    """

    strength: float = 1.0
    self_ensemble: bool = False

    def __post_init__(self) -> None:
        if not (is_number(self.strength) and 0 < self.strength <= 1):
            raise RestoreError(f"`strength` {self.strength!r}: expected more than 0, at most 1")


class PixelDenoiser:
    """A denoiser that works on images as files hold them, whatever their size.

    Parameters
    ----------
    denoiser : Denoiser
        A grey one runs on each channel of a colour image by itself; a colour one sees a grey image
        as three equal channels.
    how : How
    side : int, optional
        Largest side of a tile, in pixels; 0 for none; by default chosen from the free memory. It
        is halved when memory runs out all the same.
    """

    def __init__(
        self, denoiser: Denoiser, how: How | None = None, *, side: int | None = None
    ) -> None:
        self.denoiser, self.how = denoiser, how or How()
        architecture, compute = denoiser.network.architecture, denoiser.compute
        if side is None:
            side = tile_size.tile_side(architecture, compute)
            if denoiser.engine is not None:  # it holds whole features, not strips of them
                side = min(side, DEFAULT_TILE)
        # Clipped noise is restored before the network sees it, which needs pixels around as well.
        halo = architecture.halo + clipping.REACH
        self.tiles = Tiles(side, halo, compute.device, architecture.unshuffle)

    @property
    def side(self) -> int:
        """Largest side of a tile, in pixels; 0 for one pass."""
        return self.tiles.side

    def __call__(
        self,
        images: Sequence[_Image],
        sigmas: Sequence[float] = (),
        whites: Sequence[float | None] = (),
    ) -> None:
        """Denoise images in place.

        Parameters
        ----------
        images : sequence of ndarray (H, W) or (H, W, 3)
            All of one shape and type: uint8, uint16, or float32 in 0..1, or in 0..255 or 0..65535
            where values are larger.
        sigmas : sequence of float
            Noise of each on the 0..255 scale, by which values cut off at black and white are
            mended; without it they stay.
        whites : sequence of float or None
            The value of white of each; by default, and for None, `levels.white`.

        Raises
        ------
        RestoreError
            Not even a small tile fits in memory, or the network's values are not finite.
        """
        stated = whites or [None] * len(images)
        peaks = [
            white(image) if value is None else value
            for image, value in zip(images, stated, strict=True)
        ]
        known = [
            sigma if clipping.ends(image, peak) else 0.0
            for image, peak, sigma in zip(images, peaks, sigmas or [0.0] * len(images), strict=True)
        ]
        self.tiles(images, lambda windows: self._run(windows, peaks, known))

    @torch.inference_mode()
    def _run(
        self, windows: list[_Image], whites: Sequence[float], sigmas: Sequence[float]
    ) -> list[_Image]:
        """Restore windows of one shape in one pass."""
        channels_first = []
        for index, (window, peak) in enumerate(zip(windows, whites, strict=True)):
            values = np.atleast_3d(window).astype(np.float32) / np.float32(peak)
            if sigmas[index] > 0:
                for channel in range(values.shape[2]):
                    values[..., channel] = clipping.unclip(values[..., channel], sigmas[index])
            channels_first.append(values.transpose(2, 0, 1))
        degraded = torch.from_numpy(np.stack(channels_first)).to(self.denoiser.compute.device)
        restored = self._channels(degraded)  # (B, C, H, W)
        if not restored.isfinite().all():
            raise RestoreError(
                f"model {self.denoiser.name}: expected finite values of the network, found NaN or "
                "infinite ones; check its weights"
            )
        if self.how.strength != 1:
            original = torch.from_numpy(np.stack([*map(planes, windows, whites)]))
            restored = torch.lerp(original.to(restored), restored, self.how.strength)
        found = restored.cpu().numpy().transpose(0, 2, 3, 1)
        return [
            stored(values.reshape(window.shape), window.dtype, peak)
            for values, window, peak in zip(found, windows, whites, strict=True)
        ]

    def _channels(self, degraded: Tensor) -> Tensor:
        """Run the network on (B, C, H, W), whatever its channels and those of the images are."""
        batch, channels = degraded.shape[:2]
        wanted = self.denoiser.channels
        if wanted == channels:
            return self._turned(degraded)
        if wanted == 1:
            flat = self._turned(degraded.reshape(batch * channels, 1, *degraded.shape[2:]))
            return flat.reshape(degraded.shape)
        return self._turned(degraded.expand(-1, wanted, -1, -1)).mean(dim=1, keepdim=True)

    def _turned(self, degraded: Tensor) -> Tensor:
        if not self.how.self_ensemble:
            return self._pass(degraded)
        # Turned or not, whatever the network sees as one begins with the same pixel.
        whole = in_squares(degraded, self.denoiser.network.architecture.unshuffle)
        total = torch.zeros_like(whole, memory_format=torch.contiguous_format)
        for turns in range(4):
            for orientation in (turns, turns + 4):  # plain and mirrored
                total += back(self._pass(oriented(whole, orientation)), orientation)
        height, width = degraded.shape[-2:]
        return total[..., :height, :width] / COUNT

    def _pass(self, degraded: Tensor) -> Tensor:
        """Run the network on no more planes at once than make up a tile."""
        batch, _, height, width = degraded.shape
        at_once = max(1, round(self.side**2 / (height * width))) if self.side else batch
        parts = torch.split(degraded, at_once)
        return torch.cat([self.denoiser.restore_batch(part) for part in parts])


def single_channel(image: _Image) -> _Image | None:
    """Return the one channel of a colour image whose three are equal, as a copy; else None."""
    if image.ndim != 3:
        return None
    grey = image[..., :1]
    step = max(1, _AT_ONCE // image[:1].size)
    for top in range(0, len(image), step):
        if not np.array_equal(
            np.broadcast_to(grey[top : top + step], image[top : top + step].shape),
            image[top : top + step],
        ):
            return None
    return np.ascontiguousarray(grey[..., 0])


def used(image: _Image) -> list[_Image]:
    """Return views of the channels of a colour image that vary, where others are one value.

    Fluorescence images have such channels, which hold no noise: a model that saw them with the
    others would write into them. The image itself is returned where all channels vary, or none.
    """
    if image.ndim != 3:
        return [image]
    varying = [channel for channel in np.moveaxis(image, 2, 0) if channel.min() != channel.max()]
    return varying if 0 < len(varying) < image.shape[2] else [image]


def denoise_pixels(
    pixels: _Image, denoiser: Denoiser, how: How | None = None, *, side: int | None = None
) -> _Image:
    """Denoise one image into a new array; parameters as for `PixelDenoiser`."""
    result = np.array(pixels)
    PixelDenoiser(denoiser, how, side=side)([result])
    return result
