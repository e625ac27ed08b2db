"""The child that looks through files: it reads, it dies, it loops, and is replaced."""

import os
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.errors import UserError
from engine.untrusted import child, hdf5


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.h5"
    with h5py.File(path, "w") as file:
        file["cube"] = np.zeros((4, 5, 6))
    return path


def test_a_sound_file_is_looked_through_once(sound: Path, monkeypatch) -> None:
    hdf5.expect_sound(sound)
    monkeypatch.setattr(child, "ask", None)
    hdf5.expect_sound(sound)  # by its size and time: not asked again


def test_a_child_that_dies_is_one_line_and_is_replaced(sound: Path) -> None:
    child.ready()
    assert child._child is not None
    os.kill(child._child.process.pid, signal.SIGSEGV)
    with pytest.raises(
        UserError, match=r"sound\.h5: expected a file \(its library broke down"
    ) as told:
        child.ask("hdf5", sound, "expected a file")
    assert "\n" not in str(told.value)
    assert child.ask("hdf5", sound, "expected a file") is None


def test_a_child_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch) -> None:
    child.ready()
    os.mkfifo(tmp_path / "a.h5")  # whose other end nobody opens
    monkeypatch.setattr(child, "SECONDS", 1)
    monkeypatch.setattr(child, "CLOCK", 1)
    with pytest.raises(UserError, match="more than 1 s"):
        child.ask("hdf5", tmp_path / "a.h5", "expected a file")


def test_memory_is_limited(tmp_path: Path) -> None:
    from scipy.io import savemat

    savemat(tmp_path / "a.mat", {"a": np.zeros((4096, 2048))}, do_compression=True)
    path, folder = tmp_path / "a.mat", str(tmp_path)
    assert child.ask("matlab", path, "expected a file", folder=folder)  # imports SciPy, too
    with pytest.raises(UserError, match="takes more memory than there is"):
        child.ask("matlab", path, "expected a file", memory=2**24, folder=folder)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (
            lambda file, other: file.create_dataset(
                "cube", (4, 5), "u1", external=[(str(other), 0, 20)]
            ),
            "/cube, whose values are in",
        ),
        (
            lambda file, other: file.__setitem__("a", h5py.ExternalLink(str(other), "/cube")),
            "a, which is a link to",
        ),
        (
            lambda file, other: file.create_virtual_dataset("v", _layout(str(other))),
            "/v, which is a view of",
        ),
    ],
)
def test_files_that_point_elsewhere_are_refused(tmp_path: Path, make, found: str) -> None:
    other = tmp_path / "secret.txt"
    other.write_bytes(b"secret of twenty bytes and more")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file, other)
    with pytest.raises(UserError, match=f"expected a file that holds its data, found {found}"):
        hdf5.expect_sound(tmp_path / "a.h5")


def test_a_view_of_the_file_itself_is_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = np.zeros((4, 5), "u1")
        file.create_virtual_dataset("v", _layout("."))
    hdf5.expect_sound(tmp_path / "a.h5")


def _layout(source: str) -> h5py.VirtualLayout:
    layout = h5py.VirtualLayout((4, 5), "u1")
    layout[:] = h5py.VirtualSource(source, "cube", (4, 5))
    return layout
