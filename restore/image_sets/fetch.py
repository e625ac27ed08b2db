"""Download a published set once: file by file, checked, resumable, and never half there."""

import csv
import functools
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

import platformdirs

from engine import artifacts
from engine.errors import why
from engine.lock import locked
from engine.progress import progress
from restore.errors import RestoreError
from restore.images import files

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

_TRIES = 3
_PIECE = 2**14  # bytes
_TIMEOUT = 60  # seconds without a byte


@dataclass(frozen=True)
class Checksum:
    """One file of a set.

    Attributes
    ----------
    file : str
        Name at its origin.
    size : int
        Bytes, of the file or of the decoded pixels.
    of : {'file', 'pixels'}
        What the sum is of: some origins serve BMP, of which the decoded pixels are known.
    sha256 : str
    """

    file: str
    size: int
    of: Literal["file", "pixels"]
    sha256: str


@functools.cache
def checksums(name: str) -> tuple[Checksum, ...]:
    """List the files of a published set; empty for a set that is not to be fetched."""
    # The colour test images are files of the validation set, which is fetched whole.
    name = "BSDS500-val" if name == "CBSD68" else name
    text = resources.files("restore.image_sets").joinpath("sets.csv").read_text(encoding="utf-8")
    return tuple(
        Checksum(row["file"], int(row["bytes"]), _of(row["of"]), row["sha256"])
        for row in csv.DictReader(text.splitlines())
        if row["set"] == name
    )


def _of(text: str) -> Literal["file", "pixels"]:
    return "file" if text == "file" else "pixels"


def downloads() -> Path:
    """Return the folder that keeps downloads: the user's cache, e.g. ~/.cache/restore-hsi."""
    return platformdirs.user_cache_path("restore-hsi")


def download(name: str, *, root: Path | None = None, origin: str | None = None) -> Path:
    """Fetch a published set and give its folder.

    Files go into a folder ``.part-NAME`` that is renamed when all of them are there and right; what
    it holds after a break is checked and not fetched again. Of several processes that want a set,
    one fetches it and the others wait.

    Parameters
    ----------
    name : str
        One of `restore.image_sets.catalogue.PUBLISHED`.
    root : Path, optional
        Folder to keep it under; `downloads()` by default.
    origin : str, optional
        URL to fetch from in place of the set's own, for mirrors.

    Returns
    -------
    Path

    Raises
    ------
    RestoreError
        If the set can only be copied by hand, a file cannot be fetched or has a wrong checksum, or
        the disk is full.
    """
    from restore.image_sets.catalogue import PUBLISHED, VARIABLE

    known = PUBLISHED[name]
    remedy = f"get it by hand and set {VARIABLE} to the folder that holds {known.folder}"
    entries = checksums(name)
    if not known.origin or not entries:
        raise RestoreError(f"image set {name} has no checked download: {remedy}")
    base = (origin or known.origin).rstrip("/")
    folder = (root or downloads()) / known.folder
    lock = folder.parent / f".{folder.name}.lock"
    waiting = functools.partial(log.info, "%s: another process fetches it; waiting", folder)
    try:
        with locked(lock, waiting):
            try:
                if not folder.is_dir():
                    log.info("fetching %s from %s into %s (%s)", name, base, folder, known.terms)
                    part = folder.parent / f".part-{folder.name}"
                    _fetch_all(base, part, entries, f"fetching {name}")
                    part.replace(folder)
            finally:
                lock.unlink(missing_ok=True)
    except OSError as error:
        raise RestoreError(
            f"image set {name}: {why(error, whole=True)}; run again, or {remedy}"
        ) from error
    return folder


def _fetch_all(base: str, folder: Path, entries: Sequence[Checksum], label: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with progress(len(entries), label, "files") as bar:
        for entry in entries:
            if not _right(folder / entry.file, entry):
                _fetch(f"{base}/{entry.file}", folder, entry)
            bar.advance()
    wanted = {entry.file for entry in entries}
    for stray in folder.iterdir():  # temporary files of a killed run
        if stray.name not in wanted:
            stray.unlink()


def _fetch(url: str, folder: Path, entry: Checksum) -> None:
    """Fetch one file; it gets its name only after its checksum was found right."""
    import requests

    for tried in range(1, _TRIES + 1):
        try:
            with artifacts.atomic(folder / entry.file) as part:
                _write(url, part, entry)
                if not _right(part, entry):
                    raise RestoreError(
                        f"{url}: expected sha256 {entry.sha256[:16]}... of the {entry.of}, found "
                        "another; the download was cut or changed: run again later"
                    )
            return
        except _Another:  # asking again brings the same
            raise
        except requests.HTTPError as error:
            raise RestoreError(f"{url}: {why(error, whole=True)}") from error
        except (requests.RequestException, RestoreError) as error:
            if tried == _TRIES:
                raise RestoreError(
                    str(error)
                    if isinstance(error, RestoreError)
                    else f"{url}: {why(error, whole=True)}"
                ) from error
            log.warning("%s; trying again", why(error, whole=True))
            time.sleep(0.2 * tried)


def _write(url: str, path: Path, entry: Checksum) -> None:
    """Write what the address serves, and no more than this file may have."""
    import requests

    # The size of pixels is less than that of the file around them, but not by half.
    most = entry.size if entry.of == "file" else 2 * entry.size + 2**16
    found = 0
    with (
        requests.Session() as session,
        session.get(
            url, timeout=_TIMEOUT, stream=True, hooks={"response": _refuse_plain_redirects}
        ) as response,
        path.open("wb") as file,
    ):
        response.raise_for_status()
        for piece in response.iter_content(_PIECE):
            found += len(piece)
            if found > most:
                raise _Another(
                    f"{url}: expected at most {most} bytes, found more; the file at its origin is "
                    "another one"
                )
            file.write(piece)


class _Another(RestoreError):
    """What the origin serves is another file, or lies at another place."""


def _refuse_plain_redirects(response: "requests.Response", *_: object, **__: object) -> None:
    """Refuse to go on from an encrypted address to one that is not."""
    target = urljoin(response.url, response.headers.get("location", ""))
    if (
        response.is_redirect
        and response.url.startswith("https:")
        and not target.startswith("https:")
    ):
        response.close()
        raise _Another(f"{response.url}: expected an https address, found a redirect to {target}")


def _right(path: Path, entry: Checksum) -> bool:
    if not path.is_file():
        return False
    if entry.of == "file":
        return artifacts.sha256_file(path) == entry.sha256
    try:
        return artifacts.sha256_arrays(files.read(path).pixels) == entry.sha256
    except RestoreError:
        return False
