"""Copies of Zarr stores with other pixels: slabs of planes read and written, reduced copies made.

A copy has the metadata of its source byte for byte: format, chunks, shards, codecs, axes, and all
attributes. What is no image (labels, tables, coordinates) is copied as it is.
"""

import hashlib
import math
import shutil
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import artifacts
from engine.memory import admit
from restore.errors import RestoreError
from restore.images import gaps, samples
from restore.images.picture import Picture, join, split
from restore.images.zarr.layout import METADATA, Stored, images, load

SLAB_BYTES = 2**28  # of planes that are read together

Key = tuple[slice, ...]


def copy(source: Path, target: Path, found: Sequence[Stored]) -> None:
    """Copy a store into an empty folder, without the chunks of its images."""
    left = {source / name for image in found for name in (image.name, *image.reduced)}

    def chunks(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder) in left and name not in METADATA]

    shutil.copytree(source, target, dirs_exist_ok=True, ignore=chunks)


def sha256(store: Path) -> str:
    """Return one SHA-256 of the names and contents of all files of a store."""
    digest = hashlib.sha256()
    for file in sorted(file for file in store.rglob("*") if file.is_file()):
        name = file.relative_to(store).as_posix()
        digest.update(f"{name}\0{artifacts.sha256_file(file)}\n".encode())
    return digest.hexdigest()


def opened(store: Path, name: str) -> Any:
    """Open an array of a store for reading and writing."""
    return load().open_array(store=str(store / name), mode="r+")


def check(image: Stored) -> None:
    """Refuse samples of a type that is not kept, as in all formats."""
    kind = image.array.dtype
    if kind == np.bool_ or 0 in image.array.shape:
        found = "a mask of yes and no" if kind == np.bool_ else f"shape {image.array.shape}"
        raise RestoreError(f"{image.name or 'the array'}: expected an image, found {found}")
    samples.checked(np.empty(0, kind))


