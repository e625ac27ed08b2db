"""Cubes of a few spectra whose shares vary over the scene, edges included."""

import numpy as np


def clean_cube(rows, columns, bands, kinds=4, seed=0):
    """Values from 0 to about 1."""
    rng = np.random.default_rng(seed)
    spectra = np.abs(np.cumsum(rng.normal(0, 0.25, (kinds, bands)), axis=1)) + 0.1
    y, x = np.mgrid[:rows, :columns] / max(rows, columns)
    shares = np.stack(
        [np.exp(-8 * ((y - a) ** 2 + (x - b) ** 2)) for a, b in rng.random((kinds, 2))], axis=-1
    )
    shares[rows // 3 : rows // 2, columns // 4 : columns // 2, 0] += 0.6
    cube = (shares / shares.sum(axis=-1, keepdims=True)) @ spectra
    return cube / cube.max()


def psnr(found, truth):
    """Mean over the bands, in dB."""
    error = np.square(np.asarray(found, float) - truth).mean(axis=(0, 1))
    return float(np.mean(10 * np.log10(truth.max(axis=(0, 1)) ** 2 / np.maximum(error, 1e-20))))
