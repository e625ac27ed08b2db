"""The products that are recognised by the files beside a GeoTIFF, or by its own name."""

from pathlib import Path
from typing import Any

from hsi.formats.geotiff import landsat, sentinel2, spectral_image
from hsi.formats.geotiff.product import Product

# A further product: a module with `metadata_file(path)` and `beside(path, bands)`.
KNOWN = (landsat, sentinel2, spectral_image)


def beside(path: Path, dataset: Any) -> Product | None:
    """Return what a product's metadata states of an open dataset, or None for no known product."""
    found = (known.beside(path, dataset.count) for known in KNOWN)
    return next((product for product in found if product is not None), None)


def files(path: Path) -> list[Path]:
    """Return the files of a product's metadata beside an image."""
    found = (known.metadata_file(path) for known in KNOWN)
    return [file for file in found if file is not None]
