"""Batches of patches with the noise of people's photographs (`restore.degradations.real_noise`)."""

import math
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from restore.degradations import camera, jpeg
from restore.degradations.bicubic import fitted
from restore.degradations.demosaic import filtered
from restore.degradations.real_noise import AROUND, Range, RealNoise

_GREY = (0.2989, 0.5870, 0.1140)  # as in `restore.degradations.luma.grey`
_TAPS = torch.arange(-10.0, 11.0)  # of a blur of up to 4 pixels


def real_batch(
    cut: Tensor,
    settings: RealNoise,
    patch: int,
    generator: torch.Generator,
    pool: ThreadPoolExecutor | None = None,
) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Degrade patches, each kind its share.

    Parameters
    ----------
    cut : Tensor (B, 3, S, S), uint8
        S is `settings.side(patch)`.
    settings : RealNoise
    patch : int
    generator : torch.Generator
        On the CPU. Noise is made where the patches are.
    pool : ThreadPoolExecutor, optional
        Threads for JPEG.

    Returns
    -------
    degraded, clean : Tensor (B, 3, P, P)
        float32; clean in 0..1.
    kinds : tuple of int
        How many patches each kind has, in this order: camera, correlated, white, grey, clean.
    """
    draw = Draw(generator, cut.device)
    kinds = settings.counts(len(cut), float(torch.rand((), generator=generator)))
    values = cut.float() / 255
    photos, alike, white, grey, clean = torch.split(values, list(kinds))
    side = patch + 2 * AROUND
    # Where the blocks of JPEG and the cells of the mosaic begin must not show at the patch's
    # border, which the network knows by its zero padding: drawn for each batch.
    row, column = torch.randint(AROUND - 4, AROUND + 5, (2,), generator=generator).tolist()
    inner = (..., slice(row, row + patch), slice(column, column + patch))
    small = [planes[..., :side, :side] for planes in (alike, white, grey, clean)]
    pairs = [
        photographed(photos, settings, side, draw, pool),
        with_grain(small[0], settings, draw, pool),
        _with_white(small[1], settings, draw),
        _with_white(_grey(small[2]), settings, draw),
        _untouched(small[3], settings, draw, pool),
    ]
    degraded, target = (torch.cat(parts)[inner] for parts in zip(*pairs, strict=True))
    return degraded.contiguous(), target.contiguous(), kinds


class Draw:
    """Draws one number per patch, from a CPU generator, and noise on the device.

    Parameters
    ----------
    generator : torch.Generator
        On the CPU.
    device : torch.device
    """

    def __init__(self, generator: torch.Generator, device: torch.device) -> None:
        self.generator, self.device = generator, device
        self.noise = generator
        if device.type != "cpu":
            seed = int(torch.randint(2**62, (), generator=generator))
            self.noise = torch.Generator(device).manual_seed(seed)

    def spread(self, count: int) -> Tensor:
        """Return `count` numbers of 0..1, one in each of as many equal parts, in any order."""
        order = torch.randperm(count, generator=self.generator)
        numbers = (order + torch.rand(count, generator=self.generator)) / max(count, 1)
        return numbers.to(self.device)

    def within(self, limits: Range, count: int) -> Tensor:
        """Return numbers spread evenly between two limits."""
        return limits[0] + (limits[1] - limits[0]) * self.spread(count)

    def share(self, share: float, count: int) -> Tensor:
        """Return (count,) bool, each true with this probability."""
        return (torch.rand(count, generator=self.generator) < share).to(self.device)

    def one(self, limits: Range) -> float:
        """Return one number between two limits."""
        return limits[0] + (limits[1] - limits[0]) * float(torch.rand((), generator=self.generator))

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.empty(shape, device=self.device).normal_(generator=self.noise)


def drawn_camera(settings: RealNoise, count: int, draw: Draw) -> camera.Camera:
    """Draw the cameras of a batch, all of float32."""
    low, high = (math.log(value) for value in settings.iso)
    log_shot = math.log(camera.SHOT_PER_ISO) + draw.within((low, high), count)
    spread = camera.READ_SPREAD * torch.randn(count, generator=draw.generator).to(draw.device)
    shares = torch.rand(count, camera.CAMERAS, generator=draw.generator).double()
    matrix = camera.colour_matrix((shares / shares.sum(1, keepdim=True)).numpy())
    phases = torch.randint(2, (2, count), generator=draw.generator).to(draw.device)
    return camera.Camera(
        shot=log_shot.exp(),
        read=(camera.READ_SLOPE * log_shot + camera.READ_OFFSET + spread).exp(),
        gamma=draw.within(settings.gamma, count),
        contrast=draw.share(settings.contrast, count),
        exposure=draw.within(settings.exposure, count),
        red=draw.within(settings.red, count),
        blue=draw.within(settings.blue, count),
        matrix=torch.from_numpy(matrix).float().to(draw.device),
        row=phases[0],
        column=phases[1],
        gradient=draw.share(settings.gradient, count),
    )


def photographed(
    cut: Tensor, settings: RealNoise, side: int, draw: Draw, pool: ThreadPoolExecutor | None = None
) -> tuple[Tensor, Tensor]:
    """Photograph patches again: noisy ones of `side` pixels, and the same without noise."""
    if not len(cut):
        return cut[:, :, :side, :side], cut[:, :, :side, :side]
    resized = round(settings.resized * len(cut))
    straight = cut[resized:, :, :side, :side]
    pairs = [_exposed(straight, settings, draw)] if len(straight) else []
    if resized:
        factor = draw.one(settings.shrink) if bool(draw.share(0.5, 1)) else 1.0
        width = math.ceil(side * factor)
        source = math.ceil(width / draw.one(settings.enlarge))
        large = fitted(cut[:resized, :, :source, :source], width)
        noisy, clean = _exposed(large, settings, draw)
        pairs.append((fitted(noisy, side), fitted(clean, side)))
    noisy, clean = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    grey = draw.share(settings.black_and_white, len(cut))[:, None, None, None]
    noisy, clean = (torch.where(grey, _grey(planes), planes) for planes in (noisy, clean))
    return _kept(noisy, settings, draw, pool), clean


def _exposed(image: Tensor, settings: RealNoise, draw: Draw) -> tuple[Tensor, Tensor]:
    count, _, height, width = image.shape
    drawn = drawn_camera(settings, count, draw)
    image = filtered(image, blur(draw.within(settings.optics, count)))
    clean = camera.photograph(image, drawn)
    noisy = camera.photograph(image, drawn, draw.normal(count, 1, height, width))
    noise = noisy - clean
    luma = noise.mean(1, keepdim=True)
    smooth = filtered(luma, blur(draw.within(settings.luma_blur, count)))
    wide = blur(draw.within(settings.chroma_blur, count))
    strength = wide.square().sum((1, 2)).sqrt() ** draw.within(settings.kept, count)
    smooth = smooth + filtered(noise - luma, wide / strength[:, None, None])
    chosen = draw.share(settings.smoothed, count)[:, None, None, None]
    return torch.where(chosen, clean + smooth, noisy), clean


def with_grain(
    clean: Tensor, settings: RealNoise, draw: Draw, pool: ThreadPoolExecutor | None = None
) -> tuple[Tensor, Tensor]:
    """Add Gaussian noise that is alike between channels and between neighbours."""
    count, channels, height, width = clean.shape
    grey = draw.share(settings.black_and_white, count)
    clean = torch.where(grey[:, None, None, None], _grey(clean), clean)
    kind = draw.spread(count)
    rho = draw.spread(count)
    rho = torch.where(kind < settings.independent, 0, rho)
    equal = (kind > 1 - settings.equal) | (grey & draw.share(settings.black_and_white_equal, count))
    rho = torch.where(equal, 1, rho)[:, None, None, None]
    own, common = draw.normal(count, channels, height, width), draw.normal(count, 1, height, width)
    noise = (1 - rho).sqrt() * own + rho.sqrt() * common
    kernels = blur(draw.within(settings.grain, count))
    kernels = kernels / kernels.square().sum((1, 2), keepdim=True).sqrt()
    chosen = draw.share(settings.grainy, count)[:, None, None, None]
    noise = torch.where(chosen, filtered(noise, kernels), noise)
    low, high = settings.sigma_correlated
    sigma = low + (high - low) * draw.spread(count) ** 1.5
    noisy = clean + noise * (sigma / 255)[:, None, None, None]
    clipped = draw.share(settings.clipped, count)[:, None, None, None]
    return torch.where(clipped, _kept(noisy, settings, draw, pool), noisy), clean


def _with_white(clean: Tensor, settings: RealNoise, draw: Draw) -> tuple[Tensor, Tensor]:
    """Add white noise; equal in all channels where those are equal."""
    count, channels, height, width = clean.shape
    equal = bool((clean[:, :1] == clean).all())
    noise = draw.normal(count, 1 if equal else channels, height, width)
    sigma = draw.within(settings.sigma, count)
    noisy = clean + noise * (sigma / 255)[:, None, None, None]
    clipped = draw.share(settings.clipped, count)[:, None, None, None]
    return torch.where(clipped, _rounded(noisy), noisy), clean


def _untouched(
    clean: Tensor, settings: RealNoise, draw: Draw, pool: ThreadPoolExecutor | None
) -> tuple[Tensor, Tensor]:
    """Return clean pictures, some grey, some out of a JPEG, which they are to stay."""
    grey = draw.share(settings.black_and_white, len(clean))[:, None, None, None]
    kept = torch.where(grey, _grey(clean), clean)
    kept = _kept(kept, settings, draw, pool)
    return kept, kept


def _kept(
    values: Tensor, settings: RealNoise, draw: Draw, pool: ThreadPoolExecutor | None
) -> Tensor:
    """Round to 8 bit, and bring a share through JPEG."""
    count = len(values)
    rounded = _rounded(values)
    chosen = torch.nonzero(draw.share(settings.jpeg, count))[:, 0]
    qualities = draw.within(settings.quality, count).round().long()[chosen]
    colours = torch.randint(3, (count,), generator=draw.generator).to(draw.device)[chosen]
    if len(chosen):
        pixels = (rounded[chosen] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
        files = jpeg.compress_batch(
            pixels.cpu().numpy(),
            qualities.cpu().numpy(),
            pool,
            subsampling=colours.cpu().numpy(),
        )
        planes = torch.from_numpy(files).permute(0, 3, 1, 2).to(rounded) / 255
        # Colour that is rounded twice is not quite grey.
        equal = (rounded[chosen, :1] == rounded[chosen]).flatten(1).all(1)
        rounded[chosen] = torch.where(equal[:, None, None, None], planes[:, :1], planes)
    return rounded


def blur(deviations: Tensor) -> Tensor:
    """Return Gaussian kernels (B, 21, 21) of sum 1, of these standard deviations in pixels."""
    taps = _TAPS.to(deviations)
    line = (-(taps**2) / (2 * deviations[:, None] ** 2)).exp()
    line = line / line.sum(1, keepdim=True)
    return line[:, :, None] * line[:, None, :]


def _rounded(values: Tensor) -> Tensor:
    return (values.clamp(0, 1) * 255).round() / 255


def _grey(values: Tensor) -> Tensor:
    weights = values.new_tensor(_GREY)[None, :, None, None]
    return (values * weights / weights.sum()).sum(1, keepdim=True).expand_as(values)
