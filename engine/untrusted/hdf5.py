"""HDF5, NetCDF-4 and MATLAB v7.3: the structure is visited in a child before the file is used.

No look at the bytes says whether libhdf5 will survive a file: its B-trees and heaps may point at
themselves. So no HDF5 file counts as plain; each is visited once per process, the values aside.
"""

import contextlib
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.untrusted import child

EXPECTED = "expected a whole HDF5 or NetCDF file, found something else or a file cut short"
SMALL = 2**12  # values that are read: lists, and what stands beside a cube
_visited: dict[tuple[str, int, int, int], str | None] = {}  # why a file is refused, by the file


def expect_sound(path: Path, error: type[UserError] = UserError) -> None:
    """Refuse an HDF5 file that libhdf5 does not survive, or whose data lie in other files.

    Parameters
    ----------
    path : Path
    error : type of UserError
        The exception to raise.

    Raises
    ------
    UserError
        Of type `error`: the library crashes, loops or takes too much memory; the file is no HDF5;
        it has external links, external storage, or virtual datasets of other files.
    """
    stat = path.stat()
    seen = (str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ino)
    if seen not in _visited:
        try:
            elsewhere = child.ask("hdf5", path, EXPECTED, error)
            _visited[seen] = elsewhere and (
                f"{path}: expected a file that holds its data, found {elsewhere}; what is there "
                "may be any file of yours, and is not read: put the data into one file (h5repack)"
            )
        except error as refused:
            _visited[seen] = str(refused)
    if _visited[seen]:
        raise error(_visited[seen])


def visit(path: Path) -> str | None:
    """Read all that a file says of itself: links, types, attributes, indices of chunks, lists.

    What cannot be read is passed over: here it counts that the library survives it.

    Returns
    -------
    str or None
        The first place where the file points at another one.
    """
    import h5py

    elsewhere: list[str] = []

    def see_link(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            elsewhere.append(f"{name}, which is a link to {link.filename}")

    def see(name: str, item: Any) -> None:
        del name
        with contextlib.suppress(Exception):
            for key in item.attrs:
                with contextlib.suppress(Exception):
                    item.attrs[key]
        if isinstance(item, h5py.Dataset):
            with contextlib.suppress(Exception):
                elsewhere.extend(_elsewhere(item))
            for look in (_look_at_chunks, _look_at_axes, _look_at_values):
                with contextlib.suppress(Exception):
                    look(item)

    with h5py.File(path, "r") as file:
        file.visititems_links(see_link)
        see("/", file)
        file.visititems(see)
    return elsewhere[0] if elsewhere else None


def _elsewhere(dataset: Any) -> list[str]:
    """Return the files outside a dataset's own that it takes values from."""
    found = [f"{dataset.name}, whose values are in {name}" for name, *_ in dataset.external or ()]
    if dataset.is_virtual:
        sources = (source.file_name for source in dataset.virtual_sources())
        found += [f"{dataset.name}, which is a view of {name}" for name in sources if name != "."]
    return found


def _look_at_chunks(dataset: Any) -> None:
    dataset.id.get_storage_size()
    if dataset.chunks is not None:
        dataset.id.chunk_iter(lambda _: None)


def _look_at_axes(dataset: Any) -> None:
    for dimension in dataset.dims:
        str(dimension.label)
        if len(dimension):
            str(dimension[0].name)


def _look_at_values(dataset: Any) -> None:
    within = not dataset.external and not dataset.is_virtual
    if within and dataset.shape is not None and dataset.size <= SMALL:
        dataset[()]