def slabs(image: Stored) -> Iterator[Key]:
    """Yield the parts of an image that are read and written together: whole planes.

    They follow the chunks (or shards), so that none is packed twice, as far as 256 MiB allow.
    """
    array = image.array
    pieces = getattr(array, "shards", None) or array.chunks
    steps = {axis: min(pieces[axis], array.shape[axis]) for axis in image.leading}
    plane = math.prod(n for axis, n in enumerate(array.shape) if axis not in steps)
    plane *= array.dtype.itemsize
    admit(plane, None, RestoreError)
    while steps and math.prod(steps.values()) * plane > SLAB_BYTES and max(steps.values()) > 1:
        widest = max(steps, key=lambda axis: steps[axis])
        steps[widest] = -(-steps[widest] // 2)
    spans = [
        [slice(n, min(n + step, size)) for n in range(0, size, step)]
        for axis, size in enumerate(array.shape)
        for step in (steps.get(axis, size),)
    ]
    yield from product(*spans)


def places(image: Stored, key: Key) -> list[tuple[int, ...]]:
    """Return where the planes of a slab lie along the leading axes, in their order."""
    spans = [range(key[axis].start, key[axis].stop) for axis in image.leading]
    return list(product(*spans))


def key_of(image: Stored, place: Sequence[int]) -> Key:
    """Return the key of one plane."""
    key = [slice(0, size) for size in image.array.shape]
    for axis, at in zip(image.leading, place, strict=True):
        key[axis] = slice(at, at + 1)
    return tuple(key)


def read(image: Stored, array: Any, key: Key) -> NDArray[Any]:
    """Return planes (N, H, W[, C]) of an array that lies as the image does, on its own scale."""
    block = np.transpose(np.asarray(array[key]), _order(image))
    inner = block.shape[len(image.leading) :]
    return np.ascontiguousarray(block).reshape(-1, *inner)


def write(image: Stored, array: Any, key: Key, planes: NDArray[Any]) -> bool:
    """Write planes (N, H, W[, C]), and return whether the array holds them exactly.

    A codec that rounds (as those of lossy stores do) does not.
    """
    order = _order(image)
    shape = [key[axis].stop - key[axis].start for axis in order]
    block = np.transpose(planes.reshape(shape), np.argsort(order)).astype(array.dtype)
    array[key] = block
    floating = block.dtype.kind == "f"
    return bool(np.array_equal(np.asarray(array[key]), block, equal_nan=floating))


def picture(image: Stored, plane: NDArray[Any]) -> Picture:
    """Return one plane as a picture: grey or RGB, a fourth sample as a plane of its own."""
    found, white = samples.checked(plane)
    found = np.require(found, requirements=["C", "W", "O"])
    pixels, _, further, layout = split(found, 3 if found.ndim == 3 else 1, ())
    return Picture(pixels, None, further, layout, white=white, no_data=image.no_data, format="Zarr")


def samples_of(page: Picture) -> NDArray[Any]:
    """Return the samples of a picture: `picture` the other way round."""
    return join(page)


def middle(path: Path) -> NDArray[Any]:
    """Return the pixels of the plane in the middle of a store's first image."""
    image = images(path)[0]
    place = [image.array.shape[axis] // 2 for axis in image.leading]
    return picture(image, read(image, image.array, key_of(image, place))[0]).pixels


def reduce(image: Stored, store: Path) -> None:
    """Make the reduced copies of an image anew, each from the next larger one.

    A pixel is the mean of the pixels that it stands for, those without data left out; where the
    sizes are no whole multiples, it is the pixel in their middle.
    """
    larger = opened(store, image.name)
    for name in image.reduced:
        smaller = opened(store, name)
        if smaller.ndim != larger.ndim or any(
            a > b for a, b in zip(smaller.shape, larger.shape, strict=True)
        ):
            raise RestoreError(
                f"{name}: expected a reduced copy of {image.name} {larger.shape}, found "
                f"{smaller.shape}; mend `multiscales`"
            )
        copied = Stored(name, smaller, image.axes, image.rows, image.columns, image.colours)
        factors = _factors(larger.shape, smaller.shape)
        for place in product(*(range(smaller.shape[axis]) for axis in copied.leading)):
            key = key_of(copied, place)
            spans = tuple(
                _span(part, factor, size, small)
                for part, factor, size, small in zip(
                    key, factors, larger.shape, smaller.shape, strict=True
                )
            )
            block = np.asarray(larger[spans])
            shape = [part.stop - part.start for part in key]
            smaller[key] = _means(block, factors, shape, image.no_data)
        larger = smaller


def _order(image: Stored) -> list[int]:
    """Return the axes of the array in the order of planes: leading, rows, columns, colours."""
    inner = [image.rows, image.columns]
    return [*image.leading, *inner, *([] if image.colours is None else [image.colours])]


def _factors(larger: tuple[int, ...], smaller: tuple[int, ...]) -> list[int]:
    """Return by how much each axis shrinks; 0 where it is by no whole number."""
    found = []
    for size, small in zip(larger, smaller, strict=True):
        factor = max(1, round(size / small))
        found.append(factor if small in (size // factor, -(-size // factor)) else 0)
    return found


def _span(part: slice, factor: int, size: int, small: int) -> slice:
    """Return the places of the larger array that a part of the smaller one stands for."""
    if not factor:
        first, last = (int((at + 0.5) * size / small) for at in (part.start, part.stop - 1))
        return slice(first, last + 1)
    return slice(part.start * factor, min(part.stop * factor, size))


def _means(
    block: NDArray[Any], factors: Sequence[int], shape: Sequence[int], no_data: float | None
) -> NDArray[Any]:
    """Return a block reduced to a shape, by means, in its own type."""
    for axis, (factor, wanted) in enumerate(zip(factors, shape, strict=True)):
        if not factor:
            at = ((np.arange(wanted) + 0.5) * block.shape[axis] / wanted).astype(np.intp)
            block = np.take(block, at, axis)
        elif (short := wanted * factor - block.shape[axis]) > 0:  # the last pixel stands for fewer
            widths = [(0, short if n == axis else 0) for n in range(block.ndim)]
            block = np.pad(block, widths, mode="edge")
    pairs = [(wanted, max(factor, 1)) for factor, wanted in zip(factors, shape, strict=True)]
    parted = block.reshape([n for pair in pairs for n in pair])
    within = tuple(range(1, 2 * len(pairs), 2))
    flat = block.reshape(-1, block.shape[-1])
    found = gaps.find(flat, no_data)
    if found is None:
        means = parted.mean(axis=within, dtype=np.float64)
    else:
        valid = ~found.where.reshape(block.shape).reshape(parted.shape)
        count = valid.sum(axis=within)
        means = parted.sum(axis=within, dtype=np.float64, where=valid) / np.maximum(count, 1)
        first = parted[tuple(0 if n in within else slice(None) for n in range(parted.ndim))]
        means = np.where(count > 0, means, first)
    whole = block.dtype.kind in "ui"
    return np.asarray((np.rint(means) if whole else means).astype(block.dtype))
