"""Stacked files lie on one grid: their corners are within half a pixel."""

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.combined.stack import stack

rasterio = pytest.importorskip("rasterio")

DEGREES = (0.00027, 0.0, 15.0, 0.0, -0.00027, 45.0)


def written(path, transform, size=600, crs="EPSG:4326"):
    shape = {"height": size, "width": size, "count": 1, "dtype": "uint8"}
    place = {"crs": crs, "transform": rasterio.Affine(*transform)}
    with rasterio.open(path, "w", driver="GTiff", compress="deflate", **shape, **place) as image:
        image.write(np.ones((size, size), np.uint8), 1)
    return path


def scaled(size):
    return (size, 0.0, 15.0, 0.0, -size, 45.0)


@pytest.mark.parametrize("crs", ["EPSG:4326", None])
def test_grids_that_drift_apart_are_refused(tmp_path, crs):
    first = written(tmp_path / "first.tif", DEGREES, crs=crs)
    other = written(tmp_path / "other.tif", scaled(0.0002709), crs=crs)  # 0.3 %: 2 pixels
    with pytest.raises(HsiError, match=r"other: expected the place of first"):
        stack([first, other])
    near = written(tmp_path / "near.tif", scaled(0.00027 * (1 + 2e-4)), crs=crs)  # 0.12 pixels
    assert stack([first, near]).shape == (600, 600)


def test_coarse_pixels_start_at_the_same_corner(tmp_path):
    first = written(tmp_path / "first.tif", DEGREES)
    coarse = written(tmp_path / "coarse.tif", scaled(0.00054), size=300)
    assert stack([first, coarse], repeat=True).shape == (600, 600)
    beside = (0.00054, 0.0, 15.00027, 0.0, -0.00054, 45.0)
    shifted = written(tmp_path / "shifted.tif", beside, size=300)
    with pytest.raises(HsiError, match=r"shifted: expected the place of first"):
        stack([first, shifted], repeat=True)
