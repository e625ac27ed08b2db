"""The noise of people's photographs: what training draws.

`restore.degradations.real_noise_batch` draws it.

Most patches are photographed again (`restore.degradations.camera`); the others have Gaussian noise
of any likeness between channels and neighbours, from white to film grain, and some have none, so
that the network learns to leave clean pictures as they are. Wide ranges in place of one camera
follow [1]_ and [2]_, which train blind denoisers for photographs in this way.

References
----------
.. [1] S. Guo, Z. Yan, K. Zhang, W. Zuo, L. Zhang, "Toward Convolutional Blind Denoising of Real
       Photographs" (CBDNet), CVPR 2019. :arxiv:`1807.04686`
.. [2] K. Zhang, Y. Li, J. Liang, J. Cao, Y. Zhang, H. Tang, D.-P. Fan, R. Timofte, L. Van Gool,
       "Practical Blind Image Denoising via Swin-Conv-UNet and Data Synthesis", Machine
       Intelligence Research 20, 2023. :arxiv:`2203.13278`
"""

import math
from dataclasses import dataclass, fields

from restore.degradations import camera
from restore.errors import RestoreError

Range = tuple[float, ...]

# A patch is degraded with this many pixels around it, or more, as in a whole image.
AROUND = 12


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
        See `restore.degradations.camera.of_iso`; even in its logarithm. Shot noise 1e-5 to 5e-3,
        of which [3]_ draw the upper part: what people keep is mostly the lower one.
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
        smooth colour several times as wide.
    kept : (float, float)
        0: smoothing weakens the noise of colour as it would weaken white noise. 1: not at all.
        Between: that power of it. Cameras smooth by filters that stop at edges and thresholds,
        and what passes those is wide and strong.
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
        Its quality. [2]_ have 30 to 95; cameras write 90 and more, programs 75 by default.
    black_and_white : float
        Share of the camera's and the correlated patches that are grey, in equal channels.
    black_and_white_equal : float
        Share of the grey ones among the correlated patches whose noise is equal in all channels,
        too. The others' noise is alike as in colour: a black-and-white picture scanned in colour.
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

    camera: float = 0.5
    correlated: float = 0.26
    white: float = 0.08
    grey: float = 0.04
    clean: float = 0.12
    iso: Range = (50.0, 25600.0)
    gamma: Range = (1.8, 2.6)
    contrast: float = 0.5
    exposure: Range = (0.5, 1.0)
    red: Range = (1.2, 2.4)
    blue: Range = (1.2, 2.4)
    gradient: float = 0.8
    smoothed: float = 0.8
    luma_blur: Range = (0.3, 1.2)
    chroma_blur: Range = (0.6, 4.0)
    kept: Range = (0.0, 0.5)
    optics: Range = (0.2, 1.0)
    resized: float = 0.7
    enlarge: Range = (1.2, 2.4)
    shrink: Range = (1.0, 2.4)
    jpeg: float = 0.7
    quality: Range = (60.0, 100.0)
    black_and_white: float = 0.3
    black_and_white_equal: float = 0.5
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
            "chroma_blur": (0.1, 4),
            "kept": (0, 1),
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

    def counts(self, batch_size: int, offset: float = 0.5) -> tuple[int, ...]:
        """Return how many patches of a batch each of the five shares has, in their order.

        Parameters
        ----------
        batch_size : int
        offset : float
            0..1. Patch j belongs to the share that (j + offset) / batch_size falls into. Drawn
            anew for each batch it keeps each share in the mean, one smaller than a patch, too.
        """
        shares = (self.camera, self.correlated, self.white, self.grey, self.clean)
        ends = [
            math.ceil(round(sum(shares[: index + 1]) * batch_size - offset, 9))
            for index in range(len(shares))
        ]
        return tuple(end - start for start, end in zip([0, *ends], ends, strict=False))
