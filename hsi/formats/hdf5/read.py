"""HDF5 and NetCDF-4 (which is HDF5) through h5py; a cube is read when it is sliced."""

from pathlib import Path
from typing import Any

from engine.errors import parsing
from engine.untrusted.hdf5 import EXPECTED, expect_sound
from hsi.errors import HsiError
from hsi.formats import centres, no_data
from hsi.formats.centres import Listed
from hsi.formats.contents import (
    LAYOUTS,
    Contents,
    Kind,
    band_axis,
    beside,
    choose,
    layout_name,
    squeezed,
)
from hsi.formats.hdf5 import attributes, cf_grid, emit, neon, prisma
from hsi.formats.hdf5.cube import Hdf5Cube, axes_kept, axes_of, whole
from hsi.formats.hdf5.netcdf3 import is_netcdf3, read_netcdf3
from hsi.formats.lazy import CACHE_BYTES, tell_pieces

# Products that are recognised: (is it one?, read it).
PRODUCTS = {"EMIT": (emit.recognised, emit.read), "PRISMA": (prisma.recognised, prisma.read)}
CACHE_SLOTS = 10007  # a prime far above the number of chunks that the cache holds
BAND_WORDS = ("band", "wavelength", "spectral", "channel", "lambda")


def read(path: Path, variable: str | None, kind: Kind) -> Contents:
    """Open a cube, or read labels, of an HDF5 or NetCDF file.

    Parameters
    ----------
    path : Path
    variable : str, optional
        A dataset, as a path inside the file; else the only one that fits. EMIT's and PRISMA's
        products are recognised.
    kind : {'cube', 'labels'}

    Raises
    ------
    HsiError
        No such file, cut short; no dataset that fits, or several; one that memory cannot hold; a
        file that points at others.
    """
    import h5py

    if is_netcdf3(path):
        return read_netcdf3(path, variable, kind)
    expect_sound(path, HsiError)
    with parsing(path, EXPECTED, HsiError, "fetch it again"):
        file = h5py.File(path, "r", rdcc_nbytes=CACHE_BYTES, rdcc_nslots=CACHE_SLOTS)
        return _contents(path, file, variable, kind)


def _contents(path: Path, file: Any, variable: str | None, kind: Kind) -> Contents:
    if kind == "cube":
        for recognised, read_product in PRODUCTS.values():
            if recognised(file, variable):
                return read_product(path, file, variable)
    datasets = _datasets(file)
    wanted = None if variable is None else variable.strip("/")
    name = choose(path, {key: item.shape for key, item in datasets.items()}, wanted, kind)
    dataset = datasets[name]
    found: dict[str, Any] = {"format": _format(path, file), "variable": name}
    title = attributes.text(file.attrs.get("title"))
    found |= {"title": title} if title else {}
    ignored = attributes.ignored(path, dataset)
    if kind == "labels":
        array = whole(dataset).reshape(squeezed(dataset.shape, 2))
        array = no_data.unlabelled(path, array, ignored) if array.ndim == 2 else array
        image = cf_grid.image_axes(dataset.shape)
        if cf_grid.columns_first(dataset, image):
            array, image = array.T, image[::-1]
        place = cf_grid.georeference(dataset, image)
        return Contents(path, array, georeference=place, provenance=found)
    if len(squeezed(dataset.shape, 3)) != 3:
        return Contents(path, whole(dataset), provenance=found)
    return _cube(path, datasets, name, ignored, found)


def _cube(
    path: Path,
    datasets: dict[str, Any],
    name: str,
    ignored: tuple[float, ...],
    found: dict[str, Any],
) -> Contents:
    dataset = datasets[name]
    kept = axes_kept(dataset.shape)
    flat = {key: item for key, item in datasets.items() if item.size == max(item.shape)}
    lists = [attributes.listed(key, item) for key, item in flat.items()]
    marked = [item for item in lists if attributes.is_centres(datasets[item.name])]
    lists += [*_texts(dataset.file), *attributes.listed_in(dataset)]
    axis = _stated_band_axis(dataset, kept)
    sizes = [dataset.shape[place] for place in (kept if axis is None else [kept[axis]])]
    listed = centres.find(lists, sizes, name)
    listed = next((item for item in marked if item.size in sizes), listed)
    if axis is None:
        shape = tuple(dataset.shape[place] for place in kept)
        own = name.rpartition("/")[2]
        axis = band_axis(shape, layout_name(path, own), None if listed is None else listed.size)
    found["layout"] = LAYOUTS[axis]
    turned = cf_grid.columns_first(dataset, axes_of(kept, axis))
    cube = Hdf5Cube(path, dataset, axis, turned)
    tell_pieces(str(path), cube)
    bands = cube.shape[2]
    wide = centres.find_widths(lists, bands, name)
    wavelengths = centres.in_nanometres(listed, bands, f"{path}: wavelengths")
    gain, offset = attributes.scale_and_offset(path, dataset, bands)
    product = neon.beside(dataset, wavelengths)
    found |= product.provenance
    first, mask = no_data.first_and_mask(ignored, cube, bad_bands=product.bad_bands)
    used = [name, *(item.name for item in (listed, wide) if item is not None)]
    others = [key for key in attributes.not_understood(dataset) if f"{name}/{key}" not in used]
    return Contents(
        path,
        cube,
        wavelengths,
        bad_bands=product.bad_bands,
        georeference=cf_grid.georeference(dataset, cube.axes) or product.georeference,
        ignore_value=first,
        scale=gain,
        offset=offset,
        provenance=found,
        fwhm=centres.widths_in_nanometres(wide, listed, wavelengths),
        mask=mask,
        left_out=(
            *((f"attributes {', '.join(others)}",) if others else ()),
            *beside(list(datasets), used),
        ),
    )


def _datasets(file: Any) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "uif" and item.shape:
            found[name] = item

    file.visititems(keep)
    return found


def _texts(file: Any) -> list[Listed]:
    """Return lists that are called as those of band centres or widths, and hold texts."""
    import h5py

    found: list[Listed | None] = []

    def keep(name: str, item: Any) -> None:
        texts = isinstance(item, h5py.Dataset) and item.dtype.kind in "SO" and item.ndim
        if texts and centres.tells(name):
            found.append(attributes.listed_texts(name, item))

    file.visititems(keep)
    return [item for item in found if item is not None]


def _format(path: Path, file: Any) -> str:
    return "NetCDF-4" if path.suffix.lower() == ".nc" or "_NCProperties" in file.attrs else "HDF5"


def _stated_band_axis(dataset: Any, kept: list[int]) -> int | None:
    """Return the axis of the bands, among those kept, that is named as one."""
    for number, place in enumerate(kept):
        dimension = dataset.dims[place]
        scale = dimension[0].name.rpartition("/")[2] if len(dimension) else ""
        words = f"{dimension.label} {scale}".lower()
        if any(word in words for word in BAND_WORDS):
            return number
    return None
