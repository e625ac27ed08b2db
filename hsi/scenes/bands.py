"""The bands of a scene that a model was trained on, found by wavelength or position."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.scene import Scene

log = logging.getLogger(__name__)

TOLERANCE = 0.1  # nanometres between band centres that count as equal
SHOWN = 4  # wavelengths named in a message


@dataclass(frozen=True)
class Bands:
    """The bands that a model looks at, in a scene.

    Attributes
    ----------
    lower : ndarray (B,), int64
        Bands of the scene.
    upper : ndarray (B,), int64, optional
        Where bands are interpolated: the next longer ones.
    share : ndarray (B,), float64, optional
        Of `upper` in the interpolated band.
    how : {'position', 'wavelength', 'interpolated'}
    """

    lower: npt.NDArray[np.int64]
    upper: npt.NDArray[np.int64] | None = None
    share: npt.NDArray[np.float64] | None = None
    how: str = "position"

    def __len__(self) -> int:
        return len(self.lower)

    def describe(self) -> dict[str, Any]:
        """Return the bands and their shares, JSON-serialisable."""
        chosen = {"lower": self.lower, "upper": self.upper, "share": self.share}
        return {key: None if value is None else value.tolist() for key, value in chosen.items()}

    def take(self, spectra: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return these bands (..., B) of spectra with all bands of the scene."""
        if self.upper is None or self.share is None:
            if np.array_equal(self.lower, np.arange(spectra.shape[-1])):
                return spectra
            return spectra[..., self.lower]
        shorter = spectra[..., self.lower].astype(np.float64)
        longer = spectra[..., self.upper].astype(np.float64)
        between = shorter + (longer - shorter) * self.share
        # A missing value beside a band that alone decides must not count.
        alone = np.where(self.share == 0, shorter, longer)
        return np.where((self.share == 0) | (self.share == 1), alone, between)


def match_bands(
    used: npt.NDArray[np.int64],
    count: int,
    wavelengths: Sequence[float] | None,
    scene: Scene,
    *,
    trained_on: str = "the scene",
    resample_bands: bool = False,
) -> Bands:
    """Return a model's bands in a scene.

    Bands are equal if their centres are within 0.1 nm, in any order; bands that the scene marks as
    bad are not used. If the scene or the model has no wavelengths, bands are taken by position, and
    there must be as many.

    Parameters
    ----------
    used : ndarray (B,), int64
        Bands of the scene of the training that the model looks at.
    count : int
        Bands of that scene.
    wavelengths : sequence of float, optional
        Their centres in nanometres.
    scene : Scene
    trained_on : str
        For messages.
    resample_bands : bool
        Interpolate linearly between the scene's good bands where no band is equal.

    Raises
    ------
    HsiError
        The scene lacks bands of the model.
    """
    found = scene.cube.shape[2]
    if wavelengths is None or scene.wavelengths is None:
        if found != count:
            whose = "the model" if wavelengths is None else scene.name
            both = wavelengths is None and scene.wavelengths is None
            hint = "" if both else f" ({whose} states no wavelengths to match bands by)"
            raise HsiError(
                f"{scene.name}: expected {count} bands as in {trained_on}, which the model was "
                f"trained on, found {found}{hint}"
            )
        bad = np.setdiff1d(used, scene.good_bands)
        if bad.size:
            log.warning(
                "%s: the model looks at %d bands that are marked as bad here, first at band %d",
                scene.name, bad.size, bad[0] + 1,
            )  # fmt: skip
        return Bands(used)
    wanted = np.asarray(wavelengths, np.float64)
    equal = found == count and np.abs(wanted - scene.wavelengths).max() <= TOLERANCE
    if equal and np.isin(used, scene.good_bands).all():
        return Bands(used)
    centres, good = scene.wavelengths, scene.good_bands
    nearest = good[np.abs(wanted[used, None] - centres[None, good]).argmin(axis=1)]
    missing = ~(np.abs(centres[nearest] - wanted[used]) <= TOLERANCE)
    if not missing.any():
        log.info("%s: %d bands found by their wavelengths", scene.name, len(used))
        return Bands(nearest, how="wavelength")
    if not resample_bands:
        _refuse(scene, wanted[used], missing, trained_on)
    return _interpolated(scene, wanted[used], trained_on)


def _interpolated(scene: Scene, wanted: npt.NDArray[np.float64], trained_on: str) -> Bands:
    assert scene.wavelengths is not None
    good = scene.good_bands
    good = good[np.argsort(scene.wavelengths[good], kind="stable")]
    centres = scene.wavelengths[good]
    outside = ~((wanted >= centres[0] - TOLERANCE) & (wanted <= centres[-1] + TOLERANCE))
    if outside.any():
        raise HsiError(
            f"{scene.name}: `resample_bands`: expected bands from {wanted.min():g} to "
            f"{wanted.max():g} nm as in {trained_on}, found {centres[0]:g} to {centres[-1]:g} nm; "
            f"{outside.sum()} bands lie beyond, and nothing is extrapolated"
        )
    upper = np.searchsorted(centres, wanted).clip(1, max(len(centres) - 1, 1))
    upper = upper.clip(0, len(centres) - 1)
    lower = (upper - 1).clip(0)
    apart = centres[upper] - centres[lower]
    share = ((wanted - centres[lower]) / np.where(apart > 0, apart, 1.0)).clip(0, 1)
    widest = float(apart.max())
    log.warning(
        "%s: %d bands are interpolated between its own, which are up to %.3g nm apart",
        scene.name, len(wanted), widest,
    )  # fmt: skip
    return Bands(good[lower], good[upper], share, "interpolated")


def _refuse(
    scene: Scene,
    wanted: npt.NDArray[np.float64],
    missing: npt.NDArray[np.bool_],
    trained_on: str,
) -> NoReturn:
    """Raise an HsiError that says which bands differ from those of the training."""
    assert scene.wavelengths is not None
    centres = scene.wavelengths[scene.good_bands]
    unused = centres[(np.abs(centres[:, None] - wanted[None]) > TOLERANCE).all(axis=1)]
    raise HsiError(
        f"{scene.name}: expected the {len(wanted)} bands of {trained_on}, which the model was "
        f"trained on; {missing.sum()} of them have none within {TOLERANCE:g} nm here "
        f"({_some(wanted[missing])}), and {len(unused)} bands here are not among them "
        f"({_some(unused)}); `resample_bands` interpolates"
    )


def _some(wavelengths: npt.NDArray[np.float64]) -> str:
    shown = ", ".join(f"{value:g}" for value in wavelengths[:SHOWN])
    if not shown:
        return "none"
    return f"{shown}{', …' if len(wavelengths) > SHOWN else ''} nm"
