"""A model of a scene's spectra that wrong values do not move: a mean, components, noise.

It is fitted to a sample in rounds: values that lie further from the model than noise explains count
as missing, and are filled by what the other bands predict, before the next model is fitted.
"""

import numpy as np
import numpy.typing as npt

from hsi.denoising import noise
from hsi.denoising.subspace import Subspace

Spectra = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

THRESHOLDS = (12.0, 9.0, 7.0, 6.0, 5.0, 5.0, 5.0)  # of the noise, a round each
SETTLED = 2  # last rounds, in which regression is hardly disturbed any more
CERTAIN = THRESHOLDS[-1]
MOST = 0.8  # of a band's values: if more seem wrong, it is the model that is
SHARE, TIMES, NEAR = 0.01, 8, 3  # a value is repeated: of all values, and of the 3 on either side
ASIDE = 0.5  # of the noise: so far from the model, repeated values are no signal
LEAST = 1e-3  # variance of any direction of the first model, as a share of its bands'
DEVIATION = 1.4826  # of a normal distribution, per median of absolute values


def fit(sample: Spectra) -> tuple[Subspace, Mask, dict[int, Spectra]]:
    """Return a model of spectra (n, B), which values do not fit it, and values that are impulses.

    Returns
    -------
    model : Subspace
    wrong : ndarray (n, B), bool
    spikes : dict of int to ndarray
        By band: values that occur far too often, and where the model expects others.
    """
    often = repeated(sample)
    spiked = np.zeros(sample.shape, np.bool_)
    for band, values in often.items():
        spiked[:, band] = np.isin(sample[:, band], values)
    wrong = spiked
    model: Subspace | None = None
    of_all: Subspace | None = None
    for number, threshold in enumerate(THRESHOLDS):
        if not wrong.any():  # alike in every such round
            model = of_all = of_all or _plain(sample, wrong, None)
        else:
            model = _plain(sample, wrong, model)
        filled = model.filled(sample, wrong) if wrong.any() else sample
        residual = sample - model.spectra(shrunk(model, filled))
        spread = DEVIATION * _medians(np.abs(residual), ~wrong)
        # A band with many wrong values looks noisier than most of its values are.
        sigma = np.maximum(spread, noise.FLOOR * sample.std(axis=0, dtype=np.float64))
        if number >= len(THRESHOLDS) - SETTLED:  # or a component may fit a single band's noise
            sigma = np.maximum(sigma, model.sigma / 2)
        wrong = spiked | (np.abs(residual) > (threshold * sigma).astype(np.float32))
        wrong[:, wrong.mean(axis=0) > MOST] = False
        model = Subspace(model.mean, sigma, *_rescaled(model, sigma))
    assert model is not None
    filled = model.filled(sample, wrong) if wrong.any() else sample
    residual = sample - model.spectra(shrunk(model, filled))
    residual /= model.sigma.astype(np.float32)
    spikes = {}
    for band, values in often.items():
        off = [residual[sample[:, band] == value, band] for value in values]
        far = [abs(part.mean()) > ASIDE or part.std() > ASIDE + 1 for part in off]
        if any(far):
            spikes[band] = values[np.array(far)]
    wrong = np.abs(residual) > CERTAIN
    for band, values in spikes.items():
        wrong[:, band] |= np.isin(sample[:, band], values)
    return model, wrong, spikes


def repeated(sample: Spectra) -> dict[int, Spectra]:
    """Return the values of each band that occur far more often than values near them."""
    found = {}
    for band in range(sample.shape[1]):
        values, counts = np.unique(sample[:, band], return_counts=True)
        often = np.flatnonzero(counts > SHARE * len(sample))
        spikes = []
        for index in often:
            below, above = (
                counts[max(index - NEAR, 0) : index],
                counts[index + 1 : index + 1 + NEAR],
            )
            around = np.concatenate([below, above])
            if around.size and counts[index] > TIMES * np.median(around):
                spikes.append(values[index])
        if 0 < len(spikes) <= NEAR:
            found[band] = np.array(spikes, np.float32)
    return found


def shrunk(model: Subspace, spectra: Spectra) -> Spectra:
    """Return the expected components of spectra."""
    factor = (model.power / (model.power + 1)).astype(np.float32)
    return np.asarray(model.project(spectra) * factor)


def wrong_values(model: Subspace, spectra: Spectra, missing: Mask) -> Mask:
    """Return which values of spectra (n, B) are missing, or too far from what others predict."""
    found = missing
    sigma = model.sigma.astype(np.float32)
    filled = model.filled(spectra, found) if found.any() else spectra
    for threshold in THRESHOLDS:
        residual = np.abs(spectra - model.spectra(shrunk(model, filled)))
        found = missing | (residual > np.float32(threshold) * sigma)
        filled = model.filled(spectra, found)
    return found


def _medians(values: Spectra, known: Mask) -> npt.NDArray[np.float64]:
    """Return the median of each band's known values; zero where none is known."""
    bands = zip(np.ascontiguousarray(values.T), np.ascontiguousarray(known.T), strict=True)
    return np.array([float(np.median(band[held])) if held.any() else 0.0 for band, held in bands])


def _plain(sample: Spectra, wrong: Mask, before: Subspace | None) -> Subspace:
    """Return the model of the values that are not wrong; the others as the one before has them.

    Without one, each pair of bands is compared where both are known. Such a covariance may have
    directions of negative variance, which would pass for bands without noise; it is drawn towards
    independent bands until there are none.
    """
    bands, known = sample.shape[1], (~wrong).astype(np.float64)
    if before is not None and wrong.any():
        filled = before.filled(sample, wrong).astype(np.float64)
        mean, pixels = filled.mean(axis=0), len(sample)
        covariance = (filled - mean).T @ (filled - mean) / pixels
        covariance[np.diag_indices(bands)] += wrong.mean(axis=0) * before.sigma**2
    else:
        mean = (sample * known).sum(axis=0) / known.sum(axis=0)
        apart = (sample - mean) * known
        both = np.maximum(known.T @ known, 1)
        covariance = (apart.T @ apart) / both
        pixels = max(int(both.min()), 2 * bands)
        deviation = np.sqrt(np.diag(covariance))
        least = float(np.linalg.eigvalsh(covariance / deviation[:, None] / deviation)[0])
        if wrong.any() and least < LEAST:
            drawn = (LEAST - least) / (1 - least)
            covariance *= 1 - drawn
            covariance[np.diag_indices(bands)] = deviation**2
    sigma = noise.regression(covariance, pixels)
    values, vectors = np.linalg.eigh(covariance / sigma[:, None] / sigma)
    most = noise.edge(bands, pixels) * noise.MARGIN
    count = max(1, min(int((values > most).sum()), bands // 2))
    return Subspace(mean, sigma, vectors[:, : -count - 1 : -1], values[: -count - 1 : -1] - 1)


def _rescaled(
    model: Subspace, sigma: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return basis and power of a model's signal in units of other noise."""
    loadings = model.basis * np.sqrt(np.maximum(model.power, 0)) * (model.sigma / sigma)[:, None]
    vectors, values, _ = np.linalg.svd(loadings, full_matrices=False)
    return vectors, values**2
