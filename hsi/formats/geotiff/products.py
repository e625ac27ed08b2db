"""The products that are recognised by the files beside a GeoTIFF, or by its own name."""

from pathlib import Path
from typing import Any

from hsi.formats.geotiff import spectral_image
from hsi.formats.geotiff.product import Product


def beside(path: Path, dataset: Any) -> Product | None:
    """Return what a product's metadata states of an open dataset, or None for no known product."""
    return spectral_image.beside(path, dataset.count)


def files(path: Path) -> list[Path]:
    """Return the files of a product's metadata beside an image."""
    found = [spectral_image.metadata_file(path)]
    return [file for file in found if file is not None]
