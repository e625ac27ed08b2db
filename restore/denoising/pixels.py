"""Denoise pixels of any depth in place, tile by tile, a batch of images of one size at once.

The image is the only thing of its size in memory: a band of tiles is copied, restored and written
over the original, of which the rows that the next band still needs are kept.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine import memory
from restore.denoising import clipping, tile_size
from restore.denoising.levels import planes, stored, white
from restore.errors import RestoreError
from restore.networks import denoiser as tiles
from restore.networks import streaming
from restore.networks.denoiser import Denoiser

log = logging.getLogger(__name__)

_Image = npt.NDArray[Any]


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
        if not 0 < self.strength <= 1:
            raise RestoreError(f"--strength {self.strength:g}: expected more than 0, at most 1")


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
        architecture = denoiser.network.architecture
        # What is cut off is mended before the network sees it.
        self.halo = architecture.depth + clipping.REACH
        self.side = tile_size.tile_side(architecture, denoiser.compute) if side is None else side

    def __call__(self, images: Sequence[_Image], sigmas: Sequence[float] = ()) -> None:
        """Denoise images in place.

        Parameters
        ----------
        images : sequence of ndarray (H, W) or (H, W, 3)
            All of one shape and type: uint8, uint16, or float32 in 0..1, or in 0..255 or 0..65535
            where values are larger.
        sigmas : sequence of float
            Noise of each on the 0..255 scale, by which values cut off at black and white are
            mended; without it they stay.

        Raises
        ------
        RestoreError
            Not even a small tile fits in memory.
        """
        height, width = images[0].shape[:2]
        side = self.side or max(height, width)
        whites = [white(image) for image in images]
        above: list[_Image] = [image[:0] for image in images]
        cut = tiles.tiles(height, width, side, self.halo)
        for (top, bottom), row in groupby(
            cut, key=lambda tile: (tile.kept[0].start, tile.kept[0].stop)
        ):
            first = top - len(above[0])
            last = min(bottom + self.halo, height)
            bands = [
                np.concatenate([kept, image[top:last]])
                for kept, image in zip(above, images, strict=True)
            ]
            for tile in row:
                for part, results in self._tile(bands, first, height, tile, whites, sigmas):
                    for image, result in zip(images, results, strict=True):
                        image[part.kept] = result
            above = [band[max(bottom - self.halo, 0) - first : bottom - first] for band in bands]

    def _tile(
        self,
        bands: list[_Image],
        first: int,
        height: int,
        tile: tiles.Tile,
        whites: Sequence[float],
        sigmas: Sequence[float],
    ) -> Iterator[tuple[tiles.Tile, list[_Image]]]:
        """Restore a tile of all images; in quarters, and theirs, where memory runs out."""
        width = bands[0].shape[1]
        todo = [tile]
        while todo:
            part = todo.pop()
            rows = slice(part.read[0].start - first, part.read[0].stop - first)
            windows = [band[rows, part.read[1]] for band in bands]
            try:
                results = [result[part.inside] for result in self._run(windows, whites, sigmas)]
            except (RuntimeError, MemoryError) as error:
                if not memory.is_exhausted(error):
                    raise
                results = []
            if results:
                yield part, results
                continue
            # Outside of `except`, where the failed pass still holds its memory.
            largest = max(span.stop - span.start for span in part.kept)
            if largest <= tile_size.SMALLEST:
                raise RestoreError(
                    f"not even a tile of {tile_size.SMALLEST} pixels fits in memory; free some"
                )
            self.side = max(tile_size.SMALLEST, -(-largest // 2))
            log.warning("memory ran out: tiles of %d pixels from here on", self.side)
            if self.denoiser.compute.device.type == "cuda":
                torch.cuda.empty_cache()
            todo += tiles.tiles(height, width, self.side, self.halo, within=part.kept)

    @torch.inference_mode()
    def _run(
        self, windows: list[_Image], whites: Sequence[float], sigmas: Sequence[float]
    ) -> list[_Image]:
        """Restore windows of one shape in one pass."""
        channels_first = []
        for index, (window, peak) in enumerate(zip(windows, whites, strict=True)):
            values = np.atleast_3d(window).astype(np.float32) / np.float32(peak)
            if sigmas and window.dtype.kind != "f":
                for channel in range(values.shape[2]):
                    values[..., channel] = clipping.unclip(values[..., channel], sigmas[index])
            channels_first.append(values.transpose(2, 0, 1))
        degraded = torch.from_numpy(np.stack(channels_first)).to(self.denoiser.compute.device)
        restored = self._channels(degraded)  # (B, C, H, W)
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
        total = torch.zeros_like(degraded, memory_format=torch.contiguous_format)
        for turns in range(4):
            for mirror in ([], [3]):
                turned = degraded.rot90(turns, (2, 3)).flip(mirror)
                total += self._pass(turned).flip(mirror).rot90(-turns, (2, 3))
        return total / 8

    def _pass(self, degraded: Tensor) -> Tensor:
        """Run the network on no more planes at once than make up a tile."""
        batch, _, height, width = degraded.shape
        at_once = max(1, round(self.side**2 / (height * width))) if self.side else batch
        results = []
        for part in torch.split(degraded, at_once):
            laid_out = part.contiguous(memory_format=torch.channels_last)
            with self.denoiser.compute.autocast():
                results.append(streaming.evaluate(self.denoiser.network, laid_out))
        return torch.cat(results)


def denoise_pixels(
    pixels: _Image, denoiser: Denoiser, how: How | None = None, *, side: int | None = None
) -> _Image:
    """Denoise one image into a new array; parameters as for `PixelDenoiser`."""
    result = np.array(pixels)
    PixelDenoiser(denoiser, how, side=side)([result])
    return result
