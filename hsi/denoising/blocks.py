"""One block of a scene, read with what lies around it, denoised, and put back into its type."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.memory import release
from engine.tiling import Block
from hsi.denoising import eigen_images
from hsi.denoising.fit import Fitted, Mask
from hsi.denoising.nonlocal_bayes import REACH, Images, nonlocal_bayes
from hsi.denoising.subspace import Subspace
from hsi.scenes.scene import Scene

if TYPE_CHECKING:
    from restore import Denoiser

ROWS = 32  # of a block that are read and written at once
PASSES = 2  # of similar patches, each with the estimate before as its first one
HALO = eigen_images.HALO + PASSES * REACH


def first_estimate(
    scene: Scene, fitted: Fitted, model: "Denoiser", block: Block
) -> tuple[Images, Images, Mask]:
    """Return the components of a block and its halo in the first subspace.

    Returns
    -------
    noisy, estimate : ndarray (h, w, k), float32
        As they are, and denoised by the network and by similar patches.
    valid : ndarray (h, w), bool
        Pixels that hold data.
    """
    noisy, valid = _components(scene, fitted, fitted.first, block)
    clean = eigen_images.denoise(model, noisy, fitted.scaling)
    return noisy, _alike(scene, model, block, noisy, clean), valid


def denoised_components(
    scene: Scene, fitted: Fitted, model: "Denoiser", block: Block
) -> tuple[Images, Mask]:
    """Return the denoised components (h, w, k) of a block, and which pixels hold data (h, w)."""
    noisy, estimate, valid = fitted.estimate or first_estimate(scene, fitted, model, block)
    if fitted.subspace is not fitted.first:
        turned = fitted.first.basis.T @ fitted.subspace.basis
        estimate = estimate @ turned.astype(np.float32)
        noisy, _ = _components(scene, fitted, fitted.subspace, block)
    clean = _alike(scene, model, block, noisy, estimate)
    return block.inner(clean), block.inner(valid)


def _components(
    scene: Scene, fitted: Fitted, subspace: Subspace, block: Block
) -> tuple[Images, Mask]:
    """Return the noisy components of a block and its halo, without gaps."""
    around_rows, around_columns = block.around
    height = around_rows.stop - around_rows.start
    width = around_columns.stop - around_columns.start
    images = np.empty((height, width, subspace.components), np.float32)
    valid = np.empty((height, width), np.bool_)
    for start in range(0, height, ROWS):
        here = slice(start, min(start + ROWS, height))
        rows = slice(around_rows.start + here.start, around_rows.start + here.stop)
        spectra, valid[here] = fitted.read(scene, rows, around_columns)
        images[here] = subspace.project(spectra)
    return eigen_images.without_gaps(images, valid), valid


def _alike(
    scene: Scene, model: "Denoiser", block: Block, images: Images, estimate: Images
) -> Images:
    """Return the components of a block and its halo, denoised by similar patches."""
    rows, columns = block.around
    origin = (rows.start, columns.start)
    return nonlocal_bayes(images, estimate, origin, scene.shape, model.compute.device)


def denoised_block(
    scene: Scene, fitted: Fitted, model: "Denoiser", block: Block
) -> Iterator[tuple[slice, slice, npt.NDArray[Any]]]:
    """Yield the denoised values of a block, a few rows at a time: rows, columns, (r, w, bands)."""
    clean, held = denoised_components(scene, fitted, model, block)
    for start in range(0, block.shape[0], ROWS):
        here = slice(start, min(start + ROWS, block.shape[0]))
        rows = slice(block.rows.start + here.start, block.rows.start + here.stop)
        values = np.array(scene.cube[rows, block.columns])
        release(scene.cube)
        found = _stored(fitted.subspace.spectra(clean[here]), values.dtype, scene.ignore_value)
        chosen = held[here]
        # Bands by themselves: an index of pixels and bands would copy the block once more.
        for index, band in enumerate(fitted.bands):
            values[..., band] = np.where(chosen, found[..., index], values[..., band])
        yield rows, block.columns, values


def _stored(
    spectra: npt.NDArray[np.float32], dtype: np.dtype[Any], ignore_value: float | None
) -> npt.NDArray[Any]:
    """Return spectra as the type of the scene, with no value that would read as missing."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return spectra.astype(dtype)
    limits = np.iinfo(dtype)
    # The largest whole numbers of 32 bits and more have no equal in floats.
    exact = np.rint(spectra.astype(np.float64))
    values = np.clip(exact, limits.min, np.nextafter(float(limits.max), 0)).astype(dtype)
    values[exact >= limits.max] = limits.max
    if ignore_value is not None and limits.min < ignore_value < limits.max and ignore_value:
        values[values == ignore_value] += 1
    elif ignore_value:
        values[values == ignore_value] -= 1 if ignore_value > 0 else -1
    empty = (values == 0).all(axis=-1)
    values[empty, 0] = 1
    return values
