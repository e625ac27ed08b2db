"""Which ENVI header belongs to which data file: by their names, judged by their sizes.

The header of DATA is DATA.hdr (its full name) or DATA with the suffix .hdr in place of its own; the
suffix may be in capitals. A header whose own data lie beside it belongs to no other file. Of
several files the one counts whose size is what the header states.
"""

import logging
from pathlib import Path

from hsi.errors import HsiError
from hsi.formats.envi.header import DATA_TYPES, Header, entries, read_header

log = logging.getLogger(__name__)

# Suffixes of data in the order they are tried; a file without one is usual, others follow.
DATA_SUFFIXES = ("", ".img", ".dat", ".raw", ".bil", ".bip", ".bsq", ".bin", ".cube", ".rfl")
TIFF_SUFFIXES = (".tif", ".tiff")
# Files beside a header that are never its data.
NO_DATA = (
    ".hdr", ".xml", ".txt", ".csv", ".json", ".png", ".jpg", ".jpeg", ".pdf", ".enp", ".sta",
    ".ovr", ".msk", ".npy", ".npz", ".mat", ".h5", ".nc", ".safetensors", ".lock", ".kml", ".log",
    *TIFF_SUFFIXES,
)  # fmt: skip


def headers_of(data: Path) -> list[Path]:
    """Return the headers that may belong to a data file, that of its full name first."""
    wanted = [f"{data.name}.hdr".lower()]
    if data.suffix and data.with_suffix(".hdr").name.lower() not in wanted:
        wanted.append(data.with_suffix(".hdr").name.lower())
    found: list[Path] = []
    for name in wanted:
        here = [file for file in _folder(data) if file.name.lower() == name and file != data]
        # Where case alone tells files apart, the same case counts first.
        found += sorted(here, key=lambda file: file.stem not in (data.name, data.stem))
    own, others = found[:1], found[1:]
    if own and own[0].name.lower() != wanted[0]:
        own, others = [], found
    return own + [file for file in others if not _is_taken(file, data)]


def header_of(data: Path) -> tuple[Path, Header]:
    """Return the header of a data file.

    Raises
    ------
    HsiError
        There is none, or none can be read.
    """
    candidates = headers_of(data)
    if not candidates:
        raise HsiError(
            f"{data}: expected an ENVI header beside it, {data.name}.hdr or "
            f"{data.with_suffix('.hdr').name}; found none"
        )
    found: list[tuple[Path, Header]] = []
    errors: list[HsiError] = []
    for file in candidates:
        try:
            found.append((file, read_header(file)))
        except HsiError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    size = data.stat().st_size
    exact = [pair for pair in found if stated_size(pair[1]) == size]
    return (exact or found)[0]


def data_of(path: Path, header: Header) -> Path:
    """Return the data file of a header.

    Raises
    ------
    HsiError
        There is none.
    """
    candidates = _candidates(path, header)
    size = stated_size(header)
    exact = [file for file in candidates if file.stat().st_size == size]
    usual = [file for file in candidates if file == path.with_suffix("") or _is_usual(file)]
    if len(exact) > 1:
        log.warning(
            "%s: %s is taken for its data; %s has the same size",
            path, exact[0].name, " and ".join(file.name for file in exact[1:]),
        )  # fmt: skip
    if exact or usual:
        return (exact or usual)[0]
    stem = path.with_suffix("").name
    names = ", ".join(f"{stem}{suffix}" for suffix in DATA_SUFFIXES)
    others = f"; {candidates[0].name} is of another size" if candidates else ""
    raise HsiError(f"{path}: expected its data beside it, one of {names}; found none{others}")


def tiff_of(path: Path) -> Path | None:
    """Return the TIFF that a header describes, or None if it is not one of a TIFF."""
    for file in _folder(path):
        if file.suffix.lower() in TIFF_SUFFIXES and path in headers_of(file):
            header = _readable(path)
            if header is not None and _is_of_tiff(header, path):
                return file
    return None


def headers_of_tiff(path: Path) -> list[tuple[Path, Header]]:
    """Return the ENVI headers of a TIFF: those beside it that have no data of their own."""
    found = ((file, _readable(file)) for file in headers_of(path))
    return [(file, header) for file, header in found if header and _is_of_tiff(header, file)]


