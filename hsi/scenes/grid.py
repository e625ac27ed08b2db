"""Where the pixels of a scene lie on the ground, and how large they are."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.georeference import crs_of, for_geotiff, moved

log = logging.getLogger(__name__)

SQUARE_METRES = 1e4  # of a hectare
DISTORTED = 0.005  # of the area; UTM distorts less than 0.002 within its zones
UNEQUAL = 0.01
SAMPLES = 5  # pixels down and across whose true areas are computed
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
        """Return the area of a pixel; None where pixels have no one area, which is said.

        Degrees are no lengths: a pixel of a geographic system has another area in each row. Nor
        are the metres of every projection: in Web Mercator at 60 degrees north, an area is four
        times the true one. The area by the projection is returned where it is within 0.5 % of the
        true one over the whole scene (UTM, and most national grids); else the true one, if it
        differs by less than 1 % from pixel to pixel.
        """
        if not self.georeference:
            return None
        found = for_geotiff(self.georeference)
        crs, transform = found.get("crs"), found.get("transform")
        if crs is None or transform is None or not crs.is_projected:
            return None
        _, metres = crs.linear_units_factor
        area = abs(transform.determinant) * metres**2
        if not math.isfinite(area) or area <= 0:
            return None
        true = self._true_areas(crs, transform)
        if true is None:
            log.warning(
                "%s: its pixels have no known place on the Earth by their map projection; areas in "
                "pixels",
                self.name,
            )
            return None
        if np.abs(true / area - 1).max() <= DISTORTED:
            return float(area / SQUARE_METRES)
        low, high = float(true.min()), float(true.max())
        if high > low * (1 + UNEQUAL):
            log.warning(
                "%s: its map projection distorts areas, and pixels of %g m² by it cover %.4g to "
                "%.4g m²; areas in pixels; warp the map to an equal-area projection or to UTM for "
                "hectares",
                self.name, area, low, high,
            )  # fmt: skip
            return None
        mean = float(true.mean())
        log.warning(
            "%s: its map projection distorts areas: pixels of %g m² by it truly cover %.4g m², "
            "which is taken",
            self.name, area, mean,
        )  # fmt: skip
        return mean / SQUARE_METRES

    def _true_areas(self, crs: Any, transform: Any) -> npt.NDArray[np.float64] | None:
        """Return square metres of pixels from corner to corner of the scene; None if unknown."""
        height, width = self.shape
        rows, columns = (np.linspace(0, size - 1, SAMPLES) for size in (height, width))
        left_top = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 1, 2)
        corners = left_top + np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
        matrix = np.reshape(tuple(transform)[:6], (2, 3))
        points = corners.reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2]
        middle = np.array([(width / 2, height / 2)]) @ matrix[:, :2].T + matrix[:, 2]
        try:
            longitude, latitude = moved(middle, crs, crs_of("EPSG:4326"))[0].tolist()
            if not math.isfinite(longitude + latitude):
                return None
            equal = f"+proj=laea +lat_0={latitude} +lon_0={longitude} +datum=WGS84 +units=m"
            x, y = moved(points, crs, crs_of(equal)).reshape(-1, 4, 2).transpose(2, 0, 1)
        except HsiError:
            return None
        x, y = x - x[:, :1], y - y[:, :1]  # differences of large numbers lose digits
        areas = np.abs((x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y).sum(axis=1)) / 2
        return areas if np.isfinite(areas).all() and areas.min() > 0 else None

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
