"""The noise of each band, from the covariance of the spectra alone.

A band is predicted from all others by linear regression; what is left over is its noise, and an
error of the prediction, because the others are noisy as well [1]_. The second step removes that
error: noise and a signal of few components are fitted to the covariance together, as in factor
analysis [2]_.

References
----------
.. [1] J. Bioucas-Dias and J. Nascimento, "Hyperspectral Subspace Identification", IEEE TGRS 46(8),
   2008.
.. [2] H. Harman, "Modern Factor Analysis", 1976, chapter 8.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hsi.denoising.statistics import CENTRE, Statistics

Floats = npt.NDArray[np.float64]

FLOOR = 1e-4  # smallest noise, as a share of a band's deviation: below it nothing is gained
ROUNDS, SETTLED = 100, 1e-4
MARGIN = 1.02  # above the largest eigenvalue that noise alone has


def edge(bands: int, pixels: int) -> float:
    """Return the largest eigenvalue of the covariance of white noise (Marchenko and Pastur)."""
    return float((1 + (bands / pixels) ** 0.5) ** 2)


def regression(covariance: Floats, pixels: int) -> Floats:
    """Return the noise of each band that regression on all other bands leaves over.

    Parameters
    ----------
    covariance : ndarray (B, B)
        Of spectra, no band constant.
    pixels : int
        Spectra behind it, more than there are bands.

    Returns
    -------
    ndarray (B,)
        Standard deviations, in the units of the bands. At least a ten-thousandth of the band's.
    """
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / deviation[:, None] / deviation
    # The diagonal of the inverse, from eigenvalues: it stays right where bands are nearly alike.
    values, vectors = np.linalg.eigh(correlation)
    values = np.maximum(values, FLOOR**2)
    inverse = (vectors**2 / values).sum(axis=1)
    bands = len(deviation)
    left = 1 / inverse * pixels / max(pixels - bands, 1)
    return np.asarray(deviation * np.clip(np.sqrt(left), FLOOR, 1))


def estimate(covariance: Floats, pixels: int) -> Floats:
    """Return the noise of each band, freed from the error of the regression.

    Parameters and return value as for `regression`.
    """
    sigma = regression(covariance, pixels)
    variance = np.diag(covariance)
    most = edge(len(sigma), pixels) * MARGIN
    for _ in range(ROUNDS):
        values, vectors = np.linalg.eigh(covariance / sigma[:, None] / sigma)
        signal = max(1, int((values > most).sum()))
        loadings = vectors[:, -signal:] * np.sqrt(np.maximum(values[-signal:] - 1, 0))
        share = 1 - (loadings * sigma[:, None]) ** 2 @ np.ones(signal) / variance
        fitted = np.sqrt(variance * np.clip(share, FLOOR**2, 1))
        # Never far below the regression: an ever smaller noise fits a single band ever better.
        fitted = np.maximum(fitted, sigma / 2)
        change = float(np.abs(fitted / sigma - 1).max())
        sigma = fitted
        if change < SETTLED:
            break
    return np.asarray(sigma)


def whitened(found: Statistics, sigma: Floats) -> Statistics:
    """Return statistics of the spectra divided by their noise."""
    return replace(
        found,
        covariance=found.covariance / sigma[:, None] / sigma,
        smoothed=found.smoothed / sigma[:, None] / sigma,
    )


def signal_covariance(found: Statistics, sigma: Floats) -> Floats:
    """Return the covariance of the signal in units of the noise, as seen among neighbours."""
    smoothed = whitened(found, sigma).smoothed
    smoothed[np.diag_indices(len(sigma))] -= CENTRE
    return smoothed
