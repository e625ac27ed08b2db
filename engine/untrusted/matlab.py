"""MATLAB files up to v7: their elements are walked before SciPy reads them.

SciPy's reader looks up the codes of types without bounds [1]_: one byte can end the process. A file
is plain, and read at once, if every element is of a known type, fits into the file and has the size
that its axes ask for. Others (functions, objects, deep nesting) are unpacked in a child.

.. [1] SciPy 1.17, scipy/io/matlab/_mio5_utils.pyx; the format: MathWorks, "MAT-File Format".
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.untrusted.matlab_stream import (
    LONGEST_TEXT,
    Damaged,
    NotPlain,
    Packed,
    Plain,
    Stream,
)

DEEPEST = 8  # structs in structs that are looked into
_MOST_ELEMENTS, _MOST_LEVELS = 100_000, 16
_MATRIX, _COMPRESSED = 14, 15
_INT8, _INT32 = (1, 2, 16), (5, 6)
# Bytes of a value, by the codes of types.
_NUMERIC = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_TEXT = _NUMERIC | {16: 1, 17: 2, 18: 4}
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _NUMBERS = 1, 2, 3, 4, 5, range(6, 16)
_OF_V4 = (8, 4, 4, 2, 2, 1)


@dataclass(frozen=True)
class Leaf:
    """A numeric array of a file.

    Attributes
    ----------
    name : str
        With those of the structs that hold it, as 'struct.field'.
    shape : tuple of int
    nbytes : int
        Bytes of the array.
    """

    name: str
    shape: tuple[int, ...]
    nbytes: int


@dataclass(frozen=True)
class Variable:
    """A variable of a file: the numeric arrays in it, and the bytes of all that it holds."""

    name: str
    leaves: tuple[Leaf, ...]
    nbytes: int


def walk(path: Path) -> tuple[Variable, ...] | None:
    """Return the variables of a plain file, or None for one that is not plain.

    Raises
    ------
    Damaged
        The file is damaged: an element of no known type, or one that does not fit.
    """
    with path.open("rb") as file:
        head = file.read(128)
        if not head:
            raise Damaged("the file is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                if 0 in head[:4]:
                    found = tuple(_walk_v4(data))
                elif len(head) < 128 or head[126:128] not in (b"IM", b"MI"):
                    raise Damaged("it has not the header of a MATLAB file")
                else:
                    found = tuple(_walk_v5(data, "<" if head[126:128] == b"IM" else ">"))
            except NotPlain:
                return None
    names = [variable.name for variable in found]
    return found if len(set(names)) == len(names) else None


def read(path: Path, variable: str, leaf: str) -> npt.NDArray[Any]:
    """Return a numeric array of a plain file: a leaf of a variable."""
    from scipy.io import loadmat

    return dict(arrays(variable, loadmat(path, variable_names=[variable])[variable]))[leaf]


def arrays(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield an array that SciPy read, or those in the fields of a struct, by their names."""
    if not isinstance(value, np.ndarray) or depth > DEEPEST:
        return
    if value.dtype.kind in "uif":
        yield name, value
    elif value.dtype.names is not None and value.size == 1:
        for part in value.dtype.names:
            yield from arrays(f"{name}.{part}", value.ravel()[0][part], depth + 1)
    elif value.dtype.kind == "O" and value.size == 1:
        yield from arrays(name, value.ravel()[0], depth + 1)


def unpack(path: Path, folder: str) -> list[list[str]]:
    """Write the numeric arrays of a file as .npy; return their names and files (in the child)."""
    from scipy.io import loadmat

    found: list[list[str]] = []
    for top, value in loadmat(path).items():
        if not top.startswith("__"):
            for name, array in arrays(top, value):
                file = Path(folder) / f"{len(found)}.npy"
                np.save(file, np.asarray(array), allow_pickle=False)
                found.append([name, str(file)])
    return found


def _walk_v5(data: "mmap.mmap", order: str) -> Iterator[Variable]:
    at, end = 128, len(data)
    while at < end:
        if at + 8 > end:
            raise Damaged("the file is cut short")
        kind, size = struct.unpack(f"{order}II", data[at : at + 8])
        if kind not in (_MATRIX, _COMPRESSED) or at + 8 + size > end or not size:
            raise Damaged(
                f"at byte {at} expected a variable within the file, found type {kind} of {size} "
                "bytes"
            )
        stream: Stream = Plain(data, at + 8, at + 8 + size)
        if kind == _COMPRESSED:
            stream = Packed(data[at + 8 : at + 8 + size])
            kind, _ = struct.unpack(f"{order}II", stream.read(8))
            if kind != _MATRIX:
                raise Damaged(f"at byte {at} expected a packed variable, found type {kind}")
        name, leaves, nbytes = _Walk(stream, order).matrix("", 0)
        if name:  # else the workspace of functions
            yield Variable(name, tuple(leaves), nbytes)
        at += 8 + size


