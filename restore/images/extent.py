"""How much an image file holds, told by its headers alone: pages, planes, and their sizes.

It does not ask the readers, and so can tell when one of them left something out.
"""

from collections import Counter
from pathlib import Path

from restore.errors import RestoreError
from restore.images.heads import open_image

# Samples of a picture of Pillow's modes, once palettes and inks are resolved.
_SAMPLES = {"1": 1, "L": 1, "I;16": 1, "I": 1, "F": 1, "P": 3, "PA": 4, "LA": 2, "CMYK": 3}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_SEPARATED, _PALETTE = 5, 3  # photometric

Extent = Counter[tuple[int, int]]


def of(path: Path) -> Extent | None:
    """Count the planes of a file by their size, the shorter side first.

    Returns
    -------
    Counter or None
        Planes of each size: a colour picture has three, alpha and further samples one each. Reduced
        copies and masks do not count, nor do the further pictures of an MPO. None where the headers
        of the format are not read here.
    """
    with path.open("rb") as file:
        if file.read(4) in _TIFF:
            file.seek(0)
            return _tiff(path)
        file.seek(0)
        try:
            with open_image(file) as image:
                samples = _SAMPLES.get(image.mode, len(image.getbands()))
                frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
                return Counter({_size(image.height, image.width): samples * frames})
        except Exception:  # a format of another library
            return None


def check(source: Path, written: Path) -> None:
    """Refuse an output that holds fewer planes than its input.

    Raises
    ------
    RestoreError
        A page, plane or band went missing.
    """
    before, after = of(source), of(written)
    if before is None or after is None:
        return
    if missing := before - after:
        (short, long), count = next(iter(missing.items()))
        raise RestoreError(
            f"expected all {before.total()} planes of the input in the output, found {count} of "
            f"{long}x{short} pixels missing; nothing is written"
        )


def _size(height: int, width: int) -> tuple[int, int]:
    return min(height, width), max(height, width)


def _tiff(path: Path) -> Extent:
    import tifffile

    found: Extent = Counter()
    with tifffile.TiffFile(path) as content:
        pages = [page for page in content.pages if isinstance(page, tifffile.TiffPage)]
        shown = [page for page in pages if not page.subfiletype & (_REDUCED | _MASK)]
        stacks = {}
        if not content.is_ome:
            stacks = {
                series.keyframe.index: series for series in content.series if len(series.pages) == 1
            }
        for page in shown or pages[:1]:
            samples = 3 if int(page.photometric) in (_SEPARATED, _PALETTE) else page.samplesperpixel
            stack = stacks.get(page.index)
            depth = stack.size // page.size if stack is not None and page.size else 1
            found[_size(page.imagelength, page.imagewidth)] += samples * max(depth, 1)
    return found