def beside_tiff(path: Path, size: tuple[int, ...]) -> tuple[Path, Header] | None:
    """Return the ENVI header of a TIFF of (lines, samples, bands), or None."""
    for file, header in headers_of_tiff(path):
        stated = tuple(header.get(key, "").strip() for key in ("lines", "samples", "bands"))
        if stated == tuple(map(str, size)):
            return file, header
        log.warning(
            "%s: %s beside it states %s lines, samples and bands, found %s; it is not used",
            path, file.name, " × ".join(stated), " × ".join(map(str, size)),
        )  # fmt: skip
    return None


def stated_size(header: Header) -> int | None:
    """Return how many bytes a header says that its data have, or None if it does not say."""
    try:
        lines, samples, bands = (int(header[key]) for key in ("lines", "samples", "bands"))
        itemsize = int(DATA_TYPES[int(header["data type"])][1:])
        offset = int(header.get("header offset", 0))
        major, minor = (sum(frame_offsets(header, kind)) for kind in ("major", "minor"))
        axes = frames(header, lines, samples, bands)
    except (KeyError, ValueError):
        return None
    return offset + axes[0] * (major + axes[1] * (minor + axes[2] * itemsize))


def frames(header: Header, lines: int, samples: int, bands: int) -> tuple[int, int, int]:
    """Return the axes as they are stored: major frames, minor frames, values of a minor frame."""
    order = {"bsq": (bands, lines, samples), "bil": (lines, bands, samples)}
    return order.get(header["interleave"].strip().lower(), (lines, samples, bands))


def frame_offsets(header: Header, kind: str) -> tuple[int, int]:
    """Return the bytes before and after each 'major' or 'minor' frame.

    Raises
    ------
    ValueError
        No whole numbers from 0 up.
    """
    text = header.get(f"{kind} frame offsets", "")
    parts = [int(part) for part in (entries(text) if "," in text else text.split())] or [0, 0]
    before, after = (*parts, 0)[:2]
    if min(before, after) < 0 or len(parts) > 2:
        raise ValueError(f"expected two numbers from 0 up, found {text}")
    return before, after


def _candidates(path: Path, header: Header) -> list[Path]:
    """Return the files that a header's names allows as its data, the likeliest first."""
    stem = path.with_suffix("").name
    tiff = "tiff" in header.get("file type", "").lower()
    found = []
    for file in _folder(path):
        name = file.name.lower()
        if file == path or not (name == stem.lower() or name.startswith(f"{stem.lower()}.")):
            continue
        suffix = name[len(stem) :]
        if suffix and suffix.endswith(NO_DATA) and not (tiff and suffix in TIFF_SUFFIXES):
            continue
        if suffix.count(".") > 1 or _has_another_header(file, path):
            continue
        usual = DATA_SUFFIXES.index(suffix) if suffix in DATA_SUFFIXES else len(DATA_SUFFIXES)
        found.append((usual, not file.name.startswith(stem), file.name, file))
    return [item[-1] for item in sorted(found)]


def _has_another_header(file: Path, header: Path) -> bool:
    own = f"{file.name}.hdr".lower()
    return any(other.name.lower() == own and other != header for other in _folder(file))


def _is_taken(header: Path, data: Path) -> bool:
    """Return whether a header is the full name of another file's."""
    own = header.stem.lower()
    return any(file.name.lower() == own and file != data for file in _folder(data))


def _is_usual(file: Path) -> bool:
    return file.suffix.lower() in DATA_SUFFIXES


def _is_of_tiff(header: Header, path: Path) -> bool:
    """Return whether a header says so, or has no data of ENVI's own."""
    if "tiff" in header.get("file type", "").lower():
        return True
    size = stated_size(header)
    return not any(
        _is_usual(file) or file.stat().st_size == size for file in _candidates(path, header)
    )


def _readable(path: Path) -> Header | None:
    try:
        return read_header(path)
    except (HsiError, OSError):  # headers of other programs have the same suffix
        return None


def _folder(path: Path) -> list[Path]:
    """Return the files beside a path whose names begin as its own does, in order."""
    begin = path.name.partition(".")[0].lower()
    try:
        here = sorted(file for file in path.parent.iterdir() if file.name.lower().startswith(begin))
    except OSError:
        return [path]
    return [file for file in here if file.is_file()]
