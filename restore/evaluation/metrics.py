"""PSNR and SSIM as the published restoration tables compute them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from restore.denoising import levels
from restore.errors import RestoreError

# Wang et al.'s window: a Gaussian of 1.5 pixels cut at 3.5 of them, that is 11 x 11.
_WINDOW = 11
WHITE = 255.0  # of the protocol's scale, on which a `Pair` lies
_TYPES = (np.uint8, np.uint16, np.float32, np.float64)
_APART = 4, 16  # so many times above white, or below what the other has: another scale


def quantise(image: NDArray[Any]) -> NDArray[np.float64]:
    """Clip to 0..255 and round to whole levels (half up), as saving 8 bit would.

    Parameters
    ----------
    image : ndarray
        Any shape, on the 0..255 scale.

    Returns
    -------
    ndarray, float64
        Whole numbers from 0 to 255.
    """
    return np.floor(np.clip(np.asarray(image, dtype=np.float64), 0, 255) + 0.5)


def psnr(
    target: NDArray[Any], estimate: NDArray[Any], border: int = 0, *, white: float | None = None
) -> float:
    """Return the peak signal-to-noise ratio in dB, for the peak of the images' scale.

    Parameters
    ----------
    target, estimate : ndarray (H, W[, C]); uint8, uint16, float32 or float64
        Of one type, or one of whole numbers and one of floats on the same scale. The protocol has
        the estimate go through `quantise` first.
    border : int, optional
        Pixels left out at each side.
    white : float, optional
        The value of white. By default that of `restore.denoise`: 255 for uint8, 65535 for uint16,
        and for floats the smallest of 1, 255 and 65535 that fits the target.

    Returns
    -------
    float
        ``inf`` where the two are equal.

    Raises
    ------
    RestoreError
        If shapes, types or scales differ, values are not finite, or nothing is left inside the
        border.

    Examples
    --------
    >>> import numpy as np, restore
    >>> clean = np.full((8, 8), 100, np.uint8)
    >>> round(restore.psnr(clean, clean + 5), 2)
    34.15
    """
    peak = _white(target, estimate, white)
    target, estimate = _shaved(target, estimate, border)
    error = float(np.mean((target - estimate) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def ssim(
    target: NDArray[Any], estimate: NDArray[Any], border: int = 0, *, white: float | None = None
) -> float:
    """Return the structural similarity [1]_, with the original 11x11 Gaussian window.

    Parameters
    ----------
    target, estimate : ndarray (H, W[, C]); uint8, uint16, float32 or float64
        As for `psnr`.
    border : int, optional
        Pixels left out at each side.
    white : float, optional
        As for `psnr`.

    Returns
    -------
    float
        At most 1; of colour images the mean over the channels.

    Raises
    ------
    RestoreError
        If shapes, types or scales differ, values are not finite, or less than 11x11 pixels are
        left inside the border.

    References
    ----------
    .. [1] Z. Wang et al., "Image quality assessment: from error visibility to structural
       similarity", IEEE Trans. Image Processing 13(4), 600-612, 2004.

    Examples
    --------
    >>> import numpy as np, restore
    >>> clean = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8)
    >>> float(restore.ssim(clean, clean))
    1.0
    """
    from skimage.metrics import structural_similarity

    peak = _white(target, estimate, white)
    check_size(target.shape, border)
    target, estimate = _shaved(target, estimate, border)
    value = structural_similarity(  # type: ignore[no-untyped-call]
        target,
        estimate,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=peak,
        channel_axis=-1 if target.ndim == 3 else None,
    )
    return float(value)


def check_size(shape: tuple[int, ...], border: int) -> None:
    """Refuse an image (H, W[, C]) of which less than SSIM's window is left inside the border.

    Raises
    ------
    RestoreError
        It is too small.
    """
    if min(shape[:2]) - 2 * border < _WINDOW:
        inside = f" inside a border of {border}" if border else ""
        raise RestoreError(
            f"SSIM needs at least {_WINDOW}x{_WINDOW} pixels{inside}, "
            f"found an image of {shape[1]}x{shape[0]}"
        )


def _white(target: NDArray[Any], estimate: NDArray[Any], white: float | None) -> float:
    """Return the value of white of both images; refuse what has none, or not the same."""
    for name, image in (("target", target), ("estimate", estimate)):
        if not isinstance(image, np.ndarray) or image.dtype.newbyteorder("=") not in _TYPES:
            found = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
            raise RestoreError(
                f"`{name}`: expected an array of uint8, uint16, float32 or float64, found {found}; "
                "convert it with astype"
            )
        if isinstance(image, np.ma.MaskedArray):
            raise RestoreError(f"`{name}`: expected a plain array, found a masked one; fill it")
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            bad = int(np.count_nonzero(~np.isfinite(image)))
            raise RestoreError(
                f"`{name}`: expected finite values, found {bad} NaN or infinite; fill them first"
            )
    if white is not None:
        if not 0 < white < float("inf"):
            raise RestoreError(f"`white` {white:g}: expected a number above 0, such as 255")
        return float(white)
    kinds = target.dtype.kind + estimate.dtype.kind
    if kinds == "uu" and target.dtype.itemsize != estimate.dtype.itemsize:
        raise RestoreError(
            f"expected target and estimate of one type, found {target.dtype} and {estimate.dtype}; "
            "convert one, and its scale"
        )
    whole, other = (estimate, target) if kinds == "fu" else (target, estimate)
    peak = levels.white(whole)
    if "f" in kinds and whole.size and other.size:
        own, its = _reached(whole), _reached(other)
        above, below = _APART
        if its > above * peak or 0 < its * below < own:
            raise RestoreError(
                f"expected target and estimate on one scale, found {target.dtype} up to "
                f"{target.max():g} and {estimate.dtype} up to {estimate.max():g}; scale one"
            )
    return peak


def _reached(image: NDArray[Any]) -> float:
    """Return what one value in a hundred lies beyond, by at most a million of them."""
    some = image.reshape(-1)[:: max(1, image.size >> 20)]
    return float(np.quantile(np.abs(some.astype(np.float64)), 0.99))


def _shaved(
    target: NDArray[Any], estimate: NDArray[Any], border: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if target.shape != estimate.shape or target.ndim not in (2, 3):
        raise RestoreError(
            f"target and estimate must be images of one shape, got {target.shape} "
            f"and {estimate.shape}"
        )
    height, width = target.shape[:2]
    if border < 0 or min(height, width) <= 2 * border:
        raise RestoreError(f"nothing of a {width}x{height} image is left inside border {border}")
    inside = (slice(border, height - border), slice(border, width - border))
    return target[inside].astype(np.float64), estimate[inside].astype(np.float64)
