"""Indian Pines, the scene that comes with an installed package."""

from importlib.util import find_spec
from pathlib import Path

from hsi.errors import HsiError

EMBEDDED = "IndianPines"


INDIAN_PINES_ORIGIN = (
    "AVIRIS, Indian Pines, Indiana, 12 June 1992; 200 of 220 bands, water absorption removed; "
    "Baumgardner, Biehl & Landgrebe, doi:10.4231/R7RX991C, CC BY 3.0; as packaged in tensorly"
)


def embedded_file(name: str) -> Path:
    """Return the path of a data file of tensorly, without importing tensorly.

    Raises
    ------
    HsiError
        tensorly, or this file in it, is not installed.
    """
    spec = find_spec("tensorly")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "datasets" / "data" / name
        if path.is_file():
            return path
    raise HsiError(
        f"{EMBEDDED}: expected tensorly's file {name}, found none; run pip install tensorly"
    )
