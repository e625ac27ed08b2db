"""Training patches: cut, turned and degraded in batches, from images that stay on the device."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from restore.degradations import jpeg
from restore.degradations.bicubic import bicubic_batch, imresize
from restore.degradations.luma import grey
from restore.degradations.noise import gaussian_batch
from restore.degradations.real_noise import RealNoise
from restore.degradations.real_noise_batch import real_batch
from restore.errors import RestoreError
from restore.networks.variants import SCALES, Variant
from restore.training.batches import Around, Batch

QUALITIES = (5, 99)  # of JPEG, inclusive [DnCNN, section III-D]
# JPEG and bicubic degrade a patch with this many pixels around it, or more, as in a whole image.
_AROUND = 8
_SQUARES_AROUND = 12  # likewise, in whole squares of any of the scales


class Patches:
    """Draws training batches.

    Parameters
    ----------
    images : sequence of ndarray (H, W) or (H, W, 3)
        uint8. Colour images are turned grey for a grey network.
    variant : Variant
        Says which degradations are drawn.
    patch : int
        Side of a patch, in pixels.
    batch_size : int
    scales : sequence of float
        Sizes at which every image is used.
    darkest : float
        Patches are darkened by factors between this and 1.
    device : torch.device
        Where the images stay, as uint8, and where batches are made.
    noise : RealNoise, optional
        What a network for photographs learns to remove.
    shares : sequence of 3 int, optional
        Noise, bicubic upscaling and JPEG in the batches of DnCNN-3, in proportion.

    Raises
    ------
    RestoreError
        All images are smaller than a patch; those of DnCNN-3 and of bicubic upscaling are cut with
        24 pixels more, those of DnCNN-R as `RealNoise.side` says. Or a batch is too small for all
        that have a share.
    """

    def __init__(
        self,
        images: Sequence[npt.NDArray[np.uint8]],
        variant: Variant,
        *,
        patch: int,
        batch_size: int,
        scales: Sequence[float],
        device: torch.device,
        darkest: float = 1.0,
        noise: RealNoise | None = None,
        shares: Sequence[int] = (1, 1, 1),
    ) -> None:
        self.variant, self.patch, self.batch_size = variant, patch, batch_size
        self.darkest = darkest
        self.noise = noise or RealNoise()
        self.kinds = _kinds(batch_size, shares) if variant.task == "general" else (batch_size,)
        # of what is cut
        self.side = {
            "general": patch + 3 * _AROUND,
            "bicubic": patch + 2 * _SQUARES_AROUND,
            "real": self.noise.side(patch),
        }.get(variant.task, patch)
        channels = variant.architecture.channels
        planes = [
            _planes(image if scale == 1 else imresize(image, scale), channels)
            for image in images
            for scale in scales
        ]
        side = self.side
        planes = [plane for plane in planes if min(plane.shape[1:]) >= side]
        if not planes:
            raise RestoreError(
                f"training images: expected at least one of {side}x{side} pixels or more"
            )
        heights, widths = (torch.tensor([p.shape[axis] for p in planes]) for axis in (1, 2))
        sizes = heights * widths
        self.heights, self.widths, self.starts = heights, widths, sizes.cumsum(0) - sizes
        # Every position of every image is equally likely.
        self.weights = ((heights - side + 1) * (widths - side + 1)).double()
        flat = np.concatenate([plane.reshape(channels, -1) for plane in planes], axis=1)
        self.pixels = torch.from_numpy(flat).to(device)  # (C, all pixels) uint8
        self.pool = ThreadPoolExecutor(thread_name_prefix="jpeg")

    def draw(self, _step: int, generator: torch.Generator) -> Batch:
        """Return a batch, a pure function of the generator's state."""
        clean = self.cut(generator)
        if self.darkest < 1:
            factor = 1 - (1 - self.darkest) * torch.rand(len(clean), 1, 1, 1, generator=generator)
            clean = (clean * factor.to(clean.device)).round_().to(torch.uint8)
        task = self.variant.task
        if task == "general":
            return self._general(clean, generator)
        if task == "real":
            return Batch(*real_batch(clean, self.noise, self.patch, generator, self.pool))
        if task == "bicubic":
            return self._enlarged(clean)
        sigma = torch.full((len(clean),), self.variant.sigma)
        if task == "blind":
            sigma = sigma * _stratified(len(clean), generator)
        elif task != "gaussian":
            assert_never(task)
        values = clean.float() / 255
        sigma = sigma.to(clean.device)
        degraded = gaussian_batch(values, sigma, generator)
        return Batch(degraded, values, (len(clean),), sigma)

    def cut(self, generator: torch.Generator) -> Tensor:
        """Cut patches at random positions, each in one of eight orientations.

        Returns
        -------
        Tensor (B, C, S, S)
            uint8; S is the side of a patch, and of what is around it for other noise than white.
        """
        count, side = self.batch_size, self.side
        which = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        row = (torch.rand(count, generator=generator) * (self.heights[which] - side + 1)).long()
        column = (torch.rand(count, generator=generator) * (self.widths[which] - side + 1)).long()
        turn = torch.randint(8, (count, 1, 1), generator=generator)
        rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        rows, columns = rows.expand(count, -1, -1), columns.expand(count, -1, -1)
        swap = turn & 4 > 0
        rows, columns = torch.where(swap, columns, rows), torch.where(swap, rows, columns)
        rows = torch.where(turn & 1 > 0, side - 1 - rows, rows) + row[:, None, None]
        columns = torch.where(turn & 2 > 0, side - 1 - columns, columns) + column[:, None, None]
        index = self.starts[which][:, None, None] + rows * self.widths[which][:, None, None]
        index = (index + columns).to(self.pixels.device)  # (B, P, P)
        return self.pixels[:, index].transpose(0, 1)  # (B, C, S, S)

    def _enlarged(self, clean: Tensor) -> Batch:
        """Shrink all patches and enlarge them again; they begin with a pixel of the small image."""
        values = clean.float() / 255
        degraded = bicubic_batch(values, self.variant.scale)
        rows = slice(_SQUARES_AROUND, _SQUARES_AROUND + self.patch)
        inner = (..., rows, rows)
        return Batch(degraded[inner], values[inner], (len(clean),))

    def _general(self, clean: Tensor, generator: torch.Generator) -> Batch:
        """Degrade some of the patches by noise, some by bicubic, some by JPEG; each has its share.

        Where the blocks of JPEG and the pixels of the small image begin is drawn for each batch.
        At the patch's own border they would tell the network, which knows a border by its zero
        padding, what it cannot know inside an image.
        """
        values = clean.float() / 255
        count = len(clean)
        kinds = _, small, compressed = self.kinds
        sigma = self.variant.sigma * _stratified(kinds[0], generator)
        noisy = slice(0, kinds[0])
        degraded = values.clone()
        levels = torch.full((count,), torch.nan)
        levels[noisy] = sigma
        levels = levels.to(clean.device)
        degraded[noisy] = gaussian_batch(values[noisy], levels[noisy], generator)
        which = (_stratified(small, generator) * len(SCALES)).long()
        scales = torch.zeros(count, dtype=torch.long)
        scales[noisy.stop : noisy.stop + small] = torch.tensor(SCALES)[which]
        scales = scales.to(clean.device)
        for scale in SCALES:
            chosen = torch.nonzero(scales == scale)[:, 0]
            if len(chosen):
                degraded[chosen] = bicubic_batch(values[chosen], scale)
        low, high = QUALITIES
        qualities = low + (_stratified(compressed, generator) * (high + 1 - low)).long().numpy()
        tail = slice(count - compressed, count)
        if compressed:
            blocky = jpeg.compress_batch(clean[tail, 0].cpu().numpy(), qualities, self.pool)
            degraded[tail, 0] = torch.from_numpy(blocky).to(clean.device).float() / 255
        row, column = torch.randint(_AROUND, 2 * _AROUND, (2,), generator=generator).tolist()
        around = Around(degraded, row, column, scales)
        seen, inner = (around.inner(images, self.patch) for images in (degraded, values))
        return Batch(seen, inner, kinds, levels, around=around)


