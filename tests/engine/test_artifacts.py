"""Files are whole or not there; weights carry their description."""

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
