"""ENVI: a text header beside raw data, read and written through `spectral`."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.formats.contents import Contents, Kind

# Nanometres in one of a header's wavelength units.
NANOMETRES = {"nanometers": 1.0, "nm": 1.0, "micrometers": 1e3, "um": 1e3, "microns": 1e3}
GEOREFERENCE = ("map info", "coordinate system string", "projection info", "geo points")


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Open an ENVI cube or classification as a memory map.

    Parameters
    ----------
    path : Path
        The header, or the data file with its header beside it.
    variable : None
        ENVI files hold one array.
    kind : {'cube', 'labels'}

    Raises
    ------
    HsiError
        No header, a header that misses a key, or a data file of another size.
    """
    from spectral import SpyException
    from spectral.io import envi

    if variable is not None:
        raise HsiError(f"{path}: an ENVI file holds one array; leave out ':{variable}'")
    header, data = _pair(path)
    try:
        image = envi.open(str(header), None if data is None else str(data))
    except (SpyException, ValueError, KeyError, OSError, TypeError) as error:
        message = " ".join(str(error).split())
        raise HsiError(
            f"{header}: expected a whole ENVI header and its data ({message})"
        ) from error
    if not hasattr(image, "interleave"):
        raise HsiError(f"{header}: expected an image, found an ENVI spectral library")

    expected = image.offset + image.nrows * image.ncols * image.nbands * image.sample_size
    found = Path(image.filename).stat().st_size
    if found < expected:
        raise HsiError(
            f"{image.filename}: expected {expected} bytes ({image.nrows} lines × {image.ncols} "
            f"samples × {image.nbands} bands), found {found}; the file is cut short"
        )
    array = image.open_memmap(interleave="bip", writable=False)
    array = array[:, :, 0] if kind == "labels" and image.nbands == 1 else array
    metadata = image.metadata
    names, colours = _classes(header, metadata)
    georeference = {key: metadata[key] for key in GEOREFERENCE if key in metadata}
    understood: dict[str, Any] = {
        "format": f"ENVI {str(metadata['interleave']).lower()}",
        "data": str(image.filename),
    }
    if image.scale_factor != 1:
        understood["reflectance scale factor"] = f"{image.scale_factor:g} (kept, not applied)"
    if "data ignore value" in metadata:
        understood["data ignore value"] = metadata["data ignore value"]
    return Contents(
        header,
        array,
        _wavelengths(header, metadata),
        _bad_bands(metadata),
        georeference or None,
        names,
        colours,
        understood,
    )


def _pair(path: Path) -> tuple[Path, Path | None]:
    """Find the header of a data file; a header finds its data by itself."""
    if path.suffix.lower() == ".hdr":
        return path, None
    for header in (path.with_suffix(".hdr"), path.with_name(f"{path.name}.hdr")):
        if header.is_file():
            return header, path
    raise HsiError(f"{path}: expected the ENVI header {path.with_suffix('.hdr')} beside it")


def _wavelengths(header: Path, metadata: Mapping[str, Any]) -> npt.NDArray[np.float64] | None:
    if "wavelength" not in metadata:
        return None
    try:
        values = np.array([float(value) for value in metadata["wavelength"]])
    except ValueError as error:
        raise HsiError(f"{header}: wavelength: expected numbers ({error})") from error
    unit = str(metadata.get("wavelength units", "")).strip().lower()
    # Without a unit, a median below 100 can only be micrometres.
    guess = 1e3 if np.median(values) < 100 else 1.0
    return values * NANOMETRES.get(unit, guess)


def _bad_bands(metadata: Mapping[str, Any]) -> npt.NDArray[np.bool_] | None:
    if "bbl" not in metadata:
        return None
    return np.array([float(value) == 0 for value in metadata["bbl"]])


def _classes(
    header: Path, metadata: Mapping[str, Any]
) -> tuple[list[str] | None, npt.NDArray[np.uint8] | None]:
    names, lookup = metadata.get("class names"), metadata.get("class lookup")
    if lookup is None:
        return names, None
    try:
        return names, np.array([int(value) for value in lookup], np.uint8).reshape(-1, 3)
    except (ValueError, OverflowError) as error:
        raise HsiError(f"{header}: class lookup: expected three numbers 0–255 a class") from error


def write_cube(
    path: Path,
    cube: npt.NDArray[Any],
    *,
    wavelengths: npt.NDArray[np.float64] | None = None,
    bad_bands: npt.NDArray[np.bool_] | None = None,
    georeference: Mapping[str, Any] | None = None,
) -> None:
    """Write a cube (H, W, B) as ENVI bip: `path` (.hdr) and its .img.

    Types that ENVI does not know are widened without loss.
    """
    metadata: dict[str, Any] = dict(georeference or {})
    if wavelengths is not None:
        metadata |= {"wavelength": list(wavelengths), "wavelength units": "Nanometers"}
    if bad_bands is not None:
        metadata["bbl"] = [int(not bad) for bad in bad_bands]
    wider = {"int8": np.int16, "float16": np.float32}.get(cube.dtype.name)
    _save("save_image", path, cube if wider is None else cube.astype(wider), metadata)


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
        By class number, 'Unclassified' first.
    colours : ndarray (C + 1, 3), uint8
    georeference : mapping, optional
    """
    _save(
        "save_classification",
        path,
        classes,
        dict(georeference or {}),
        # Commas and braces end an entry of an ENVI list.
        class_names=[name.translate(str.maketrans(",{}", ";()")) for name in class_names],
        class_colors=[tuple(int(v) for v in colour) for colour in colours],
    )


def _save(
    how: str, path: Path, array: npt.NDArray[Any], metadata: dict[str, Any], **options: Any
) -> None:
    """Write the pair in a folder of its own, then move the data and, last, the header."""
    from spectral.io import envi

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent) as folder:
        header = Path(folder) / path.with_suffix(".hdr").name
        getattr(envi, how)(str(header), array, metadata=metadata, ext=".img", **options)
        header.with_suffix(".img").replace(path.with_suffix(".img"))
        header.replace(path.with_suffix(".hdr"))
