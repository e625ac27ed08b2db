"""Where the pixels of a scene lie on the ground, and how large they are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hsi.errors import HsiError
from hsi.formats.georeference import for_geotiff

SQUARE_METRES = 1e4  # of a hectare


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
