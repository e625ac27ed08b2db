"""Files of strangers: bombs, crashes, links and sizes are one line, before anything is read."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from engine import memory
from hsi.errors import HsiError
from hsi.formats.registry import read
from hsi.scenes.scene import Scene, write_scene

LABELS = np.arange(20, dtype=np.uint8).reshape(4, 5)


def refused(path: Path | str, match: str, kind: str = "labels") -> None:
    with pytest.raises(HsiError, match=match) as told:
        read(path, kind)
    assert str(told.value).startswith(str(path).rpartition(".")[0])
    assert "\n" not in str(told.value)


def test_one_byte_in_a_matlab_file_does_not_end_the_process(tmp_path: Path) -> None:
    file = io.BytesIO()
    savemat(file, {"gt": np.ones((4, 4), "u1")})
    data = bytearray(file.getvalue())
    data[176] = 8  # SciPy 1.17 reads beyond its table of types
    (tmp_path / "x.mat").write_bytes(data)
    refused(tmp_path / "x.mat", "expected a whole MATLAB file")


def test_a_matlab_file_that_is_not_plain_is_read_in_a_child(tmp_path: Path, monkeypatch) -> None:
    savemat(tmp_path / "x.mat", {"gt": LABELS, "s": {"more": np.zeros((2, 3, 4))}})
    monkeypatch.setattr("engine.untrusted.matlab.walk", lambda _: None)
    assert np.array_equal(read(tmp_path / "x.mat", "labels").array, LABELS)
    assert read(tmp_path / "x.mat", "cube").array.shape == (2, 3, 4)


def test_a_damaged_hdf5_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["gt"] = LABELS
    data = bytearray(path.read_bytes())
    data[data.index(b"HEAP") : data.index(b"HEAP") + 4] = b"HEAQ"
    path.write_bytes(data)
    refused(path, "expected a whole HDF5")


@pytest.mark.parametrize("suffix", ["h5", "mat"])
def test_values_that_nobody_wrote_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with h5py.File(path, "w") as file:
        file.create_dataset("gt", (60_000, 60_000), "u1", chunks=(64, 64), compression="gzip")
        file.create_dataset("cube", (9000, 9000, 9), "f4", chunks=(64, 64, 9))
    refused(f"{path}:gt", "found a header that states 3.4 GiB")
    refused(f"{path}:cube", "found a header that states 2.7 GiB", "cube")


def test_only_the_chosen_variable_of_a_matlab_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (30_000, 30_000, 3), "u1", chunks=(64, 64, 3))
        file["gt"] = LABELS
    assert read(f"{path}:gt", "labels").array.shape == (5, 4)


def test_bombs_in_archives_are_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (20_000, 20_000)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gt.npy", header.getvalue() + bytes(1000))
    refused(tmp_path / "a.npz", "expected at most 1032 times .* found a header that states 381 MiB")


def test_an_archive_of_much_the_same_is_read(tmp_path: Path) -> None:
    array = np.zeros((3000, 3000), np.uint8)
    array[:4, :5] = LABELS
    np.savez_compressed(tmp_path / "a.npz", gt=array)  # 9 MB in some 10 KB
    assert read(tmp_path / "a.npz", "labels").array.sum() == LABELS.sum()


def test_labels_in_a_png_without_its_last_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(_png(40, 100, rows=17))
    refused(path, "ends before its last row")


def test_a_png_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(_png(23, 8_000_000, rows=3))
    refused(path, "found a header that states 175 MiB")


def test_labels_of_more_pixels_than_pillow_opens_are_read(tmp_path: Path, monkeypatch) -> None:
    Image.fromarray(LABELS).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    assert np.array_equal(read(tmp_path / "a.png", "labels").array, LABELS)


def test_what_memory_cannot_hold_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(memory, "FLOOR", 10)
    monkeypatch.setattr(memory, "free_on_host", lambda: 15)
    savemat(tmp_path / "a.mat", {"gt": LABELS})
    np.savez(tmp_path / "a.npz", gt=LABELS)
    Image.fromarray(LABELS).save(tmp_path / "a.png")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["gt"] = LABELS
    for suffix in ("mat", "npz", "png", "h5"):
        refused(tmp_path / f"a.{suffix}", "of memory that are free")


def test_data_behind_a_link_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    scene = Scene("a", np.arange(60, dtype=np.uint8).reshape(4, 5, 3))
    write_scene(tmp_path / "theirs" / "a.hdr", scene)
    (tmp_path / "theirs" / "a.img").rename(tmp_path / "secret")
    (tmp_path / "theirs" / "a.img").symlink_to("../secret")
    refused(tmp_path / "theirs" / "a.hdr", "found a.img, a link to .*secret", "cube")
    # Links of the header and its data to one folder are the user's own.
    (tmp_path / "theirs" / "a.img").unlink()
    (tmp_path / "secret").rename(tmp_path / "theirs" / "a.img")
    (tmp_path / "mine").mkdir()
    for name in ("a.hdr", "a.img"):
        (tmp_path / "mine" / name).symlink_to(tmp_path / "theirs" / name)
    assert read(tmp_path / "mine" / "a.hdr", "cube").array.shape == (4, 5, 3)


def test_a_vrt_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.vrt").write_text("<VRTDataset rasterXSize='5' rasterYSize='4'/>")
    refused(tmp_path / "a.vrt", "found a VRT, which points at other files", "cube")
    (tmp_path / "a.tif").write_text("<VRTDataset rasterXSize='5' rasterYSize='4'/>")
    pytest.importorskip("rasterio")
    refused(tmp_path / "a.tif", "expected a whole GeoTIFF", "cube")


@pytest.mark.parametrize(
    "start", [b"\x93NUMPY\x01\x00\x10\x00{'descr': (1,   \n", b"\x93NUMPY\x03\x00", b"\x93NUMPY"]
)
def test_headers_of_numpy_that_no_parser_ends_are_one_line(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "t.npy").write_bytes(start)
    refused(tmp_path / "t.npy", "expected a whole NumPy file")


def _png(width: int, height: int, rows: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        size, check = len(content), zlib.crc32(name + content)
        return struct.pack(">I", size) + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress((b"\0" + b"\xc8" * width) * rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
