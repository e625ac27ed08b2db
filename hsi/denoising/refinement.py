"""The subspace found again, from the components that were denoised with the first one.

Where a scene has few pixels for its many bands, the noise of all pixels together still turns the
directions that its spectra's covariance shows. Denoised components have far less noise than the
spectra: what of the spectra goes along with them shows the directions better. On rank-12 versions
of real scenes that gave 0.1 to 0.3 dB, on top of the 0.1 to 0.5 dB of `subspace.choose`.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.tiling import Block, Tiling
from hsi.denoising.blocks import ROWS, first_estimate
from hsi.denoising.fit import Fitted, Mask, Spectra
from hsi.denoising.subspace import Subspace
from hsi.scenes.scene import Scene

if TYPE_CHECKING:
    from restore import Denoiser

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]

# Variance that a denoised component must have, in units of the noise: one below it adds more error
# than signal. Indian Pines with noise 50: .045 is worth keeping, .033 not; Jasper Ridge, mixed:1:
# .07 is, .024 not.
FAINTEST = 0.04


def refined(
    scene: Scene, fitted: Fitted, model: "Denoiser", tiling: Tiling, *, all_components: bool
) -> Fitted:
    """Return the model of a scene with a better subspace.

    Parameters
    ----------
    scene : Scene
    fitted : Fitted
        The first model, with some components more than needed.
    model : Denoiser
    tiling : Tiling
        The blocks that are denoised at a time.
    all_components : bool
        Keep as many components as there are, instead of those that hold a signal.

    Returns
    -------
    Fitted
        Its components are those of the part of the spectra that goes along with the denoised
        components: the regression of the one on the other.
    """
    bands, components = len(fitted.bands), fitted.first.components
    together = np.zeros((components, components))
    across = np.zeros((components, bands))
    clean_sum, white_sum, pixels = np.zeros(components), np.zeros(bands), 0
    for index in range(len(tiling)):
        block = tiling[index]
        estimate = first_estimate(scene, fitted, model, block)
        for clean, white in _pairs(scene, fitted, block, *estimate[1:]):
            pixels += len(clean)
            clean_sum += clean.sum(axis=0)
            white_sum += white.sum(axis=0)
            together += clean.T @ clean
            across += clean.T @ white
    together = together / pixels - np.outer(clean_sum, clean_sum) / pixels**2
    across = across / pixels - np.outer(clean_sum, white_sum) / pixels**2
    # Only directions of the denoised components that hold a signal: others bring noise along.
    variance, turned = np.linalg.eigh(together)
    if not all_components:
        components = max(1, int((variance > FAINTEST).sum()))
    chosen, variance = turned[:, -components:], np.maximum(variance[-components:], FAINTEST)
    loadings = (across.T @ chosen) / np.sqrt(variance)
    basis, power, _ = np.linalg.svd(loadings, full_matrices=False)
    first = fitted.first
    subspace = Subspace(first.mean, first.sigma, basis, np.maximum(power**2, FAINTEST))
    log.info("%s: subspace found again; %d components", scene.name, components)
    return replace(fitted, subspace=subspace, estimate=estimate if len(tiling) == 1 else None)


def _pairs(
    scene: Scene, fitted: Fitted, block: Block, estimate: Spectra, valid: Mask
) -> Iterator[tuple[Floats, Floats]]:
    """Yield denoised components (n, k) and white spectra (n, B) of a block's pixels with data."""
    clean, held = block.inner(estimate), block.inner(valid)
    for start in range(0, block.shape[0], ROWS):
        here = slice(start, min(start + ROWS, block.shape[0]))
        rows = slice(block.rows.start + here.start, block.rows.start + here.stop)
        spectra, _ = fitted.read(scene, rows, block.columns)
        chosen = held[here]
        white = fitted.first.white(spectra[chosen])
        yield clean[here][chosen].astype(np.float64), white.astype(np.float64)
