"""Where the pixels of a scene lie on the ground, and how large they are."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.georeference import for_geotiff, moved

SQUARE_METRES = 1e4  # of a hectare
APART = 0.51  # pixels: whether corners or centres are meant makes half a pixel


@dataclass(frozen=True)
class Grid:
    """The pixels of a scene on the ground.

    Attributes
    ----------
    name : str
        Of the scene.
    shape : tuple of int
        Rows and columns.
    georeference : mapping, optional
        As the scene has it.
    """

    name: str
    shape: tuple[int, int]
    georeference: Mapping[str, Any] | None

    def place(self) -> tuple[Any, Any]:
        """Return coordinate system and transform, of rasterio.

        Raises
        ------
        HsiError
            The scene states no coordinate system, or no place of its pixels in it.
        """
        found = for_geotiff(self.georeference)
        for key, what in (("crs", "a coordinate system"), ("transform", "a transform")):
            if found.get(key) is None:
                raise HsiError(
                    f"{self.name}: expected {what}, which polygons need, found none; give a scene "
                    "with a map projection, or labels as a raster"
                )
        return found["crs"], found["transform"]

    def hectares_per_pixel(self) -> float | None:
        """Return the area of a pixel; None where there is no map projection in metres or feet.

        Degrees are no lengths: a pixel of a geographic system has another area in each row.
        """
        if not self.georeference:
            return None
        found = for_geotiff(self.georeference)
        crs, transform = found.get("crs"), found.get("transform")
        if crs is None or transform is None or not crs.is_projected:
            return None
        _, metres = crs.linear_units_factor
        area = abs(transform.determinant) * metres**2
        return float(area / SQUARE_METRES) if math.isfinite(area) and area > 0 else None

    def expect_here(self, what: str, georeference: Mapping[str, Any] | None) -> None:
        """Raise HsiError where a raster of as many pixels lies elsewhere on the ground.

        Nothing is said where one of the two states no place, or where rasterio is missing.

        Parameters
        ----------
        what : str
            The raster, for the message.
        georeference : mapping, optional
            The raster's own.

        Raises
        ------
        HsiError
            A corner of the raster is more than half a pixel away from that of the grid.
        """
        distance = self._pixels_apart(georeference)
        if distance is None or distance <= APART:
            return
        far = f"{distance:.1f} pixels" if math.isfinite(distance) else "out of reach"
        raise HsiError(
            f"{what}: expected the place of {self.name}, found a corner {far} away from it; bring "
            "it onto that grid (gdalwarp), or mend or remove the georeference that is wrong"
        )

    def _pixels_apart(self, georeference: Mapping[str, Any] | None) -> float | None:
        """Return how far, at most, the corners of a raster lie from those of the grid."""
        if not georeference or not self.georeference or georeference == self.georeference:
            return None
        if find_spec("rasterio") is None:
            return None
        try:
            here, there = (for_geotiff(one) for one in (self.georeference, georeference))
        except HsiError:  # a text that states no coordinate system; who needs it says so
            return None
        if not {"crs", "transform"} <= set(here) & set(there) or here["transform"].is_degenerate:
            return None
        if here["crs"] == there["crs"]:
            return corners_apart(here["transform"], there["transform"], self.shape)

        def brought(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return moved(points, there["crs"], here["crs"])

        try:
            return corners_apart(here["transform"], there["transform"], self.shape, brought)
        except HsiError:
            return math.inf


def corners_apart(
    here: Sequence[float],
    there: Sequence[float],
    shape: tuple[int, int],
    brought: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]] | None = None,
) -> float:
    """Return how far, at most, the corners of two rasters of one size are apart, in pixels.

    Parameters
    ----------
    here, there : sequence of float
        Transforms of both, of rasterio; the first one's pixels are the unit.
    shape : tuple of int
        Rows and columns.
    brought : callable, optional
        Brings points (n, 2) from the system of `there` to that of `here`.
    """
    own, other = (np.reshape(tuple(one)[:6], (2, 3)) for one in (here, there))
    rows, columns = shape
    corners = np.array([(0, 0, 1), (columns, 0, 1), (0, rows, 1), (columns, rows, 1)], float)
    points = corners @ other.T
    if brought is not None:
        points = brought(points)
    if np.linalg.det(own[:, :2]) == 0:  # no pixel to count in
        return 0.0 if np.array_equal(own, other) else math.inf
    found = np.linalg.solve(own[:, :2], (points - own[:, 2]).T).T
    return float(np.abs(found - corners[:, :2]).max())