class _Walk:
    """A walk through one variable, in the order in which SciPy reads it."""

    def __init__(self, stream: Stream, order: str) -> None:
        self.stream, self.order, self.left = stream, order, _MOST_ELEMENTS

    def matrix(self, name: str, depth: int) -> tuple[str, list[Leaf], int]:
        """Walk what follows the tag of a matrix; return its name, leaves and bytes."""
        self.left -= 1
        if depth > _MOST_LEVELS or self.left < 0:
            raise NotPlain
        flags = struct.unpack(f"{self.order}IIII", self.stream.read(16))[2]
        kind, is_complex = flags & 255, bool(flags & 0x800)
        if kind not in range(_CELL, _NUMBERS.stop):
            raise NotPlain
        text = self._bytes(_INT32, "axes")
        shape = struct.unpack(f"{self.order}{len(text) // 4}i", text[: len(text) // 4 * 4])
        if not 1 <= len(shape) <= 32 or min(shape) < 0:
            raise Damaged(f"expected axes from 0 up, found {list(shape)[:32]}")
        own = self._bytes(_INT8, "a name").decode("latin1")
        name, count = name or own, prod(shape)
        if kind in (_CELL, _STRUCT, _OBJECT):
            leaves, nbytes = self._held(kind, name, count, depth)
            return own, leaves, nbytes
        if kind == _SPARSE:
            sizes = [self._numbers(None) for _ in range(4 if is_complex else 3)]
            return own, [], sum(sizes)
        if kind == _CHAR:
            return own, [], 4 * count + self._skip(*self._tag(_TEXT, "letters"))
        nbytes = self._numbers(count, last=depth == 0 and not is_complex)
        if is_complex:
            return own, [], nbytes + self._numbers(count, last=depth == 0)
        return own, [Leaf(name, shape, nbytes)], nbytes

    def _held(self, kind: int, name: str, count: int, depth: int) -> tuple[list[Leaf], int]:
        """Walk the matrices that a cell array, a struct or an object holds."""
        fields = [""]
        if kind == _OBJECT:
            self._bytes(_INT8, "the name of a class")
        if kind != _CELL:
            length = struct.unpack(f"{self.order}i", self._bytes(_INT32, "a length")[:4])[0]
            text = self._bytes(_INT8, "names of fields")
            if length < 1:
                raise Damaged(f"expected names of at least 1 letter, found {length}")
            fields = [
                text[start : start + length].split(b"\0")[0].decode("latin1")
                for start in range(0, len(text) // length * length, length)
            ]
        if count * len(fields) > self.left:
            raise NotPlain
        found: list[Leaf] = []
        nbytes = 0
        for _ in range(count):
            for field in fields:
                kind_of, size = struct.unpack(f"{self.order}II", self.stream.read(8))
                if kind_of != _MATRIX:
                    raise Damaged(f"{name}: expected an array in it, found type {kind_of}")
                if not size:
                    continue
                inner = f"{name}.{field}" if field else name
                _, leaves, more = self.matrix(inner, depth + 1)
                nbytes += more
                found += leaves if count == 1 and depth < DEEPEST else []
        return found, nbytes

    def _numbers(self, count: int | None, *, last: bool = False) -> int:
        """Walk numbers, as many as the axes ask for; return their bytes."""
        kind, size, inside = self._tag(_NUMERIC, "numbers")
        if count is not None and size // _NUMERIC[kind] != count:
            raise Damaged(
                f"expected {count} numbers as the axes ask for, found {size // _NUMERIC[kind]}"
            )
        if last:  # whether they are all there, reading them tells
            if isinstance(self.stream, Plain):
                self.stream.skip(0 if inside else size)
            return size
        return self._skip(kind, size, inside)

    def _tag(self, known: Any, what: str) -> tuple[int, int, bool]:
        """Return type and size of an element, and whether its data stand in the tag itself."""
        tag = self.stream.read(8)
        kind, size = struct.unpack(f"{self.order}II", tag)
        inside = bool(kind >> 16)
        if inside:
            kind, size = kind & 0xFFFF, kind >> 16
            self._inside = tag[4:]
        if kind not in known or (inside and size > 4):
            raise Damaged(f"expected {what}, found an element of type {kind}, {size} bytes")
        return kind, size, inside

    def _skip(self, kind: int, size: int, inside: bool) -> int:
        del kind
        if not inside:
            self.stream.skip(size)
            self.stream.pad(-size % 8)
        return size

    def _bytes(self, known: tuple[int, ...], what: str) -> bytes:
        _, size, inside = self._tag(known, what)
        if inside:
            return self._inside[:size]
        if size > LONGEST_TEXT:
            raise Damaged(f"expected {what}, found {size} bytes")
        found = self.stream.read(size)
        self.stream.pad(-size % 8)
        return found


def _walk_v4(data: "mmap.mmap") -> Iterator[Variable]:
    at, end = 0, len(data)
    while at < end:
        if at + 20 > end:
            raise Damaged("the file is cut short")
        order = "<" if struct.unpack("<i", data[at : at + 4])[0] in range(5000) else ">"
        code, rows, columns, imaginary, letters = struct.unpack(f"{order}5i", data[at : at + 20])
        machine, zero, kind, how = (code // 10**place % 10 for place in (3, 2, 1, 0))
        if machine > 1 or zero or kind >= len(_OF_V4) or how > 2 or imaginary not in (0, 1):
            raise Damaged(f"at byte {at} expected a variable of MATLAB v4, found code {code}")
        values = rows * columns
        size = values * _OF_V4[kind] * (1 + imaginary)
        stop = at + 20 + letters + size
        if min(rows, columns) < 0 or letters < 1 or stop > end:
            raise Damaged(f"at byte {at} a variable of {rows} × {columns} reaches beyond the end")
        if order != "<>"[machine]:
            raise NotPlain
        name = data[at + 20 : at + 20 + letters].split(b"\0")[0].decode("latin1")
        leaf = Leaf(name, (rows, columns), size)
        yield Variable(name, (leaf,) if how == 0 and not imaginary else (), size)
        at = stop
