"""What a weights file of a DnCNN holds, checked once and whole when it is opened.

Weights come from others: no size of the description is believed before the tensors bear it out, and
nothing that is used later is left unchecked.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.tensors import Stored, expect_finite, load_stored, sha256_stored
from engine.training.schedule import in_words
from restore.errors import RestoreError
from restore.networks.variants import Architecture

_Test = Callable[[Any], bool]


def stored(path: Path) -> tuple[dict[str, Stored], dict[str, Any], Architecture]:
    """Read a weights file without torch.

    Returns
    -------
    tensors : dict of str to Stored
        Finite, with the names and shapes of a DnCNN.
    description : dict
        As `restore.networks.denoiser.save` writes it.
    architecture : Architecture
        That of the description and of the tensors.

    Raises
    ------
    RestoreError
        The file is missing or damaged, or holds something else; the first difference is named.
    """
    try:
        tensors, description = load_stored(path)
        _expect_described(description)
        architecture = Architecture(**description["architecture"])
        _expect_shapes(tensors, architecture)
        expect_finite(path, tensors)
    except UserError as error:
        if str(error).startswith(f"{path}:"):
            raise RestoreError(str(error)) from error
        raise RestoreError(
            f"{path}: expected the weights of a DnCNN as `restore train` writes them, found other "
            f"contents ({error})"
        ) from error
    return tensors, description, architecture


def describe_schedule(description: Mapping[str, Any]) -> str:
    """Return which schedule made the weights, and how long it was: 'demo (600 steps)'."""
    return in_words(description.get("training", {}).get("schedule")) or "as published"


def identity(tensors: Mapping[str, Stored], description: Mapping[str, Any]) -> str:
    """Return the SHA-256 of weights and of how they are used: equal trainings have equal ones.

    Parameters
    ----------
    tensors : mapping of str to Stored
    description : mapping
        Of `stored`; only its architecture counts.
    """
    shape = asdict(Architecture(**description["architecture"]))
    if shape["unshuffle"] == 1:
        del shape["unshuffle"]  # so that weights from before there was any keep theirs
    return sha256_stored(tensors, shape)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_start(value: object) -> bool:
    return value is None or (
        isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    )


# Keys that are read anywhere -> what they must be. A mapping that is missing is not looked into.
_REQUIRED: dict[str, tuple[_Test, str]] = {
    "variant": (_is_text, "text"),
    "architecture": (_is_mapping, "keys and values"),
}
_OPTIONAL: dict[str, tuple[_Test, str]] = {
    "training": (_is_mapping, "keys and values"),
    "training.sets": (_is_texts, "a list of names"),
    "training.start": (_is_start, "keys and values, or nothing"),
    "training.schedule": (_is_mapping, "keys and values"),
    "published": (_is_mapping, "keys and values"),
    "versions": (_is_mapping, "keys and values"),
}


def _expect_described(description: Mapping[str, Any]) -> None:
    for key, (test, expected) in _REQUIRED.items():
        _expect(description, key, test, expected)
    for key, (test, expected) in _OPTIONAL.items():
        *above, last = key.split(".")
        place: Any = description
        for step in above:
            place = place.get(step, {})
        if last in place:
            _expect(place, last, test, expected)
    schedule = description.get("training", {}).get("schedule")
    if schedule is not None:
        _expect(schedule, "name", _is_text, "text")
        _expect(schedule, "steps", _is_whole, "a whole number")
    shape = description["architecture"]
    known = {field.name: field.type for field in fields(Architecture)}
    for key in shape:
        if key not in known:
            raise UserError(f"unknown key '{key}' in architecture")
    for key, kind in known.items():
        if kind is bool:
            _expect(shape, key, lambda value: isinstance(value, bool), "true or false")
        elif key in shape or key != "unshuffle":  # older files lack it
            _expect(shape, key, _is_whole, "a whole number")


def _expect(place: Mapping[str, Any], key: str, test: _Test, expected: str) -> None:
    if key not in place:
        raise UserError(f"the key '{key}' is missing")
    if not test(place[key]):
        found = repr(place[key])
        raise UserError(f"{key}: expected {expected}, found {found[:40]}")


def _expect_shapes(tensors: Mapping[str, Stored], shape: Architecture) -> None:
    """Compare an architecture with the tensors, before anything of its size is built."""
    layers = sum(1 for name in tensors if name.startswith("layers.") and name.endswith(".weight"))
    if layers != shape.depth:
        raise UserError(f"depth: expected {layers}, as there are layers, found {shape.depth}")
    wanted: dict[str, tuple[int, ...]] = {}
    for index, (inputs, outputs) in enumerate(pairwise(shape.widths)):
        wanted[f"layers.{index}.weight"] = (outputs, inputs, 3, 3)
        wanted[f"layers.{index}.bias"] = (outputs,)
    for index in range(shape.depth - 2 if shape.batch_norm else 0):
        for part in ("weight", "bias", "running_mean", "running_var"):
            wanted[f"norms.{index}.{part}"] = (shape.features,)
        wanted[f"norms.{index}.num_batches_tracked"] = ()
    for name in (*wanted, *tensors):
        found = tensors[name].shape if name in tensors else None
        if found != wanted.get(name):
            raise UserError(
                f"{name}: expected {wanted.get(name, 'no such tensor')}, found {found or 'none'}"
            )
        if name in tensors and tensors[name].kind.startswith("complex"):
            raise UserError(f"{name}: expected real numbers, found complex ones")
