"""Write files completely or not at all, and say what is in them: checksums and versions."""

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import FULL, UserError, parsing
from engine.memory import admit

_swept: set[Path] = set()  # folders


@contextmanager
def atomic(path: Path | str, *, folder: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path, which replaces `path` if the block ends without an error.

    The temporary file has the same suffix. After an error or a kill, `path` is as it was before.

    Parameters
    ----------
    path : Path
        The file to write; missing folders are created.
    folder : Path, optional
        Folder of the temporary file, on the same file system; by default that of `path`.

    Yields
    ------
    Path
        The file to write to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = folder or path.parent
    handle, name = tempfile.mkstemp(prefix=part_prefix(folder), suffix=path.suffix, dir=folder)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("r+b") as written:  # Windows syncs no file that is open to read alone
            os.fsync(written.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise _named(error, path) from error
    finally:
        part.unlink(missing_ok=True)


def _named(error: OSError, path: Path) -> OSError:
    """Return an error with the file's name, which the system leaves out where a disk is full."""
    if error.filename is None and error.errno in FULL:
        return type(error)(error.errno, error.strerror, str(path))
    return error


@contextmanager
def atomic_folder(path: Path | str, *, folder: Path | None = None) -> Iterator[Path]:
    """Yield a new empty folder, which becomes `path` if the block ends without an error.

    Until then it is a hidden folder, which is removed after an error.

    Parameters
    ----------
    path : Path
        The folder to make; it must not be there when the block ends. Missing folders above it are
        created.
    folder : Path, optional
        Where the folder lies at first, on the same file system; by default beside `path`.

    Yields
    ------
    Path
        The folder to write to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = folder or path.parent
    part = Path(tempfile.mkdtemp(prefix=part_prefix(folder), dir=folder))
    try:
        yield part
        for file in part.rglob("*"):
            if file.is_file():
                with file.open("r+b") as written:
                    os.fsync(written.fileno())
        part.chmod(0o777 & ~_umask())
        part.rename(path)
    except OSError as error:
        raise _named(error, path) from error
    finally:
        remove_folder(part)


def names_folder(path: Path | str) -> bool:
    """Return whether an output is a folder: it is one, ends with a slash, or has no suffix.

    Examples
    --------
    >>> names_folder("clean/"), names_folder("clean.tif/"), names_folder("clean.tif")
    (True, True, False)
    """
    separators = tuple(filter(None, (os.sep, os.altsep)))
    slash = isinstance(path, str) and path.endswith(separators)
    return slash or Path(path).is_dir() or not Path(path).suffix


def remove_folder(path: Path) -> None:
    """Remove a folder and all in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)


def part_prefix(folder: Path) -> str:
    """Return how the names of this process's temporary files in a folder begin.

    The first time, what killed processes of this machine left in the folder is removed.
    """
    machine = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
    if folder not in _swept:
        _swept.add(folder)
        for part in folder.glob(f".part-{machine}-*"):
            process = part.name.split("-")[2]
            if process.isdecimal() and not _is_alive(int(process)):
                if part.is_dir() and not part.is_symlink():
                    shutil.rmtree(part, ignore_errors=True)
                else:
                    part.unlink(missing_ok=True)
    return f".part-{machine}-{os.getpid()}-"


def _is_alive(process: int) -> bool:
    import psutil

    try:
        return bool(psutil.pid_exists(process))  # on Windows, os.kill would end it
    except OverflowError:  # no number of a process
        return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write `data` to `path`, completely or not at all."""
    with atomic(path) as part:
        part.write_bytes(data)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8 to `path`, completely or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path | str, value: object) -> None:
    """Write `value` as indented JSON to `path`, completely or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sha256_file(path: Path | str) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_arrays(*arrays: npt.NDArray[Any], dtype: str | None = None) -> str:
    """Return one SHA-256 of the shapes, types and values of `arrays`, in their order.

    Parameters
    ----------
    *arrays : ndarray
        Read by parts of some MiB.
    dtype : str, optional
        A type that the values are converted to, so that the hash does not depend on their own.
    """
    digest = hashlib.sha256()
    for array in arrays:
        kind = array.dtype if dtype is None else np.dtype(dtype)
        digest.update(f"{array.shape}{kind.str}".encode())
        parts = [array] if array.ndim == 0 else _parts(array)
        for part in parts:
            digest.update(np.ascontiguousarray(part, kind).tobytes())
    return digest.hexdigest()


def _parts(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Yield an array by parts of its first axis of some MiB, or one step where that is larger."""
    step = max(1, 2**21 // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, array.shape[0], step):
        yield array[start : start + step]


def versions() -> dict[str, str]:
    """Return the versions of the software that a result depends on."""
    found = {"python": platform.python_version()}
    for name in ("restore-hsi", "torch", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def read_npz(
    path: Path, keys: tuple[str, ...], made_by: str, error: type[UserError] = UserError
) -> dict[str, npt.NDArray[Any]]:
    """Return the named arrays of a .npz file, read without pickles.

    Parameters
    ----------
    path : Path
    keys : tuple of str
        Names of the arrays; others in the file are not read.
    made_by : str
        The command that writes such files, for messages.
    error : type of UserError
        The exception to raise.

    Raises
    ------
    UserError
        Of type `error`: the file is missing, or does not hold these arrays.
    """
    from zipfile import ZipFile, is_zipfile

    if not path.is_file():
        raise error(f"{path}: no such file; make it with {made_by}")
    if not is_zipfile(path):
        raise error(f"{path}: expected a file of {made_by}, found something else than .npz")
    with parsing(path, f"expected a file of {made_by}", error):
        with ZipFile(path) as archive:
            wanted = {f"{key}.npy" for key in keys}
            unpacked = sum(i.file_size for i in archive.infolist() if i.filename in wanted)
        admit(unpacked, path.stat().st_size, error)
        with np.load(path, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in keys}
