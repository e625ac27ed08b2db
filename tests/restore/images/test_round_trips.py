"""What a format can hold comes back from it: depth, channels, alpha, further samples, metadata."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from restore.images import files, metadata
from restore.images.heads import FORMATS
from restore.images.picture import Picture
from tests.restore.samples import ICC, exif

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import strategies as st  # noqa: E402

DEPTHS = {
    "PNG": ["uint8", "uint16"], "TIFF": ["uint8", "uint16", "float32"], "PPM": ["uint8", "uint16"]
}  # fmt: skip
ALPHA = ("PNG", "TIFF", "WEBP", "TGA")
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>\xc3\xa9</x:xmpmeta>"
IPTC = b"\x1c\x02\x19\0\x08keywordA"


@st.composite
def pictures(draw):
    """Draw a suffix, and a picture that its format can hold."""
    suffix = draw(st.sampled_from(sorted(FORMATS)))
    kind = FORMATS[suffix]
    dtype = np.dtype(draw(st.sampled_from(DEPTHS.get(kind, ["uint8"]))))
    # WebP knows colour alone.
    channels = draw(st.sampled_from([3] if kind == "WEBP" else [1, 3]))
    height, width = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    white = draw(st.sampled_from([None, 4095.0])) if dtype == np.uint16 else None
    if kind not in ("TIFF", "PPM"):
        white = None

    def plane(*more):
        if dtype == np.float32:
            return rng.normal(0.5, 1, (height, width, *more)).astype(np.float32)
        peak = int(white or np.iinfo(dtype).max)
        return rng.integers(0, peak, (height, width, *more), dtype, endpoint=True)

    alpha = plane() if kind in ALPHA and draw(st.booleans()) else None
    further = tuple(plane() for _ in range(draw(st.integers(0, 2)) if kind == "TIFF" else 0))
    layout = draw(st.permutations([2] * (alpha is not None) + [0] * len(further)))
    mask = rng.random((height, width)) > 0.5 if kind == "TIFF" and draw(st.booleans()) else None
    colour = ((b"gAMA", b"\0\0\xb1\x8f"), (b"cICP", b"\x09\x10\0\1"))
    return suffix, Picture(
        plane() if channels == 1 else plane(3), alpha, further, tuple(layout), mask, white,
        icc=draw(st.sampled_from([None, ICC])),
        exif=draw(st.sampled_from([None, exif(1, "<")])),
        dpi=draw(st.sampled_from([None, (300.0, 150.0)])),
        texts=draw(st.sampled_from([(), ((b"tEXt", b"Title\0of it"),)])),
        colour=draw(st.sampled_from([(), colour])),
        xmp=draw(st.sampled_from([None, XMP])),
        iptc=draw(st.sampled_from([None, IPTC])),
        comment=draw(st.sampled_from([None, b"scan 12", "Zoë".encode()])),
    )  # fmt: skip


@hypothesis.settings(max_examples=250, deadline=None, derandomize=True)
@hypothesis.given(pictures())
def test_all_that_a_format_holds_comes_back(drawn):
    suffix, before = drawn
    kind = FORMATS[suffix]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        files.write(path, before)
        after = files.read(path)
    assert after.pixels.dtype == before.pixels.dtype
    assert after.pixels.shape == before.pixels.shape
    if kind != "JPEG":
        assert np.array_equal(after.pixels, before.pixels)
    assert (after.alpha is None) == (before.alpha is None)
    if before.alpha is not None:
        assert np.array_equal(after.alpha, before.alpha)
    assert len(after.further) == len(before.further)
    assert all(map(np.array_equal, after.further, before.further))
    assert after.layout == before.layout
    assert (after.mask is None) == (before.mask is None)
    if before.mask is not None:
        assert np.array_equal(after.mask, before.mask)
    assert after.white == before.white
    gone = metadata.lost(before, kind)
    for what, name in [
        ("colour profile", "icc"), ("XMP", "xmp"), ("IPTC", "iptc"), ("comment", "comment")
    ]:  # fmt: skip
        value, found = getattr(before, name), getattr(after, name)
        if kind in metadata.PLACES[what]:
            assert found == value or (what == "comment" and kind == "TIFF"), what
        else:
            assert found is None
            assert (what in gone) == (value is not None)
    if kind in metadata.PLACES["resolution"] and before.dpi:
        assert after.dpi == pytest.approx(before.dpi, abs=0.02)
    if kind in ("PNG", "JPEG", "WEBP"):
        assert after.exif == before.exif
    elif kind == "TIFF":
        assert (after.exif is None) <= (before.exif is None)
    if kind == "PNG":
        assert after.colour == before.colour
        assert set(before.texts) <= set(after.texts)
    else:
        assert ("texts Title" in gone) == bool(before.texts)
        assert ("colour chunks gAMA, cICP" in gone) == bool(before.colour)


def test_every_place_names_a_format_that_is_written():
    for places in metadata.PLACES.values():
        assert places.keys() <= set(FORMATS.values())


def test_significant_bits_count_alpha(tmp_path):
    pixels = np.zeros((2, 3, 3), np.uint8)
    chunks = ((b"sBIT", b"\5\6\5"),)
    files.write(tmp_path / "a.png", Picture(pixels, colour=chunks))
    assert files.read(tmp_path / "a.png").colour == chunks
    files.write(tmp_path / "b.png", Picture(pixels, pixels[..., 0], colour=chunks))
    assert files.read(tmp_path / "b.png").colour == ((b"sBIT", b"\5\6\5\x08"),)
    files.write(tmp_path / "c.png", Picture(pixels[..., 0], colour=chunks))  # does not fit
    assert files.read(tmp_path / "c.png").colour == ()
