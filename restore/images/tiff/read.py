"""TIFF pages through tifffile, with alpha, further samples, masks, and stacks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.errors import why
from engine.memory import DEFLATE, UNBOUNDED, admit
from restore.errors import RestoreError
from restore.images import gaps, png_chunks
from restore.images import orientation as exif_block
from restore.images.picture import Picture, split
from restore.images.samples import inks_left
from restore.images.tiff import exif, segments
from restore.images.tiff.colours import GREY, peak, profile, samples_of
from restore.images.tiff.tags import IMAGEJ, IPTC, NO_DATA, SUB_FILES, WHITES, XMP, is_structure

if TYPE_CHECKING:
    import tifffile

_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_RAW = (32803, 34892)  # photometric: a colour filter array, and linear RAW


def read(file: BinaryIO) -> list[Picture]:
    """Read all pages of an open TIFF file; errors without its name.

    A stack that has one directory for all its planes (ImageJ beyond 4 GB, MetaMorph) gives a
    picture a plane.

    Raises
    ------
    RestoreError
        If a page is not grey, RGB, palette or CMYK, of another sample format, or packed by a method
        that is not read.
    Exception
        Of whatever type, if the file is damaged.
    """
    import tifffile

    with tifffile.TiffFile(file, name="") as content:
        return _pictures(content, file)


def _pictures(content: "tifffile.TiffFile", file: BinaryIO) -> list[Picture]:
    import tifffile

    pages = [page for page in content.pages if isinstance(page, tifffile.TiffPage)]
    # Reduced copies (thumbnails, pyramid levels) are made from the full page again.
    shown = [page for page in pages if not page.subfiletype & (_REDUCED | _MASK)]
    size = content.filehandle.size
    full = shown or [page for page in pages if not page.subfiletype & _MASK]
    if not full:
        raise ValueError("no page in it")
    ratio = max(_most_per_byte(page) for page in full)
    admit(sum(_bytes_of(page) for page in full), size, RestoreError, ratio)
    copies = any(page.subfiletype & _REDUCED for page in pages if page not in full)
    # The other files of an OME set are images of their own.
    stacks = {
        series.keyframe.index: series
        for series in (() if content.is_ome else content.series)
        if len(series.pages) == 1 and series.size > series.keyframe.size
    }
    found: list[Picture] = []
    for page in full:
        _check_below(page)
        left = ("reduced copies",) * (copies or SUB_FILES in page.tags)
        mask = _mask(pages, page)
        planes = _planes(stacks.get(page.index), page)
        found += [_picture(page, file, plane, mask, left) for plane in planes]
    return found


def _bytes_of(page: "tifffile.TiffPage") -> int:
    """Return the bytes of a page's samples; of a type that is unknown, of one byte each."""
    return int(page.size) * (page.dtype.itemsize if page.dtype is not None else 1)


def _most_per_byte(page: "tifffile.TiffPage") -> float:
    """Return how many bytes of samples a page's packing makes of a byte of its file, at most.

    A row of a fax (CCITT) takes a bit; LZW's longest code stands for some 3,800 bytes.
    """
    packing = int(page.compression)
    bits = page.bitspersample if isinstance(page.bitspersample, int) else 8
    spread = 8 / bits if 0 < bits < 8 else 1
    fax = page.imagewidth if packing in (2, 3, 4) else UNBOUNDED
    known = {1: 2, 5: 1400, 8: DEFLATE, 32946: DEFLATE, 32773: 64}  # 2: widened to 16 bits
    return spread * known.get(packing, fax)


def _check_below(page: "tifffile.TiffPage") -> None:
    """Refuse camera RAW, and pictures in directories below that are no reduced copies."""
    photometric = int(page.photometric)
    for frame in (page.pages or ()) if page.subifds else ():
        below = frame.keyframe
        if below is None:
            continue
        if int(below.photometric) in _RAW:
            photometric = int(below.photometric)
        elif below.size > page.size:
            raise RestoreError(
                "expected pictures in the file's main directories, found a larger one below them; "
                "save it with another program"
            )
    if photometric in _RAW:
        raise RestoreError(
            "expected a developed picture, found a camera RAW; give it its suffix (such as .dng or "
            ".nef), or develop it first"
        )


def _mask(pages: list["tifffile.TiffPage"], page: "tifffile.TiffPage") -> NDArray[np.bool_] | None:
    """Return the mask that follows a page before the next full one."""
    for other in pages[pages.index(page) + 1 :]:
        if not other.subfiletype & (_REDUCED | _MASK):
            return None
        if other.subfiletype & _MASK and not other.subfiletype & _REDUCED:
            values: NDArray[np.bool_] = np.asarray(_array(other), bool)
            if values.shape != page.shape[:2]:
                raise ValueError(f"a mask of {values.shape} beside a picture of {page.shape}")
            return values
    return None


