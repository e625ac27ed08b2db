"""What a model file holds, checked once and whole when it is opened.

Models come from others: no size of the description is believed before the tensors bear it out, and
nothing that is used later is left unchecked.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine import settings
from engine.errors import parsing
from engine.tensors import Stored, expect_finite, load_stored, sha256_stored, sha256_weights
from hsi.calibration.conformal import PERCENT
from hsi.calibration.temperature import HIGHEST, LOWEST
from hsi.classifiers.catalogue import CATALOGUE
from hsi.errors import HsiError
from hsi.features.levels import LEVELS
from hsi.features.projection import Projection
from hsi.scenes.class_numbers import LARGEST

if TYPE_CHECKING:
    from torch import Tensor

_WHOLE = {"type": "integer", "minimum": 0}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "a description with keys",
    "required": [
        "scene", "classes", "class_names", "colours", "bands", "wavelengths", "used_bands", "split",
        "schedule", "seed", "seconds_train", "settings",
    ],
    "properties": {
        "scene": {"type": "string", "title": "the name of a scene"},
        "classes": {
            "type": "array",
            "title": f"class numbers from 1 to {LARGEST}, each once",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "integer", "minimum": 1, "maximum": LARGEST, "title": "a class number",
            },
        },
        "class_names": {
            "type": "array", "title": "names", "items": {"type": "string", "title": "a name"},
        },
        "colours": {
            "type": "array",
            "title": "colours",
            "items": {
                "type": "array", "title": "red, green and blue", "minItems": 3, "maxItems": 3,
                "items": {**_WHOLE, "maximum": 255, "title": "a number from 0 to 255"},
            },
        },
        "bands": {**_WHOLE, "minimum": 1, "title": "a number of bands"},
        "wavelengths": {
            "type": ["array", "null"], "title": "wavelengths in nanometres, or nothing",
            "items": {"type": "number", "title": "a wavelength"},
        },
        "used_bands": {
            "type": "array", "title": "bands", "items": {**_WHOLE, "title": "a band, from 0 up"},
        },
        "spectra": {
            "type": "object", "title": "the level of the spectra", "required": [*LEVELS],
            "properties": {
                key: {"type": ["number", "null"], "title": "a number, or nothing"} for key in LEVELS
            },
        },
        "split": {
            "type": "object", "title": "the description of a split", "required": ["how"],
            "properties": {"how": {"type": "string", "title": "how it was split"}},
        },
        "schedule": {
            "type": ["object", "null"], "title": "a schedule, or nothing",
            "required": ["name", "steps"],
            "properties": {
                "name": {"type": "string", "title": "the name of a schedule"},
                "steps": {**_WHOLE, "title": "a number of steps"},
            },
        },
        "seed": {**_WHOLE, "title": "a whole number"},
        "seconds_train": {"type": "number", "title": "a number of seconds"},
        "settings": {"type": "object", "title": "settings of the classifier"},
        "calibration": {
            "type": "object", "title": "the calibration of hsi calibrate",
            "required": ["temperature", "least", "pixels"],
            "properties": {
                "temperature": {
                    "type": "number", "minimum": LOWEST, "maximum": HIGHEST,
                    "title": f"a temperature from {LOWEST:g} to {HIGHEST:g}",
                },
                "least": {
                    "type": "array", "minItems": len(PERCENT), "maxItems": len(PERCENT),
                    "title": f"{len(PERCENT)} probabilities",
                    "items": {"type": "number", "minimum": 0, "maximum": 1, "title": "a share"},
                },
                "pixels": {**_WHOLE, "title": "a number of pixels"},
            },
        },
    },
}  # fmt: skip
FITTED_ON = ("all pixels", "training pixels")
# What decides how tensors are used; the rest tells when, where and from what they were made.
_USED = ("classifier", "classes", "class_names", "colours", "bands", "wavelengths", "used_bands")


def stored(path: Path | str) -> tuple[dict[str, Stored], dict[str, Any]]:
    """Read a model file without torch.

    Returns
    -------
    tensors : dict of str to Stored
        Finite.
    description : dict
        As `hsi.train` writes it: all keys that are used anywhere are there and fit each other.

    Raises
    ------
    HsiError
        The file is missing or damaged, or holds something else; the first fault is named.
    """
    with parsing(path, "expected a whole model of hsi train", HsiError):
        tensors, description = load_stored(path)
        known = description.get("classifier")
        if not isinstance(known, str) or known not in CATALOGUE:
            raise HsiError(f"{path}: expected a model of hsi train, found other weights")
        description = settings.validate(description, _SCHEMA, str(path))
        _expect_alike(description)
        expect_finite(path, tensors)
    return tensors, description


def identity(tensors: "Mapping[str, Tensor]", description: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a model and of how it is used: equal trainings have equal ones.

    Parameters
    ----------
    tensors : mapping of str to Tensor
    description : mapping
        Of `stored`, or of a model that is saved.
    """
    return sha256_weights(tensors, _use(description))


def stored_identity(tensors: Mapping[str, Stored], description: Mapping[str, Any]) -> str:
    """Return the `identity` of what is `stored`."""
    return sha256_stored(tensors, _use(description))


