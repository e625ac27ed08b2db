"""A hyperspectral scene: opened from a file or from the embedded one, and written."""

import hashlib
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from engine.memory import release
from hsi.errors import HsiError
from hsi.formats import numpy_arrays
from hsi.formats.contents import LAYOUTS, Cube, band_axis, layout_name
from hsi.formats.envi import read as envi
from hsi.formats.envi import write as envi_write
from hsi.formats.geotiff import write as geotiff_write
from hsi.formats.lazy import cube_blocks
from hsi.formats.no_data import Mask
from hsi.formats.registry import KEPT, WRITTEN, read
from hsi.scenes.embedded import EMBEDDED, INDIAN_PINES_ORIGIN, embedded_file
from hsi.scenes.no_data import unmasked, without_data

log = logging.getLogger(__name__)

CHECKSUM_BYTES = 32 * 2**20  # read at once


@dataclass(frozen=True)
class Scene:
    """A cube of spectra, with its wavelengths, bad bands and georeference.

    Attributes
    ----------
    name : str
        What tables and folders call the scene.
    cube : Cube (H, W, B)
        Any real type; an array, a memory map, or a cube that is read from its file when it is
        sliced (`hsi.formats.lazy`). Read it by rows: `scene.cube[rows]`. A pixel that a masked
        array hides in any band has no data.
    wavelengths : ndarray (B,), float64, optional
        Band centres in nanometres.
    bad_bands : ndarray (B,), bool, optional
        True where the producer marked a band as bad.
    georeference : mapping, optional
        As the format states it (ENVI: `map info`, `coordinate system string`; GeoTIFF: `crs`,
        `transform`).
    ignore_value : float, optional
        What stands where nothing was measured, as the file states it; see `no_data`.
    scale, offset : ndarray (B,), float64, optional
        Physical value = scale × stored value + offset; kept, not applied.
    provenance : mapping
        `source`, `format`, and what the reader understood.
    fwhm : ndarray (B,), float64, optional
        Widths of the bands in nanometres (full width at half maximum).
    band_names : sequence of str, optional
    default_bands : tuple of int, optional
        Bands to show as red, green and blue (or one, as grey), counted from 0.
    mask : Mask (H, W), optional
        True where there is data; an array, or a mask that is read when it is sliced by rows, or by
        rows and columns.
    extra : mapping
        Further keys of the file, as text, that copies in ENVI and GeoTIFF keep.
    left_out : sequence of str
        What the file holds beside this, in words; no copy keeps it.

    Raises
    ------
    HsiError
        The cube has not three axes or holds no real numbers; a list has not one entry per band.

    Examples
    --------
    >>> import hsi, numpy as np
    >>> scene = hsi.Scene("tiny", np.ones((4, 5, 3)), wavelengths=np.array([450.0, 550.0, 650.0]))
    >>> scene.shape, scene.good_bands.tolist()
    ((4, 5), [0, 1, 2])
    """

    name: str
    cube: Cube
    wavelengths: npt.NDArray[np.float64] | None = None
    bad_bands: npt.NDArray[np.bool_] | None = None
    georeference: Mapping[str, Any] | None = None
    ignore_value: float | None = None
    scale: npt.NDArray[np.float64] | None = None
    offset: npt.NDArray[np.float64] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    fwhm: npt.NDArray[np.float64] | None = None
    band_names: Sequence[str] | None = None
    default_bands: tuple[int, ...] | None = None
    mask: Mask | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    def __post_init__(self) -> None:
        cube, mask = unmasked(self.name, self.cube, self.mask)
        object.__setattr__(self, "cube", cube)
        object.__setattr__(self, "mask", mask)
        if self.cube.dtype.kind not in "uif" or self.cube.dtype.itemsize > 8:
            raise HsiError(
                f"{self.name}: expected real numbers of at most 64 bits, found {self.cube.dtype}"
            )
        for key in ("wavelengths", "bad_bands", "scale", "offset", "fwhm", "band_names"):
            value = getattr(self, key)
            if value is not None and np.shape(value) != self.cube.shape[2:]:
                raise HsiError(
                    f"{self.name}: expected {self.cube.shape[2]} {key.replace('_', ' ')}, one per "
                    f"band, found {np.size(value)}; mend the file's header"
                )
        if self.mask is not None and tuple(self.mask.shape) != self.shape:
            raise HsiError(
                f"{self.name}: expected a mask of {self.shape[0]} × {self.shape[1]} pixels, found "
                f"{' × '.join(map(str, self.mask.shape))}"
            )
        if self.wavelengths is not None and not np.isfinite(self.wavelengths).all():
            raise HsiError(f"{self.name}: expected a wavelength for every band, found NaN")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the scene."""
        return self.cube.shape[0], self.cube.shape[1]

    @property
    def good_bands(self) -> npt.NDArray[np.int64]:
        """Indices of the bands that are not marked as bad."""
        if self.bad_bands is None:
            return np.arange(self.cube.shape[2], dtype=np.int64)
        good = np.flatnonzero(~self.bad_bands).astype(np.int64)
        if not good.size:
            raise HsiError(f"{self.name}: all bands are marked as bad; mend the bad bands list")
        return good

    def no_data(self, rows: slice) -> npt.NDArray[np.bool_]:
        """Return which pixels of a block of rows hold no measurement, (r, W); read that block.

        Bad bands do not count; see `without_data`.
        """
        return self.without_data(
            np.asarray(self.cube[rows])[..., self.good_bands], rows, slice(None)
        )

    def without_data(
        self, spectra: npt.NDArray[Any], rows: slice, columns: slice
    ) -> npt.NDArray[np.bool_]:
        """Return which pixels of a block hold no measurement, (r, c), given their spectra.

        Parameters
        ----------
        spectra : ndarray (r, c, B)
            Of the block, usable bands alone; see `hsi.scenes.no_data.without_data`.
        rows, columns : slice
            Of the block, for the scene's mask.
        """
        empty = without_data(spectra, self.ignore_value)
        return empty if self.mask is None else empty | ~np.asarray(self.mask[rows, columns])

    def pixels_without_data(self) -> int:
        """Return how many pixels hold no measurement; reads the whole cube, some rows at a time."""
        count = 0
        for rows in cube_blocks(self.cube):
            count += int(self.no_data(rows).sum())
            release(self.cube)
        return count

    def refuse_not_finite(self) -> NoReturn:
        """Raise an HsiError that says where the good bands hold NaN or infinite values.

        Reads the whole cube.
        """
        wrong = np.array([(~np.isfinite(self.cube[..., band])).sum() for band in self.good_bands])
        bands = self.good_bands[wrong > 0]
        first = f"band {bands[0] + 1}" if bands.size else "no band"
        raise HsiError(
            f"{self.name}: expected numbers, found NaN or infinite values at {wrong.sum()} places "
            f"in {bands.size} of {wrong.size} bands, first in {first}; mark whole bands as bad "
            "(bbl in an ENVI header), repair single pixels"
        )

    def checksum(self) -> str:
        """Return the SHA-256 of the cube's shape, type, values and mask, read by rows."""
        height, *across = self.cube.shape
        digest = hashlib.sha256(f"{self.cube.shape}{self.cube.dtype.str}".encode())
        step = max(1, CHECKSUM_BYTES // (math.prod(across) * self.cube.dtype.itemsize))
        for start in range(0, height, step):
            digest.update(np.ascontiguousarray(self.cube[start : start + step]).tobytes())
            if self.mask is not None:
                digest.update(np.packbits(self.mask[start : start + step]).tobytes())
            release(self.cube)
        return digest.hexdigest()


def open_scene(source: str | Path) -> Scene:
    """Open a scene.

    Parameters
    ----------
    source : str or Path
        A file of a known format (ENVI, GeoTIFF, HDF5 and netCDF, Zarr, MATLAB, .npy, .npz), where
        'FILE:variable' names a variable inside; or 'IndianPines', the scene that comes with
        tensorly.

    Returns
    -------
    Scene
        Cubes of ENVI, GeoTIFF, HDF5 and .npy stay in their files, and are read where sliced.

    Raises
    ------
    HsiError
        There is no such file, its format is unknown, or it holds no cube, or several.

    Examples
    --------
    >>> import hsi
    >>> scene = hsi.open_scene("IndianPines")
    >>> scene.cube.shape, scene.cube.dtype.name
    ((145, 145, 200), 'uint16')
    """
    if str(source) == EMBEDDED:
        cube = np.load(embedded_file("Indian_pines_corrected.npy"), allow_pickle=False)
        return Scene(EMBEDDED, cube, provenance={"source": EMBEDDED, "origin": INDIAN_PINES_ORIGIN})
    found = read(source, "cube")
    wavelengths = found.wavelengths
    if wavelengths is not None and not np.isfinite(wavelengths).all():
        unknown = int((~np.isfinite(wavelengths)).sum())
        log.warning(
            "%s: %d of %d bands have no wavelength; bands are taken by their position",
            source, unknown, wavelengths.size,
        )  # fmt: skip
        wavelengths = None
    if found.provenance.get("layout") == LAYOUTS[0] and wavelengths is None:
        log.info("%s: taken as %s", source, LAYOUTS[0])
    return Scene(
        found.path.stem,
        found.array,
        wavelengths,
        provenance={"source": str(source), **found.provenance},
        **{key: getattr(found, key) for key in KEPT[".hdr"] if key != "wavelengths"},
        left_out=found.left_out,
    )


def write_scene(path: Path | str, scene: Scene) -> None:
    """Write a scene to a file.

    Parameters
    ----------
    path : Path or str
        Ends with .hdr (ENVI; the values go into an .img beside it), .tif (GeoTIFF) or .npy, which
        keeps the cube alone.
    scene : Scene

    Raises
    ------
    HsiError
        The name ends otherwise, or the disk is full.

    Examples
    --------
    >>> import hsi, numpy as np, tempfile
    >>> scene = hsi.Scene("tiny", np.arange(60.0).reshape(4, 5, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hsi.write_scene(f"{folder}/tiny.hdr", scene)
    ...     again = hsi.open_scene(f"{folder}/tiny.hdr")
    ...     bool((again.cube[:] == scene.cube).all())
    True
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITTEN:
        raise HsiError(f"{path}: expected a name that ends with one of {', '.join(WRITTEN)}")
    if suffix == ".npy":
        if band_axis(scene.cube.shape, layout_name(path, "")) != 2:
            raise HsiError(
                f"{path}: {' × '.join(map(str, scene.cube.shape))} values in a .npy would be taken "
                "for bands first when they are read; write .hdr or .tif"
            )
        lost = [key.replace("_", " ") for key in KEPT[".hdr"] if _is_told(getattr(scene, key))]
        if lost:
            log.warning(
                "%s: .npy keeps the values alone, without %s; .hdr and .tif keep these",
                path, ", ".join(lost),
            )  # fmt: skip
        numpy_arrays.write(path, scene.cube)
        return
    if suffix == ".hdr":
        envi.refuse_older_data(path)
    write = envi_write.write_cube if suffix == ".hdr" else geotiff_write.write_cube
    write(path, scene.cube, **{key: getattr(scene, key) for key in KEPT[suffix]})


def _is_told(value: Any) -> bool:
    return value is not None and (not isinstance(value, Mapping) or bool(value))
