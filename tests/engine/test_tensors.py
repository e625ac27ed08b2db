"""Weights carry their description; damaged and infinite ones are one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine import artifacts
from engine.artifacts import sha256_file
from engine.errors import UserError
from engine.tensors import (
    as_tensors,
    expect_finite,
    load_description,
    load_stored,
    load_tensors,
    save_tensors,
    sha256_stored,
    sha256_weights,
)

Load = Callable[[Path], Any]


def test_tensors_and_description_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tensors = {"w": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(7)}
    sha = save_tensors(path, tensors, {"sigma": 25, "sets": ["a"]})
    loaded, description = load_tensors(path)
    assert description == {"sigma": 25, "sets": ["a"]}
    assert torch.equal(loaded["w"], tensors["w"])
    assert loaded["n"].shape == ()
    assert sha == sha256_file(path)


KINDS = [
    *(torch.float64, torch.float32, torch.float16, torch.complex64),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
]


def test_what_is_read_without_torch_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tensors = {str(kind): torch.tensor([[0, 1], [1, 3]]).to(kind) for kind in KINDS}
    tensors |= {"one": torch.tensor(2.5), "none": torch.zeros(0, 3), "turned": torch.eye(2, 3).T}
    save_tensors(path, tensors, {"sigma": 25})
    stored, description = load_stored(path)
    assert description == load_description(path) == {"sigma": 25}
    again = as_tensors(stored)
    assert again.keys() == tensors.keys()
    for name, tensor in tensors.items():
        torch.testing.assert_close(again[name], tensor.contiguous(), rtol=0, atol=0)
    assert sha256_stored(stored, {"depth": 3}) == sha256_weights(tensors, {"depth": 3})
    assert sha256_stored(stored, {"depth": 4}) != sha256_weights(tensors, {"depth": 3})


READERS = [load_tensors, load_stored, load_description]


@pytest.mark.parametrize("load", READERS)
def test_cut_weights_are_refused_in_one_line(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_tensors(path, {"w": torch.zeros(100)}, {})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"model\.safetensors: expected a whole") as error:
        load(path)
    assert "\n" not in str(error.value)


def test_full_disk_is_one_line_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    def full(*_: object, **__: object) -> None:
        raise safetensors.SafetensorError("No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    path = tmp_path / "m.safetensors"
    with pytest.raises(UserError, match=r"m\.safetensors: cannot be written \(No space"):
        save_tensors(path, {"w": torch.zeros(2)}, {})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="space") as error, artifacts.atomic(path):
        raise OSError(28, "No space left on device")
    assert error.value.filename == str(path)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "3", "{", "\udcff"])
@pytest.mark.parametrize("load", READERS)
def test_description_that_is_none_is_refused(load: Load, tmp_path: Path, text: str) -> None:
    from safetensors.torch import save

    path = tmp_path / "m.safetensors"
    path.write_bytes(
        save({"w": torch.zeros(2)}, {"description": text.encode(errors="replace").decode()})
    )
    with pytest.raises(UserError, match=r"m\.safetensors: ") as error:
        load(path)
    assert "\n" not in str(error.value)


def test_sum_of_weights_tells_tensors_and_settings_and_no_file(tmp_path: Path) -> None:
    a, b = torch.arange(6.0), torch.arange(4)
    same = sha256_weights({"a": a, "b": b}, {"depth": 3, "seed": 1})
    assert sha256_weights({"b": b, "a": a.clone()}, {"seed": 1, "depth": 3}) == same
    others = [
        sha256_weights({"a": a + 1, "b": b}, {"depth": 3, "seed": 1}),
        sha256_weights({"a": a, "b": b}, {"depth": 4, "seed": 1}),
        sha256_weights({"a": a.reshape(2, 3), "b": b}, {"depth": 3, "seed": 1}),
    ]
    assert same not in others


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_named(
    kind: torch.dtype, number: float, tmp_path: Path
) -> None:
    path = tmp_path / "w.safetensors"
    largest = torch.finfo(kind).max
    save_tensors(path, {"a": torch.tensor([1, largest, -largest], dtype=kind)}, {})
    expect_finite(path, load_stored(path)[0])
    save_tensors(path, {"a": torch.ones(2), "b": torch.tensor([1, number]).to(kind)}, {})
    with pytest.raises(UserError, match=r"w\.safetensors: expected finite weights.*in b"):
        expect_finite(path, load_stored(path)[0])