def _use(description: Mapping[str, Any]) -> dict[str, Any]:
    also = ["calibration"] if "calibration" in description else []
    return {key: description[key] for key in (*_USED, "settings", *also)}


def array(
    tensors: "Mapping[str, Tensor]", name: str, axes: tuple[int | None, ...], kind: str = "f"
) -> npt.NDArray[Any]:
    """Return a tensor as an array of checked axes and type.

    Parameters
    ----------
    tensors : mapping of str to Tensor
    name : str
    axes : tuple of int or None
        Lengths; None for any from 1 up.
    kind : {'f', 'i'}
        Real or whole numbers.

    Raises
    ------
    HsiError
        It is missing, or of other axes or another type.
    """
    if name not in tensors:
        raise HsiError(f"{name}: expected such a tensor, found none")
    found = tensors[name].numpy()
    shape = found.shape
    fits = len(shape) == len(axes) and all(
        size == wanted if wanted is not None else size >= 1
        for size, wanted in zip(shape, axes, strict=True)
    )
    if not fits or found.dtype.kind != kind:
        words = "whole numbers" if kind == "i" else "real numbers"
        wanted_axes = " × ".join("N" if size is None else str(size) for size in axes)
        raise HsiError(f"{name}: expected {wanted_axes} {words}, found {found.dtype} {shape}")
    return found


def projection(
    tensors: "Mapping[str, Tensor]",
    prefix: str,
    *,
    count: int | None = None,
    fitted_on: object = "all pixels",
) -> Projection:
    """Return a projection whose arrays are checked.

    Parameters
    ----------
    tensors : mapping of str to Tensor
    prefix : str
        Of the tensors' names, such as 'pca.'.
    count : int, optional
        Components that are expected.
    fitted_on : str
        One of `FITTED_ON`.

    Raises
    ------
    HsiError
        A tensor is missing or does not fit; another `fitted_on`.
    """
    bands = array(tensors, f"{prefix}bands", (None,), "i")
    mean = array(tensors, f"{prefix}mean", (len(bands),))
    components = array(tensors, f"{prefix}components", (count, len(bands)))
    scale = array(tensors, f"{prefix}scale", (len(components),))
    if fitted_on not in FITTED_ON:
        raise HsiError(f"pca_fitted_on: expected one of {FITTED_ON}, found {fitted_on!r:.40}")
    if not (scale > 0).all():
        raise HsiError(f"{prefix}scale: expected numbers above 0")
    return Projection(bands, mean, components, scale, str(fitted_on))


def projection_tensors(found: Projection, prefix: str) -> "dict[str, Tensor]":
    """Return the arrays of a projection as tensors, under names that begin with `prefix`."""
    import torch

    names = ("bands", "mean", "components", "scale")
    return {
        f"{prefix}{name}": torch.from_numpy(np.ascontiguousarray(getattr(found, name)))
        for name in names
    }


def within(found: npt.NDArray[Any], name: str, stop: int) -> npt.NDArray[Any]:
    """Return indices that are checked to be from 0 up and below `stop`."""
    if found.size and not (found.min() >= 0 and found.max() < stop):
        raise HsiError(f"{name}: expected numbers from 0 to {stop - 1}, found {found.max()}")
    return found


def setting(chosen: Mapping[str, Any], key: str, low: float, high: float) -> Any:
    """Return a number among settings that is checked to be in a range, ends included."""
    value = chosen.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise HsiError(f"{key}: expected a number from {low:g} to {high:g}, found {value!r:.40}")
    return value


def fields_of(kind: type[Any], given: object, what: str) -> dict[str, Any]:
    """Return values for the fields of a dataclass, of the types that its defaults have.

    Raises
    ------
    HsiError
        No keys and values; an unknown key; a value of another type.
    """
    if not isinstance(given, Mapping):
        raise HsiError(f"{what}: expected keys and values, found {given!r:.40}")
    known = {field.name: field.default for field in fields(kind)}
    found = {}
    for key, value in given.items():
        if key not in known:
            raise HsiError(f"{what}: unknown key '{key}'")
        like = known[key]
        if isinstance(like, tuple):
            fine = isinstance(value, list) and all(type(part) is int for part in value)
        elif isinstance(like, float):
            fine = type(value) in (int, float)
        else:  # without a default it is a whole number
            fine = type(value) is (type(like) if isinstance(like, bool | str) else int)
        if not fine:
            raise HsiError(f"{what}: {key}: expected a value as {like!r:.40}, found {value!r:.40}")
        found[key] = tuple(value) if isinstance(value, list) else value
    return found


def _expect_alike(description: Mapping[str, Any]) -> None:
    """Raise HsiError where lists of a description are not of one length."""
    count = len(description["classes"])
    lengths = {"class_names": count, "colours": count}
    if description["wavelengths"] is not None:
        lengths["wavelengths"] = description["bands"]
        if not np.isfinite(description["wavelengths"]).all():
            raise HsiError("wavelengths: expected finite numbers")
    for key, wanted in lengths.items():
        if len(description[key]) != wanted:
            raise HsiError(f"{key}: expected {wanted}, found {len(description[key])}")
    within(np.array(description["used_bands"], np.int64), "used_bands", description["bands"])
