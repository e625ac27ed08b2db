"""What is learned of a scene before its blocks are denoised: bands, noise, subspace, artefacts."""

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.memory import release
from hsi.denoising import artefacts, noise, statistics, subspace
from hsi.denoising.artefacts import Artefacts
from hsi.denoising.eigen_images import Scaling
from hsi.denoising.options import DenoiseOptions
from hsi.denoising.statistics import Statistics
from hsi.denoising.subspace import Subspace
from hsi.errors import HsiError
from hsi.scenes.scene import Scene

log = logging.getLogger(__name__)

FEWEST_BANDS = 5
# Below so many pixels per band the subspace is found again from denoised components, and a few more
# are held until then. Above, the covariance of the spectra shows it well enough.
FEW_PIXELS = 500
SPARE = 2

Spectra = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fitted:
    """A scene's model.

    Attributes
    ----------
    bands : ndarray (B,), int64
        Bands that are denoised; all others stay as they are.
    first : Subspace
        In which the network sees the spectra.
    scaling : Scaling
        Of the components there.
    subspace : Subspace
        In which they are denoised at last.
    artefacts : Artefacts
        What is mended before.
    pixels : int
        Spectra that hold data.
    estimate : tuple of ndarray (H, W, k), (H, W, k) and (H, W), optional
        Of a scene that is a single block: `hsi.denoising.blocks.first_estimate`.
    """

    bands: npt.NDArray[np.int64]
    first: Subspace
    scaling: Scaling
    subspace: Subspace
    artefacts: Artefacts
    pixels: int
    estimate: tuple[Spectra, Spectra, Mask] | None = None

    @property
    def to_refine(self) -> bool:
        """Return whether the scene has too few pixels for a sure subspace."""
        return are_few(self.pixels, len(self.bands))

    def read(self, scene: Scene, rows: slice, columns: slice) -> tuple[Spectra, Mask]:
        """Return mended spectra (h, w, B) float32 in the bands, and which hold data (h, w)."""
        spectra, valid = read(scene, rows, columns, self.bands)
        return self.artefacts.mended(spectra, valid, rows, columns), valid


def are_few(pixels: int, bands: int) -> bool:
    """Return whether so many pixels are too few to show the subspace of so many bands."""
    return pixels < FEW_PIXELS * bands


def read(
    scene: Scene, rows: slice, columns: slice, bands: npt.NDArray[np.int64]
) -> tuple[Spectra, Mask]:
    """Return spectra (h, w, B) of some bands in float32, and which pixels hold data (h, w).

    A pixel holds data if its bands are not all zero, all finite and not the ignore value, and the
    scene's mask does not leave it out.
    """
    raw = np.asarray(scene.cube[rows, columns])
    chosen = raw if len(bands) == raw.shape[2] else raw[..., bands]
    valid = ~scene.without_data(chosen, rows, columns)
    spectra = np.array(chosen, np.float32)
    if raw.dtype.kind == "f":
        spectra[~valid] = 0
    del raw, chosen
    release(scene.cube)
    return spectra, valid


def bands_to_denoise(scene: Scene, options: DenoiseOptions) -> npt.NDArray[np.int64]:
    """Return the bands to denoise: those that are not marked as bad, unless asked for.

    Raises
    ------
    HsiError
        Too few of them.
    """
    count = scene.cube.shape[2]
    if count <= 3:
        raise HsiError(
            f"{scene.name}: expected a cube of at least {FEWEST_BANDS} bands, found an image of "
            f"{count}; use restore denoise"
        )
    every = np.arange(count, dtype=np.int64)
    bands = every if options.restore_bad_bands else scene.good_bands
    if len(bands) < FEWEST_BANDS:
        raise HsiError(
            f"{scene.name}: expected at least {FEWEST_BANDS} bands that are not marked as bad, "
            f"found {len(bands)}; use restore denoise band by band"
        )
    return bands


def fit(scene: Scene, options: DenoiseOptions) -> Fitted:
    """Return the model of a scene.

    It takes one pass over the rows, two where there are artefacts, three with impulses.

    Raises
    ------
    HsiError
        Too few bands, pixels with data, rows or columns; more components than bands.
    """
    bands = bands_to_denoise(scene, options)
    whole = slice(0, scene.shape[1])
    found = statistics.gather(scene, len(bands), lambda rows: read(scene, rows, whole, bands))
    varying = np.diag(found.covariance) > 0
    if not varying.all():
        log.warning(
            "%s: %d constant bands stay as they are, the first is band %d",
            scene.name, (~varying).sum(), bands[~varying][0] + 1,
        )  # fmt: skip
        bands, found = bands[varying], found.of(varying)
    if len(bands) < FEWEST_BANDS:
        raise HsiError(
            f"{scene.name}: expected at least {FEWEST_BANDS} bands that vary, found {len(bands)}; "
            "all others are constant"
        )
    seen = artefacts.find(found, options)
    if seen.impulses:
        seen = artefacts.with_lines(seen, _gather(scene, bands, seen), options)
    if seen:
        log.info("%s: %s", scene.name, seen)
        found = _gather(scene, bands, seen)
    sigma = noise.estimate(found.covariance, found.pixels)
    spare = SPARE if are_few(found.pixels, len(bands)) else 0
    chosen = subspace.choose(found, sigma, options.components, spare)
    scaling = Scaling.fit(chosen.project(found.sample))
    log.info(
        "%s: noise of %d bands %.3g to %.3g, median %.3g; %d components",
        scene.name, len(bands), sigma.min(), sigma.max(), np.median(sigma), chosen.components,
    )  # fmt: skip
    return Fitted(bands, chosen, scaling, chosen, seen, found.pixels)


def _gather(scene: Scene, bands: npt.NDArray[np.int64], seen: Artefacts) -> Statistics:
    """Return the statistics of a scene without artefacts."""
    whole = slice(0, scene.shape[1])

    def mended(rows: slice) -> tuple[Spectra, Mask]:
        spectra, valid = read(scene, rows, whole, bands)
        return seen.mended(spectra, valid, rows, whole), valid

    found = statistics.gather(scene, len(bands), mended)
    diagonal = np.diag_indices(len(bands))
    found.covariance[diagonal] += seen.filled_variance()
    found.smoothed[diagonal] += statistics.CENTRE * seen.filled_variance()
    return found
