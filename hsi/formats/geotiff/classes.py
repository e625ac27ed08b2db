"""Names and colours of classes in a GeoTIFF.

Colours are the band's colour table. Names are GDAL's category names, which GDAL itself keeps in
FILE.aux.xml beside a GeoTIFF, where QGIS finds them; and, since that file gets lost, a tag of the
band too.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError

TAG = "class_names"  # a JSON list, by class number
TABLED = ("uint8", "uint16")  # types of which a TIFF has colour tables


def read_classes(path: Path, dataset: Any) -> tuple[list[str] | None, npt.NDArray[np.uint8] | None]:
    """Return names and colours by class number, background first; None for what is missing."""
    names = dataset.tags(1).get(TAG)
    try:
        table = dataset.colormap(1)
    except ValueError:  # rasterio's way to say that there is none
        table = {}
    colours = np.zeros((max(table, default=-1) + 1, 3), np.uint8)
    for number, colour in table.items():
        colours[number] = colour[:3]
    return (
        _sidecar(path) if names is None else [str(name) for name in json.loads(names)],
        colours if table else None,
    )


def write_classes(
    dataset: Any, class_names: Sequence[str], colours: npt.NDArray[np.uint8], sidecar: Path
) -> None:
    """Write names and colours into an open dataset, and the names into a file beside it."""
    dataset.update_tags(1, **{TAG: json.dumps(list(class_names), ensure_ascii=False)})
    if dataset.dtypes[0] in TABLED:
        dataset.write_colormap(
            1, {n: (*map(int, colour), 255) for n, colour in enumerate(np.asarray(colours))}
        )
    root = ElementTree.Element("PAMDataset")
    band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
    listed = ElementTree.SubElement(band, "CategoryNames")
    for name in class_names:
        ElementTree.SubElement(listed, "Category").text = name
    ElementTree.indent(root)
    sidecar.write_bytes(ElementTree.tostring(root, encoding="utf-8"))


def _sidecar(path: Path) -> list[str] | None:
    file = path.with_name(f"{path.name}.aux.xml")
    if not file.is_file():
        return None
    try:
        listed = ElementTree.parse(file).getroot().find("PAMRasterBand[@band='1']/CategoryNames")
    except ElementTree.ParseError as error:
        raise HsiError(f"{file}: expected XML ({error}); mend or remove it") from error
    return None if listed is None else [category.text or "" for category in listed]
