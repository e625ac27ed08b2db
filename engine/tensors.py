"""Weights together with their description: safetensors files; no pickle is ever loaded.

What a file says, and whether it is sound, is found without torch, which takes seconds to import.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.artifacts import atomic, sha256_file
from engine.errors import UserError, parsing, writing
from engine.memory import admit

if TYPE_CHECKING:
    import torch

# What safetensors calls the types of torch.
_TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
}


class Stored(NamedTuple):
    """A tensor as its file holds it.

    Attributes
    ----------
    shape : tuple of int
    kind : str
        Its type by the name that torch has for it, such as 'float32'.
    data : bytes-like
        Its numbers in C order, little-endian.
    """

    shape: tuple[int, ...]
    kind: str
    data: bytes | bytearray


def save_tensors(
    path: Path | str, tensors: "Mapping[str, torch.Tensor]", description: Mapping[str, Any]
) -> str:
    """Write tensors and their description as one safetensors file.

    Parameters
    ----------
    path : Path
        The file to write, completely or not at all.
    tensors : mapping of str to Tensor
        Each is stored contiguous, on the CPU.
    description : mapping
        JSON-serialisable; stored under the metadata key `description`.

    Returns
    -------
    str
        SHA-256 of the file.

    Raises
    ------
    UserError
        The file cannot be written, such as on a full disk.
    """
    from safetensors.torch import save_file

    path = Path(path)
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    text = json.dumps(dict(description), sort_keys=True)
    with writing(path), atomic(path) as part:
        save_file(plain, part, metadata={"description": text})
    return sha256_file(path)


def load_tensors(path: Path | str) -> "tuple[dict[str, torch.Tensor], dict[str, Any]]":
    """Read what `save_tensors` wrote.

    Returns
    -------
    tensors : dict of str to Tensor
        On the CPU.
    description : dict
        Empty if the file has none.

    Raises
    ------
    UserError
        The file is missing, cut short or not a safetensors file.
    """
    from safetensors import safe_open

    with _opening(path) as path, safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, _description(file.metadata())


def load_stored(path: Path | str) -> tuple[dict[str, Stored], dict[str, Any]]:
    """Read what `save_tensors` wrote, without torch.

    Returns
    -------
    stored : dict of str to Stored
    description : dict
        Empty if the file has none.

    Raises
    ------
    UserError
        As `load_tensors`.
    """
    import safetensors

    with _opening(path) as path:
        content = path.read_bytes()
        found = safetensors.deserialize(content)  # type: ignore[no-untyped-call]
        stored = {
            name: Stored(tuple(each["shape"]), _TYPES[each["dtype"]], each["data"])
            for name, each in found
        }
        return stored, load_description(path)


def load_description(path: Path | str) -> dict[str, Any]:
    """Read the description alone of what `save_tensors` wrote.

    Raises
    ------
    UserError
        As `load_tensors`.
    """
    from safetensors import safe_open

    with _opening(path) as path, safe_open(path, framework="numpy") as file:
        return _description(file.metadata())


@contextmanager
def _opening(path: Path | str) -> Iterator[Path]:
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected weights in .safetensors form")
    whole = "expected a whole .safetensors file, found something else"
    with parsing(path, whole, remedy="train or import it again"):
        admit(path.stat().st_size, None)
        yield path


def _description(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    description = json.loads((metadata or {}).get("description", "{}"))
    if not isinstance(description, dict):
        raise UserError("expected a description with keys, found something else")
    return description


def as_tensors(stored: Mapping[str, Stored]) -> "dict[str, torch.Tensor]":
    """Return stored tensors as those of torch, on the CPU."""
    import torch

    made = {}
    for name, (shape, kind, data) in stored.items():
        dtype = getattr(torch, kind)
        plain = torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0).to(dtype)
        made[name] = plain.reshape(shape)
    return made


def sha256_weights(tensors: "Mapping[str, torch.Tensor]", settings: object) -> str:
    """Return the SHA-256 of tensors and of what decides how they are used.

    Unlike that of a file it tells nothing of when and how long something was trained, so that
    equal trainings have equal sums.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Of any device and order.
    settings : object
        JSON-serialisable.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return _sha256(
        (
            (name, tuple(each.shape), str(each.dtype), each.numpy().tobytes())
            for name, each in sorted(plain.items())
        ),
        settings,
    )


def sha256_stored(stored: Mapping[str, Stored], settings: object) -> str:
    """Return the `sha256_weights` of stored tensors."""
    return _sha256(
        (
            (name, shape, f"torch.{kind}", data)
            for name, (shape, kind, data) in sorted(stored.items())
        ),
        settings,
    )


def _sha256(
    parts: Iterable[tuple[str, tuple[int, ...], str, bytes | bytearray]], settings: object
) -> str:
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, shape, dtype, data in parts:
        digest.update(f"{name}{shape}{dtype}".encode())
        digest.update(data)
    return digest.hexdigest()


def expect_finite(path: Path | str, stored: Mapping[str, Stored]) -> None:
    """Refuse weights that hold NaN or infinite values.

    Raises
    ------
    UserError
        With the name of the first such tensor.
    """
    for name, each in stored.items():
        if not _finite(each):
            raise UserError(
                f"{path}: expected finite weights, found NaN or infinite ones in {name}; train or "
                "import them again"
            )


def _finite(stored: Stored) -> bool:
    if stored.kind == "bfloat16":  # the upper half of a float32
        numbers = (np.frombuffer(stored.data, "<u2").astype("<u4") << 16).view("<f4")
    elif stored.kind.startswith(("float", "complex")):
        numbers = np.frombuffer(stored.data, np.dtype(stored.kind).newbyteorder("<"))
    else:
        return True
    return bool(np.isfinite(numbers).all())
