"""The walk through MATLAB files: what is plain, what is damaged, and what is left to a child."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from engine.untrusted import matlab

LABELS = np.arange(20, dtype=np.uint8).reshape(4, 5)


def saved(path: Path, **how: object) -> Path:
    arrays = how.pop("arrays", {"gt": LABELS})
    savemat(path, arrays, **how)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_variables_are_walked_as_scipy_reads_them(tmp_path: Path, packed: bool) -> None:
    arrays = {
        "gt": LABELS, "text": "words", "c": np.array([1, "a"], object), "z": LABELS * 1j,
        "s": {"a": LABELS, "b": {"c": np.zeros((2, 3, 4))}, "n": 3.0}, "one": 7.0,
    }  # fmt: skip
    path = saved(tmp_path / "a.mat", arrays=arrays, do_compression=packed)
    found = matlab.walk(path)
    assert found is not None
    leaves = {leaf.name: (v.name, leaf.shape) for v in found for leaf in v.leaves}
    assert leaves == {
        "gt": ("gt", (4, 5)), "s.a": ("s", (4, 5)), "s.b.c": ("s", (2, 3, 4)),
        "s.n": ("s", (1, 1)), "one": ("one", (1, 1)),
    }  # fmt: skip
    for name, (top, shape) in leaves.items():
        assert matlab.read(path, top, name).shape == shape
    assert np.array_equal(matlab.read(path, "s", "s.a"), LABELS)


def test_version_4_is_walked(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.mat", format="4")
    found = matlab.walk(path)
    assert found is not None
    assert [(v.name, v.leaves[0].shape) for v in found] == [("gt", (4, 5))]


@pytest.mark.parametrize("code", [0, 8, 10, 11, 14, 15, 19, 20, 200, 65535])
def test_no_type_reaches_scipy_that_it_does_not_know(tmp_path: Path, code: int) -> None:
    data = bytearray(saved(tmp_path / "a.mat").read_bytes())
    at = data.rindex(struct.pack("<II", 2, LABELS.nbytes))  # the tag of the numbers
    data[at : at + 4] = struct.pack("<I", code)
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(matlab.Damaged, match="expected numbers, found an element of type"):
        matlab.walk(tmp_path / "a.mat")


def test_every_cut_is_damaged_or_cut_at_a_variable(tmp_path: Path) -> None:
    data = saved(tmp_path / "a.mat", arrays={"a": LABELS, "b": 1.0}).read_bytes()
    for end in range(1, len(data)):
        (tmp_path / "b.mat").write_bytes(data[:end])
        try:
            found = matlab.walk(tmp_path / "b.mat")
        except matlab.Damaged:
            continue
        assert found is not None
        assert [variable.name for variable in found] in ([], ["a"])


def test_axes_that_the_numbers_do_not_bear_out_are_damaged(tmp_path: Path) -> None:
    data = bytearray(saved(tmp_path / "a.mat").read_bytes())
    at = data.index(struct.pack("<ii", 4, 5))
    data[at : at + 8] = struct.pack("<ii", 100_000, 100_000)
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(matlab.Damaged, match="expected 10000000000 numbers"):
        matlab.walk(tmp_path / "a.mat")


def test_what_the_walk_does_not_know_is_left_to_a_child(tmp_path: Path) -> None:
    data = bytearray(saved(tmp_path / "a.mat").read_bytes())
    at = data.index(struct.pack("<II", 6, 8)) + 8  # flags: the class is their first byte
    data[at] = 16  # a function
    (tmp_path / "a.mat").write_bytes(data)
    assert matlab.walk(tmp_path / "a.mat") is None


def test_packed_data_that_are_no_zlib_are_damaged(tmp_path: Path) -> None:
    file = io.BytesIO()
    savemat(file, {"gt": LABELS}, do_compression=True)
    data = file.getvalue()
    bad = data[:128] + struct.pack("<II", 15, 40) + zlib.compress(b"x" * 9).ljust(40, b"\1")
    (tmp_path / "a.mat").write_bytes(bad)
    with pytest.raises(matlab.Damaged):
        matlab.walk(tmp_path / "a.mat")
