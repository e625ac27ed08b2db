"""Writing ENVI: cubes and classifications, block by block, the header last."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.formats import georeference as geo
from hsi.formats import masks
from hsi.formats.contents import Cube
from hsi.formats.envi import metadata
from hsi.formats.envi.header import DATA_TYPES, format_header
from hsi.formats.lazy import cube_blocks
from hsi.formats.no_data import Mask
from hsi.formats.writing import new_files

CODES = {np.dtype(name): code for code, name in DATA_TYPES.items()}
# Types that ENVI does not know, and those that hold all their values.
WIDER = {"int8": np.int16, "float16": np.float32, "bool": np.uint8}


def write_cube(
    path: Path,
    cube: Cube,
    *,
    wavelengths: npt.NDArray[np.float64] | None = None,
    bad_bands: npt.NDArray[np.bool_] | None = None,
    georeference: Mapping[str, Any] | None = None,
    ignore_value: float | None = None,
    scale: npt.NDArray[np.float64] | None = None,
    offset: npt.NDArray[np.float64] | None = None,
    fwhm: npt.NDArray[np.float64] | None = None,
    band_names: Sequence[str] | None = None,
    default_bands: Sequence[int] | None = None,
    mask: Mask | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write a cube (H, W, B) as ENVI bip: `path` (.hdr) and its .img.

    A mask becomes .img.msk, points and coefficients that ENVI has no words for .img.aux.xml, both
    in GDAL's form. Types that ENVI does not know are widened without loss.
    """
    known = metadata.keys(
        wavelengths=wavelengths, bad_bands=bad_bands, ignore_value=ignore_value, scale=scale,
        offset=offset, fwhm=fwhm, band_names=band_names, default_bands=default_bands, extra=extra,
    )  # fmt: skip
    known |= geo.for_envi(georeference)
    _write(path, cube, "ENVI Standard", known, geo.aux_xml(georeference), mask)


def write_classification(
    path: Path,
    classes: npt.NDArray[np.integer[Any]],
    *,
    class_names: Sequence[str],
    colours: npt.NDArray[np.uint8],
    georeference: Mapping[str, Any] | None = None,
) -> None:
    """Write a map (H, W) as ENVI Classification: `path` (.hdr) and its .img.

    Parameters
    ----------
    path : Path
    classes : ndarray (H, W), int
    class_names : sequence of str
        By class number, 'Unclassified' first. Commas and braces, which end an entry of an ENVI
        list, are replaced.
    colours : ndarray (C + 1, 3), uint8
    georeference : mapping, optional
    """
    known = classification_keys(class_names, colours) | geo.for_envi(georeference)
    aux = geo.aux_xml(georeference)
    _write(path, classes[:, :, None], "ENVI Classification", known, aux)


def classification_keys(
    class_names: Sequence[str], colours: npt.NDArray[np.uint8]
) -> dict[str, Any]:
    """Return classes, by number, as the keys of a header."""
    return {
        "classes": len(class_names),
        "class names": list(class_names),
        "class lookup": [int(value) for value in np.asarray(colours).ravel()],
        "band names": ["class"],
    }


def header_text(
    shape: tuple[int, ...], dtype: np.dtype[Any], file_type: str, known: Mapping[str, Any]
) -> str:
    """Return the header of pixels (H, W, B) or (H, W) stored one after the other (bip)."""
    height, width, *bands = shape
    return format_header(
        {
            "samples": width,
            "lines": height,
            "bands": bands[0] if bands else 1,
            "header offset": 0,
            "file type": file_type,
            "data type": CODES[dtype.newbyteorder("=")],
            "interleave": "bip",
            "byte order": int(dtype.newbyteorder("=").str.startswith(">")),
            **known,
        }
    )


def _write(
    path: Path,
    cube: Cube,
    file_type: str,
    known: Mapping[str, Any],
    aux: bytes | None,
    mask: Mask | None = None,
) -> None:
    dtype = np.dtype(WIDER.get(cube.dtype.name, cube.dtype)).newbyteorder("=")
    target = path.with_suffix(".hdr")
    with new_files(target, int(np.prod(cube.shape)) * dtype.itemsize) as part:
        data = part.with_suffix(".img")
        with data.open("wb") as file:
            for rows in cube_blocks(cube):
                file.write(np.ascontiguousarray(cube[rows], dtype).data)
        if mask is not None:
            masks.write_beside(data.with_name(f"{data.name}.msk"), mask)
        if aux is not None:
            data.with_name(f"{data.name}.aux.xml").write_bytes(aux)
        part.write_text(header_text(cube.shape, dtype, file_type, known), encoding="utf-8")