def _kinds(count: int, shares: Sequence[int]) -> tuple[int, ...]:
    """Return how many patches of a batch have each degradation; the first share takes what is over.

    Raises
    ------
    RestoreError
        Too few patches for all that have a share.
    """
    kinds = [count * share // sum(shares) for share in shares]
    kinds[next(place for place, share in enumerate(shares) if share)] += count - sum(kinds)
    if any(share and not kind for share, kind in zip(shares, kinds, strict=True)):
        raise RestoreError(
            f"batch_size {count}: expected a patch or more of each degradation (noise, bicubic "
            f"upscaling, JPEG: shares {list(shares)}), found {kinds}; raise it"
        )
    return tuple(kinds)


def _stratified(count: int, generator: torch.Generator) -> Tensor:
    """Draw `count` numbers from 0..1, uniform, one in each of `count` equal parts of the range.

    Every batch then holds slight and strong degradations alike, and batch normalisation sees
    nearly the same mixture at each step.
    """
    drawn = (torch.arange(count) + torch.rand(count, generator=generator)) / max(count, 1)
    return drawn.clamp_(max=1 - 2**-24)  # the division may round to 1


def _planes(image: npt.NDArray[Any], channels: int) -> npt.NDArray[np.uint8]:
    """Bring an image to (C, H, W)."""
    if channels == 1:
        return (grey(image) if image.ndim == 3 else image)[None]
    colour = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    return np.ascontiguousarray(colour.transpose(2, 0, 1))
