"""Files are whole or not there; weights carry their description."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

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


def test_tensors_and_description_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tensors = {"w": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(7)}
    sha = artifacts.save_tensors(path, tensors, {"sigma": 25, "sets": ["a"]})
    loaded, description = artifacts.load_tensors(path)
    assert description == {"sigma": 25, "sets": ["a"]}
    assert torch.equal(loaded["w"], tensors["w"])
    assert loaded["n"].shape == ()
    assert sha == artifacts.sha256_file(path)


def test_cut_weights_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    artifacts.save_tensors(path, {"w": torch.zeros(100)}, {})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"model\.safetensors: expected a whole") as error:
        artifacts.load_tensors(path)
    assert "\n" not in str(error.value)


def test_array_checksum_sees_type_shape_and_order() -> None:
    a, b = np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)
    sums = {
        artifacts.sha256_arrays(a, b),
        artifacts.sha256_arrays(b, a),
        artifacts.sha256_arrays(a),
        artifacts.sha256_arrays(a.astype(np.int8)),
    }
    assert len(sums) == 4


def test_full_disk_is_one_line_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    def full(*_: object, **__: object) -> None:
        raise safetensors.SafetensorError("No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    path = tmp_path / "m.safetensors"
    with pytest.raises(UserError, match=r"m\.safetensors: cannot be written \(No space"):
        artifacts.save_tensors(path, {"w": torch.zeros(2)}, {})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="space") as error, artifacts.atomic(path):
        raise OSError(28, "No space left on device")
    assert error.value.filename == str(path)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "3", "{", "\udcff"])
def test_description_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    from safetensors.torch import save

    path = tmp_path / "m.safetensors"
    path.write_bytes(
        save({"w": torch.zeros(2)}, {"description": text.encode(errors="replace").decode()})
    )
    with pytest.raises(UserError, match=r"m\.safetensors: ") as error:
        artifacts.load_tensors(path)
    assert "\n" not in str(error.value)


def test_sum_of_weights_tells_tensors_and_settings_and_no_file(tmp_path: Path) -> None:
    a, b = torch.arange(6.0), torch.arange(4)
    same = artifacts.sha256_weights({"a": a, "b": b}, {"depth": 3, "seed": 1})
    assert artifacts.sha256_weights({"b": b, "a": a.clone()}, {"seed": 1, "depth": 3}) == same
    others = [
        artifacts.sha256_weights({"a": a + 1, "b": b}, {"depth": 3, "seed": 1}),
        artifacts.sha256_weights({"a": a, "b": b}, {"depth": 4, "seed": 1}),
        artifacts.sha256_weights({"a": a.reshape(2, 3), "b": b}, {"depth": 3, "seed": 1}),
    ]
    assert same not in others


def test_weights_that_are_not_finite_are_named() -> None:
    with pytest.raises(UserError, match=r"w\.safetensors: expected finite weights.*in b"):
        artifacts.expect_finite(
            "w.safetensors", {"a": torch.ones(2), "b": torch.tensor([1, np.nan])}
        )


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
