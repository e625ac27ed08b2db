"""Weights carry their description; damaged and infinite ones are one line."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine import artifacts
from engine.artifacts import sha256_file
from engine.errors import UserError
from engine.tensors import expect_finite, load_tensors, save_tensors, sha256_weights


def test_tensors_and_description_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tensors = {"w": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(7)}
    sha = save_tensors(path, tensors, {"sigma": 25, "sets": ["a"]})
    loaded, description = load_tensors(path)
    assert description == {"sigma": 25, "sets": ["a"]}
    assert torch.equal(loaded["w"], tensors["w"])
    assert loaded["n"].shape == ()
    assert sha == sha256_file(path)


def test_cut_weights_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_tensors(path, {"w": torch.zeros(100)}, {})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"model\.safetensors: expected a whole") as error:
        load_tensors(path)
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
def test_description_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    from safetensors.torch import save

    path = tmp_path / "m.safetensors"
    path.write_bytes(
        save({"w": torch.zeros(2)}, {"description": text.encode(errors="replace").decode()})
    )
    with pytest.raises(UserError, match=r"m\.safetensors: ") as error:
        load_tensors(path)
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


def test_weights_that_are_not_finite_are_named() -> None:
    with pytest.raises(UserError, match=r"w\.safetensors: expected finite weights.*in b"):
        expect_finite("w.safetensors", {"a": torch.ones(2), "b": torch.tensor([1, np.nan])})
