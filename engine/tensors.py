"""Weights together with their description: safetensors files; no pickle is ever loaded."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.artifacts import atomic, sha256_file
from engine.errors import UserError, parsing, writing
from engine.memory import admit

if TYPE_CHECKING:
    import torch


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

    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected weights in .safetensors form")
    whole = "expected a whole .safetensors file, found something else"
    with parsing(path, whole, remedy="train or import it again"):
        admit(path.stat().st_size, None)
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            text = (file.metadata() or {}).get("description", "{}")
        description = json.loads(text)
        if not isinstance(description, dict):
            raise UserError("expected a description with keys, found something else")
    return tensors, description


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
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}{tuple(array.shape)}{array.dtype}".encode())
        digest.update(array.numpy().tobytes())
    return digest.hexdigest()


def expect_finite(path: Path | str, tensors: "Mapping[str, torch.Tensor]") -> None:
    """Refuse weights that hold NaN or infinite values.

    Raises
    ------
    UserError
        With the name of the first such tensor.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise UserError(
                f"{path}: expected finite weights, found NaN or infinite ones in {name}; train or "
                "import them again"
            )
