"""Real noise with its ground truth: pairs of files in place of an image and a made degradation.

Pairs are scored as their files are, in colour or in grey: the output is clipped and rounded to 8
bit, PSNR is over all channels, SSIM the mean over them. So all methods have the same input, and
grey ones run on each channel of a colour image.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from restore.degradations.degradation import Degradation
from restore.denoising import noise_level
from restore.errors import RestoreError
from restore.evaluation import metrics
from restore.evaluation.methods import Automatic, Baseline, Method, across_channels
from restore.evaluation.pairs import Pair
from restore.evaluation.protocol import Scoring
from restore.image_sets.find import ImageSet, Item
from restore.networks.denoiser import Denoiser


@dataclass(frozen=True)
class RealPairs:
    """Stands where a made degradation does, and names the set whose files hold the noise.

    Attributes
    ----------
    level : str
        The set's name.
    kind : str
        'pairs'.
    """

    level: str
    kind: str = "pairs"

    def __str__(self) -> str:
        """Return the form in which tables show it: pairs:NAME."""
        return f"{self.kind}:{self.level}"


def check(chosen: ImageSet, protocol: Scoring) -> None:
    """Look at every pair before any work.

    Raises
    ------
    RestoreError
        An image cannot be read, has another size or other channels than its ground truth, or the
        same pixels, or is too small to be scored; or `luma` is asked for.
    """
    if protocol.luma != "auto":
        raise RestoreError(
            f"`luma` {protocol.luma}: pairs are scored in the colours of their files; leave it out"
        )
    test, alike = RealPairs(chosen.name), []
    for item, noisy in zip(chosen.items, chosen.noisy, strict=True):
        truth, seen = item.load(), noisy.load()
        if truth.shape != seen.shape:
            raise RestoreError(
                f"{noisy.path}: expected {_shape(truth)} as its ground truth {item.path}, found "
                f"{_shape(seen)}; make both alike, or take the pair out"
            )
        try:
            metrics.check_size(truth.shape, protocol.shaved(test))
        except RestoreError as error:
            raise RestoreError(f"{noisy.path}: {error}; take the pair out") from error
        if np.array_equal(truth, seen):
            alike.append((item, noisy))
    if len(alike) == len(chosen):
        raise RestoreError(
            f"{chosen.items[0].path.parent}: expected the ground truth of the noisy images, found "
            f"the same pixels in all {len(alike)} of them; name the folder of the clean images"
        )
    for item, noisy in alike:
        raise RestoreError(
            f"{noisy.path}: has the pixels of its ground truth {item.path}, so that there is no "
            "noise to score; take the pair out"
        )


def _shape(image: npt.NDArray[np.uint8]) -> str:
    return f"{image.shape[1]}x{image.shape[0]} in {'grey' if image.ndim == 2 else 'colour'}"


def restorations(
    method: Method, chosen: ImageSet, protocol: Scoring
) -> Iterator[tuple[Item, Pair, npt.NDArray[np.float64]]]:
    """Yield each ground truth, the scored pair, and what a method makes of the noisy image.

    A baseline is given the noise level that is estimated from the image; weights are run as they
    are; `auto` is all of `restore denoise`.
    """
    test = RealPairs(chosen.name)
    border, quantised = protocol.shaved(test), protocol.rounds(test)
    outputs = (
        method.denoised([noisy.path for noisy in chosen.noisy])
        if isinstance(method, Automatic)
        else (_restored(method, noisy) for noisy in chosen.noisy)
    )
    for item, noisy, output in zip(chosen.items, chosen.noisy, outputs, strict=True):
        target, observed = (image.load().astype(np.float64) for image in (item, noisy))
        pair = Pair(target, observed, border, quantised)
        yield item, pair, metrics.quantise(output) if quantised else output


def _restored(method: Denoiser | Baseline, noisy: Item) -> npt.NDArray[np.float64]:
    pixels = noisy.load()
    observed = pixels.astype(np.float64)
    if not isinstance(method, Baseline):
        return across_channels(method, observed)
    sigma = noise_level.estimate(pixels, 255.0)
    return method.restore(observed, Degradation("noise", sigma)) if sigma > 0 else observed
