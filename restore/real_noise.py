"""The noise of people's photographs, drawn in batches for training.

Most patches are photographed again (`restore.camera`); the others have Gaussian noise of any
likeness between channels and neighbours, from white to film grain, and some have none, so that the
network learns to leave clean pictures as they are. Wide ranges in place of one camera follow [1]_
and [2]_, which train blind denoisers for photographs in this way.

References
----------
.. [1] S. Guo, Z. Yan, K. Zhang, W. Zuo, L. Zhang, "Toward Convolutional Blind Denoising of Real
       Photographs" (CBDNet), CVPR 2019. :arxiv:`1807.04686`
.. [2] K. Zhang, Y. Li, J. Liang, J. Cao, Y. Zhang, H. Tang, D.-P. Fan, R. Timofte, L. Van Gool,
       "Practical Blind Image Denoising via Swin-Conv-UNet and Data Synthesis", Machine
       Intelligence Research 20, 2023. :arxiv:`2203.13278`
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from restore import camera, jpeg
from restore.errors import RestoreError
from restore.resample import fitted

Range = tuple[float, ...]

# A patch is degraded with this many pixels around it, or more, as in a whole image.
AROUND = 12
_GREY = (0.2989, 0.5870, 0.1140)  # as in `restore.degrade.grey`
_TAPS = torch.arange(-4.0, 5.0)  # of a blur of up to 2 pixels


@dataclass(frozen=True)
class RealNoise:
    """What is drawn, and how often; a share of 0 switches an ingredient off.

    Attributes
    ----------
    camera, correlated, white, grey, clean : float
        Shares of a batch, of sum 1: photographed again; Gaussian noise alike between channels and
        neighbours; white Gaussian noise, as for DnCNN-B; the same on grey pictures, equal in all
        channels; no noise.
    iso : (float, float)
        See `restore.camera.of_iso`; even in its logarithm. Shot noise 1e-5 to 5e-3, of which [3]_
        draw the upper part: what people keep is mostly the lower one.
    gamma : (float, float)
        Exponent of the tone curve. [3]_ use 2.2; the curves of 201 cameras in [1]_ scatter around.
    contrast : float
        Share with the S-shaped end of the tone curve [3]_.
    exposure : (float, float)
        Raw value of white; [3]_ draw around 0.8.
    red, blue : (float, float)
        White-balance gains. [3]_ draw 1.9 to 2.4 and 1.5 to 1.9 for daylight; lamps have more blue.
    gradient : float
        Share with gradient-corrected demosaicing; the others are bilinear.
    smoothed : float
        Share in which the camera has smoothed the noise itself.
    luma_blur, chroma_blur : (float, float)
        Standard deviation of that smoothing in pixels, of brightness and of colour: cameras
        smooth colour more.
    optics : (float, float)
        Standard deviation in pixels of the blur by lens, low-pass filter and pixel area. Pictures
        that were shrunk are sharper than any sensor sees: demosaicing would leave false colours
        that photographs do not have, and the network would learn to keep such noise.
    resized : float
        Share of the camera's patches whose content is enlarged before, as sharp as pixels of a
        full-size photograph are, and of which half are shrunk after.
    enlarge, shrink : (float, float)
        Those factors, one a batch. [2]_ have 0.5 to 2.
    jpeg : float
        Share of the camera's, the correlated and the clean patches that are kept as JPEG.
    quality : (float, float)
        Its quality, high ones more often. [2]_ have 30 to 95; cameras write 90 and more.
    black_and_white : float
        Share of the camera's and the correlated patches that are grey, in equal channels.
    sigma : (float, float)
        Of white noise, on the scale 0..255 [4]_.
    sigma_correlated : (float, float)
        Of correlated noise; low ones more often.
    independent, equal : float
        Shares of correlated noise whose channels are independent and equal; others lie between.
    grainy : float
        Share of correlated noise with grain.
    grain : (float, float)
        Standard deviation of its blur in pixels.
    clipped : float
        Share of the Gaussian noise that is clipped and rounded to 8 bit, as a file is.

    References
    ----------
    .. [3] T. Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019.
    .. [4] K. Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 26(7), 2017.
    """

    camera: float = 0.45
    correlated: float = 0.14
    white: float = 0.19
    grey: float = 0.12
    clean: float = 0.1
    iso: Range = (50.0, 25600.0)
    gamma: Range = (1.8, 2.6)
    contrast: float = 0.5
    exposure: Range = (0.5, 1.0)
    red: Range = (1.2, 2.4)
    blue: Range = (1.2, 2.4)
    gradient: float = 0.8
    smoothed: float = 0.6
    luma_blur: Range = (0.3, 1.0)
    chroma_blur: Range = (0.4, 1.8)
    optics: Range = (0.4, 1.0)
    resized: float = 0.7
    enlarge: Range = (1.2, 2.4)
    shrink: Range = (1.0, 1.6)
    jpeg: float = 0.7
    quality: Range = (60.0, 100.0)
    black_and_white: float = 0.12
    sigma: Range = (0.0, 55.0)
    sigma_correlated: Range = (0.0, 50.0)
    independent: float = 0.25
    equal: float = 0.2
    grainy: float = 0.5
    grain: Range = (0.4, 1.2)
    clipped: float = 0.4

    def __post_init__(self) -> None:
        limits = {
            "iso": camera.ISO,
            "gamma": (1, 4),
            "exposure": (0.05, 1),
            "red": (0.5, 4),
            "blue": (0.5, 4),
            "optics": (0.1, 2),
            "luma_blur": (0.1, 2),
            "chroma_blur": (0.1, 2),
            "enlarge": (1, 4),
            "shrink": (1, 4),
            "quality": (1, 100),
            "sigma": (0, 255),
            "sigma_correlated": (0, 255),
            "grain": (0.1, 2),
        }
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in limits:
                low, high = limits[field.name]
                if len(value) != 2 or not low <= value[0] <= value[1] <= high:
                    raise RestoreError(
                        f"noise: {field.name}: expected two rising numbers from {low:g} to "
                        f"{high:g}, found {list(value)}"
                    )
            elif not 0 <= value <= 1:
                raise RestoreError(f"noise: {field.name}: expected 0 to 1, found {value:g}")
        total = self.camera + self.correlated + self.white + self.grey + self.clean
        if abs(total - 1) > 1e-6:
            raise RestoreError(
                "noise: camera, correlated, white, grey and clean: expected shares of sum 1, "
                f"found {total:g}"
            )

    def side(self, patch: int) -> int:
        """Return the side of what must be cut for a patch of this side."""
        return math.ceil((patch + 2 * AROUND) * self.shrink[1])

    def counts(self, batch_size: int) -> tuple[int, ...]:
        """Return how many patches of a batch each of the five shares has, in their order."""
        shares = (self.camera, self.correlated, self.white, self.grey, self.clean)
        ends = [round(sum(shares[: index + 1]) * batch_size) for index in range(len(shares))]
        return tuple(end - start for start, end in zip([0, *ends], ends, strict=False))


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
    kinds = settings.counts(len(cut))
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
    """Draws one number a patch, each from a CPU generator, and noise on the device.

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
    image = camera.filtered(image, blur(draw.within(settings.optics, count)))
    clean = camera.photograph(image, drawn)
    noisy = camera.photograph(image, drawn, draw.normal(count, 1, height, width))
    noise = noisy - clean
    luma = noise.mean(1, keepdim=True)
    smooth = camera.filtered(luma, blur(draw.within(settings.luma_blur, count)))
    smooth = smooth + camera.filtered(noise - luma, blur(draw.within(settings.chroma_blur, count)))
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
    rho = torch.where((kind > 1 - settings.equal) | grey, 1, rho)[:, None, None, None]
    own, common = draw.normal(count, channels, height, width), draw.normal(count, 1, height, width)
    noise = (1 - rho).sqrt() * own + rho.sqrt() * common
    kernels = blur(draw.within(settings.grain, count))
    kernels = kernels / kernels.square().sum((1, 2), keepdim=True).sqrt()
    chosen = draw.share(settings.grainy, count)[:, None, None, None]
    noise = torch.where(chosen, camera.filtered(noise, kernels), noise)
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
    low, high = settings.quality
    qualities = (high - (high - low) * draw.spread(count) ** 2).round().long()[chosen]
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
    """Return Gaussian kernels (B, 9, 9) of sum 1, of these standard deviations in pixels."""
    taps = _TAPS.to(deviations)
    line = (-(taps**2) / (2 * deviations[:, None] ** 2)).exp()
    line = line / line.sum(1, keepdim=True)
    return line[:, :, None] * line[:, None, :]


def _rounded(values: Tensor) -> Tensor:
    return (values.clamp(0, 1) * 255).round() / 255


def _grey(values: Tensor) -> Tensor:
    weights = values.new_tensor(_GREY)[None, :, None, None]
    return (values * weights / weights.sum()).sum(1, keepdim=True).expand_as(values)
