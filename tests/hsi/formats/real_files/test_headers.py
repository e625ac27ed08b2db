"""ENVI headers: bytes between frames, whose header a file is, lists as programs write them."""

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.formats.registry import files
from hsi.scenes.scene import open_scene
from tests.hsi.formats.real_files.samples import CUBE, WL, WLINE, H, W, envi

FIRST = [100, 200, 300, 400, 500, 600]


# ---- H1: frames -------------------------------------------------------------------------------
@pytest.mark.parametrize("interleave", ["bip", "bil", "bsq"])
@pytest.mark.parametrize("major", [(0, 0), (64, 0), (3, 5)])
@pytest.mark.parametrize("minor", [(0, 0), (0, 4), (7, 1)])
def test_bytes_between_frames_are_skipped(tmp_path, interleave, major, minor):
    axes = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}[interleave]
    data = b"".join(
        b"\xff" * major[0]
        + b"".join(b"\xee" * minor[0] + part.tobytes() + b"\xdd" * minor[1] for part in frame)
        + b"\xcc" * major[1]
        for frame in CUBE.transpose(axes)
    )
    offsets = f"major frame offsets = {{{major[0]}, {major[1]}}}\n"
    offsets += f"minor frame offsets = {{{minor[0]}, {minor[1]}}}\n"
    scene = open_scene(envi(tmp_path, "a", WLINE + offsets, data, interleave=interleave))
    assert np.asarray(scene.cube[0, 0]).tolist() == FIRST
    assert np.array_equal(scene.cube, CUBE)


def test_frame_offsets_that_are_no_numbers_are_refused(tmp_path):
    header = envi(tmp_path, "a", "major frame offsets = {many, 0}\n")
    with pytest.raises(HsiError, match="frame offsets: "):
        open_scene(header)


# ---- H2, H10: which header belongs to which file ----------------------------------------------
@pytest.fixture
def twins(tmp_path):
    """Two ENVI pairs of which one is called as the other, and more."""
    envi(tmp_path, "x.int", WLINE, suffix="")
    other = CUBE[..., :3].astype("<f4") + 0.5
    envi(tmp_path, "x.int.mph", "", other.tobytes(), "", bands=3, **{"data type": 4})
    return tmp_path


@pytest.mark.parametrize(
    ("name", "bands"),
    [("x.int", 6), ("x.int.hdr", 6), ("x.int.mph", 3), ("x.int.mph.hdr", 3)],
)
def test_the_header_of_the_full_name_comes_first(twins, name, bands):
    assert open_scene(twins / name).cube.shape == (H, W, bands)
    assert [file.name for file in files(twins / name)] == (
        ["x.int.hdr", "x.int"] if bands == 6 else ["x.int.mph.hdr", "x.int.mph"]
    )


def test_a_header_of_another_file_is_not_used(twins):
    (twins / "x.int.mph.hdr").unlink()
    with pytest.raises(HsiError, match=r"x\.int\.mph: expected one of \.npy, .*, found '\.mph'"):
        files(twins / "x.int.mph")


def test_candidates_are_judged_by_size(tmp_path):
    header = envi(tmp_path, "s", WLINE, suffix=".raw")
    (tmp_path / "s.img").write_bytes(b"of another kind")
    (tmp_path / "s.txt").write_bytes(CUBE.tobytes())
    assert files(header) == [header, tmp_path / "s.raw"]
    (tmp_path / "s.raw.hdr").write_text("ENVI\nnot whole\n")
    assert files(tmp_path / "s.raw") == [header, tmp_path / "s.raw"]


@pytest.mark.parametrize(
    ("header", "data"), [("s.hdr", "s.pix"), ("U.HDR", "U.IMG"), ("u.Hdr", "u"), ("v.hdr", "V.DAT")]
)
def test_names_of_any_suffix_and_case_are_found(tmp_path, header, data):
    envi(tmp_path, "a", WLINE).rename(tmp_path / header)
    (tmp_path / "a.img").rename(tmp_path / data)
    for name in (header, data):
        assert np.array_equal(open_scene(tmp_path / name).cube, CUBE)


# ---- H9: lists ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("extra", "bad"),
    [
        ("wavelength = {450, 550, 650, 850, 1600, 2200,}\nwavelength units = nm\n", None),
        ("wavelength = {450 550 650 850 1600 2200}\n", None),
        ("wavelength = {450,\n 550, 650, 850,\n 1600, 2200\n}\n", None),
        ("wavelength = {450 nm, 550 nm, 650 nm, 850 nm, 1.6 um, 2.2 um}\n", None),
        (WLINE + "bbl = {True, True, False, True, True, True}\n", [2]),
        (WLINE + "bbl = {1.0, 1, 0.0, yes, good, 1,}\n", [2]),
        (WLINE + "bbl = {1 1 0 1 1 1}\n", [2]),
        (WLINE + "fwhm = {10, 10}\ndefault bands = {a}\n", None),
    ],
)
def test_lists_as_programs_write_them(tmp_path, extra, bad):
    scene = open_scene(envi(tmp_path, "a", extra))
    assert scene.wavelengths.tolist() == WL
    assert (None if bad is None else np.flatnonzero(scene.bad_bands).tolist()) == bad