def _planes(
    series: "tifffile.TiffPageSeries | None", page: "tifffile.TiffPage"
) -> Iterator[NDArray[Any]]:
    if series is None:
        yield _array(page)
        return
    size = page.parent.filehandle.size
    admit(int(series.nbytes), size, RestoreError, _most_per_byte(page))
    planes = series.asarray()
    yield from planes.reshape(-1, *page.shape)


def _array(page: "tifffile.TiffPage") -> NDArray[Any]:
    """Decode a page as it lies in the file; what is not read or not whole is named."""
    segments.check(page)
    try:
        return page.asarray()
    except (ValueError, NotImplementedError, ImportError) as error:
        text = why(error, whole=True)
        packing = getattr(page.compression, "name", str(page.compression))
        if "data type not supported" in text:
            raise RestoreError(
                f"expected samples of up to 16 bit or of float32, found {page.bitspersample}-bit "
                "ones of a type that is not read; convert them"
            ) from error
        if any(words in text for words in ("not supported", "imagecodecs", "not available")):
            raise RestoreError(
                f"a TIFF with {packing} compression is not read here ({text}); save it with "
                "deflate, LZW or none, or install imagecodecs with that codec"
            ) from error
        raise


def _picture(
    page: "tifffile.TiffPage",
    file: BinaryIO,
    stored: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    left: tuple[str, ...],
) -> Picture:
    import tifffile

    tags = {tag.code: tag for tag in page.tags.values()}
    value = int(tags[274].value) if 274 in tags else 1
    value = value if 2 <= value <= 8 else 1
    samples, white = samples_of(page, file, stored)
    colours = 3 if samples.ndim == 3 and page.photometric not in GREY else 1
    pixels, alpha, further, layout = split(samples, colours, tuple(map(int, page.extrasamples)))
    white, no_data = _levels(page, tags, samples, white)
    inverted = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    kept = tuple(
        (code, int(tag.dtype), tag.count, _kept(code, tag.value))
        for code, tag in tags.items()
        if not is_structure(code) and not (code == NO_DATA and inverted)
    )
    if NO_DATA in tags and inverted and no_data is not None:
        text = f"{no_data:g}".encode()
        kept = (*kept, (NO_DATA, 2, len(text) + 1, text))
    dpi = None
    if 282 in tags and 283 in tags:
        factor = {2: 1.0, 3: 2.54}.get(int(tags[296].value) if 296 in tags else 2)
        (a, b), (c, d) = tags[282].value, tags[283].value
        if factor and a and b and c and d:
            dpi = (a / b * factor, c / d * factor)
            dpi = (dpi[1], dpi[0]) if value >= 5 else dpi
    icc = profile(page)
    if page.photometric == tifffile.PHOTOMETRIC.SEPARATED:
        left = (*left, inks_left(icc))
        icc = None  # it describes inks, and the pixels are RGB now
    turn = exif_block.turn if value != 1 else lambda array, _: array
    return Picture(
        turn(pixels, value),
        None if alpha is None else turn(alpha, value),
        tuple(turn(plane, value) for plane in further),
        layout,
        None if mask is None else turn(mask, value),
        white,
        no_data,
        "TIFF",
        getattr(page.photometric, "name", str(page.photometric)),
        icc,
        exif.of_page(file, page.index),
        dpi,
        kept,
        xmp=_bytes(next((tag[3] for tag in kept if tag[0] == XMP), None)),
        iptc=_bytes(tags[IPTC].value) if IPTC in tags else None,
        left=left,
    )


def _bytes(value: Any) -> bytes | None:
    """Return a tag's value as bytes; IPTC is often written as numbers of 32 bits."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    try:
        return np.asarray(value, "<u4").tobytes().rstrip(b"\0")
    except (OverflowError, TypeError, ValueError):
        return None


def _levels(
    page: "tifffile.TiffPage", tags: dict[int, Any], samples: NDArray[Any], white: float | None
) -> tuple[float | None, float | None]:
    """Return white and 'no data' as the tags state them, on the scale of the samples."""
    import tifffile

    whole = samples.dtype.kind == "u"
    for code in (code for code in WHITES if code in tags and whole):
        values = np.atleast_1d(np.asarray(tags[code].value, float))
        stated = float(values.max())
        # A statistic of other pixels, or of those before they were changed, is no white.
        if 0 < stated < np.iinfo(samples.dtype).max and stated >= float(samples.max(initial=0)):
            white = stated
    no_data = gaps.stated(tags[NO_DATA].value) if NO_DATA in tags else None
    if no_data is not None and whole:
        if page.bitspersample < 8:
            no_data = round(no_data * 255 / (2**page.bitspersample - 1))
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            no_data = float(peak(page, samples)) - no_data
    return white, no_data


def _kept(code: int, value: Any) -> Any:
    """Return a tag as it is written: text in UTF-8, as most programs do, XMP of upright pixels."""
    if code == IMAGEJ:
        return value
    if code == XMP:
        text = value.encode() if isinstance(value, str) else bytes(value)
        return png_chunks.upright(((b"XMP", text),))[0][1]
    return value.encode() if isinstance(value, str) else value
