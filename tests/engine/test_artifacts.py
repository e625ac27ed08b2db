"""Files are whole or not there."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine import artifacts
from engine.errors import UserError


def test_error_inside_atomic_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    artifacts.write_text(path, "old")

    def write_half() -> None:
        with artifacts.atomic(path) as part:
            part.write_text("half")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_makes_folders_and_keeps_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "map.png"
    with artifacts.atomic(path) as part:
        assert part.parent == path.parent
        assert part.suffix == ".png"
        part.write_bytes(b"x")
    assert path.read_bytes() == b"x"


def test_array_checksum_sees_type_shape_and_order() -> None:
    a, b = np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)
    sums = {
        artifacts.sha256_arrays(a, b),
        artifacts.sha256_arrays(b, a),
        artifacts.sha256_arrays(a),
        artifacts.sha256_arrays(a.astype(np.int8)),
    }
    assert len(sums) == 4


def test_archive_that_memory_cannot_hold_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "split.npz"
    np.savez_compressed(path, train=np.zeros(2**28, np.uint8))
    monkeypatch.setattr("engine.memory.free_on_host", lambda: 2**20)
    with pytest.raises(UserError, match=r"split\.npz: expected at most the 1 MiB of memory"):
        artifacts.read_npz(path, ("train",), "hsi split")


def test_what_killed_writers_left_is_removed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(artifacts, "_swept", set())
    mine = artifacts.part_prefix(tmp_path)
    machine = mine.split("-")[1]
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / f".part-{machine}-{dead.pid}-x.png").touch()
    (tmp_path / f".part-{machine}-{dead.pid}-y").mkdir()
    kept = [f"{mine}z.png", ".part-of-others", f".part-0-{dead.pid}-x.png"]
    for name in kept:
        (tmp_path / name).touch()
    monkeypatch.setattr(artifacts, "_swept", set())
    artifacts.write_text(tmp_path / "a.txt", "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "a.txt"])
