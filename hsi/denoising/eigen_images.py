"""Denoise eigen-images: the components of a cube, each a grey image with noise of deviation 1.

DnCNN-B estimates the noise of an image by itself, up to 55 on a scale on which the image fills
0..255. So each eigen-image is scaled to that range, or further down where its noise would be above
25: there the network removes most, as measured on real scenes.

What the network takes away should be noise of deviation 1. Where it is more, around a pixel, there
is structure in it: the network blurs what it never saw, such as an image whose noise is a hundredth
of its range. There only as much of it is taken away as noise would be.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from restore import Denoiser

Images = npt.NDArray[np.float32]

MODEL = "dncnn-b"
DEPTH = 20  # layers of 3 × 3, each of which sees one pixel further
LOUDEST = 25.0  # noise on 0..255 that an eigen-image is scaled to at most
FILLED = 0.95  # share of 0..255 that an eigen-image fills at most; the network knows nothing beyond
TAILS = (0.001, 0.999)
BEYOND = 16.0  # how far values may lie beyond 0..255; what is further is kept as it is
AROUND = 7  # side of the square in which what is taken away is compared with noise
# Variances in such a square: up to the first it may be noise alone, from the second on it is not.
NOISE, STRUCTURE = 1.6, 2.0
GAP = 4  # half the side of the square from which a missing pixel is filled
HALO = DEPTH + AROUND // 2 + GAP


@dataclass(frozen=True)
class Scaling:
    """How each eigen-image is brought to 0..255.

    Attributes
    ----------
    middle : ndarray (k,)
        Value that becomes 127.5.
    factor : ndarray (k,)
        Which is also the noise on 0..255.
    """

    middle: npt.NDArray[np.float64]
    factor: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, sample: npt.NDArray[np.float32]) -> "Scaling":
        """Return the scaling that suits a sample (n, k) of all eigen-images."""
        low, high = np.quantile(sample.astype(np.float64), TAILS, axis=0)
        extent = np.maximum(high - low, 1.0)
        factor = np.minimum(LOUDEST, FILLED * 255 / extent)
        return cls((low + high) / 2, factor)


def denoise(model: "Denoiser", images: Images, scaling: Scaling) -> Images:
    """Return eigen-images (h, w, k) without noise.

    Parameters
    ----------
    model : Denoiser
        A grey one for any noise level.
    images : ndarray (h, w, k), float32
        Noise of deviation 1.
    scaling : Scaling
    """
    from scipy.ndimage import uniform_filter

    result = np.empty_like(images)
    for index, (middle, factor) in enumerate(zip(scaling.middle, scaling.factor, strict=True)):
        image = images[..., index].astype(np.float64)
        scaled = (image - middle) * factor + 127.5
        within = np.clip(scaled, -BEYOND, 255 + BEYOND)
        removed = (within - model(within)) / factor
        variance = uniform_filter(removed**2, AROUND, mode="reflect")
        slope = (STRUCTURE - 1) / (STRUCTURE - NOISE)
        excess = np.minimum(variance, 1 + slope * (variance - NOISE))
        result[..., index] = image - removed / np.maximum(excess, 1)
    return result


def without_gaps(images: Images, valid: npt.NDArray[np.bool_]) -> Images:
    """Return eigen-images (h, w, k) whose missing pixels are the mean of those around, or zero."""
    if valid.all():
        return images
    from scipy.ndimage import uniform_filter

    side = 2 * GAP + 1
    known = np.where(valid[..., None], images, np.float32(0))
    share = uniform_filter(valid.astype(np.float32), side, mode="constant")
    around = uniform_filter(known, (side, side, 0), mode="constant")
    near = share > 0.5 / side**2
    mean = np.where(near[..., None], around / np.where(near, share, 1)[..., None], 0)
    return np.where(valid[..., None], images, mean.astype(np.float32))
