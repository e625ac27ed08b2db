"""What a product's own metadata says about an image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Product:
    """What was found beside an image.

    Attributes
    ----------
    attributes : mapping
        Of `Contents`: `wavelengths`, `fwhm`, `scale`, `offset`, `bad_bands`, `band_names`; None
        where it is not stated.
    provenance : mapping
        `product`, and the file that states it.
    ignored : tuple of float
        Values that stand for no data.
    """

    attributes: Mapping[str, Any]
    provenance: Mapping[str, Any]
    ignored: tuple[float, ...] = ()
