"""How long and how fast a network learns: a schedule, its file, and its name in tables."""

import math
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

from engine.errors import UserError
from engine.untrusted.yaml_file import read_yaml

_OPTIMIZERS = ("adam", "keras-adam", "adamw", "sgd", "muon")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns.

    Attributes
    ----------
    name : str
        Name of the schedule in tables.
    steps, batch_size : int
        Number of optimizer steps, and samples per step.
    learning_rate : float
        Highest value during training.
    optimizer : {'adam', 'keras-adam', 'adamw', 'sgd', 'muon'}
        See `engine.training.optimizers`; 'muon' is for inner layers, with 'adamw' for all else.
    weight_decay, momentum : float
        Momentum is used by 'sgd' and 'muon' only.
    warmup_steps : int
        Steps at the start in which the learning rate rises linearly from zero.
    decay : {'constant', 'cosine', 'step'}
        After the warm-up the learning rate stays, falls to zero as half a cosine, or is multiplied
        by `gamma` at each of `milestones`.
    milestones : tuple of int
        Steps, for 'step'.
    gamma : float
        Factor, for 'step'.
    ema_decay : float
        If above 0, the training returns an exponential moving average of the weights with this
        decay.
    clip_norm : float
        Largest norm of the gradient; 0 for no limit. With 'muon' it applies to the kernels of the
        inner layers.
    keep_best_every : int
        If above 0, an epoch is this many steps, and the training returns the weights after the
        epoch with the highest score.
    """

    NAMED: ClassVar[tuple[str, ...]] = ()  # schedules of this kind that `--schedule` knows by name

    name: str
    steps: int
    batch_size: int
    learning_rate: float = 1e-3
    optimizer: Literal["adam", "keras-adam", "adamw", "sgd", "muon"] = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.9
    warmup_steps: int = 0
    decay: Literal["constant", "cosine", "step"] = "constant"
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    ema_decay: float = 0.0
    clip_norm: float = 0.0
    keep_best_every: int = 0

    def __post_init__(self) -> None:
        for key, fine, expected in (
            ("steps", self.steps >= 1, "at least 1"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("learning_rate", self.learning_rate > 0, "above 0"),
            ("optimizer", self.optimizer in _OPTIMIZERS, f"one of {', '.join(_OPTIMIZERS)}"),
            ("decay", self.decay in ("constant", "cosine", "step"), "constant, cosine or step"),
            ("weight_decay", self.weight_decay >= 0, "0 or more"),
            ("momentum", 0 <= self.momentum < 1, "at least 0 and below 1"),
            ("warmup_steps", self.warmup_steps >= 0, "0 or more"),
            ("ema_decay", 0 <= self.ema_decay < 1, "at least 0 and below 1"),
            ("clip_norm", self.clip_norm >= 0, "0 or more"),
            (
                "keep_best_every",
                0 <= self.keep_best_every <= self.steps,
                f"at least 0 and at most the {self.steps} steps",
            ),
        ):
            if not fine:
                raise UserError(
                    f"schedule {self.name}: {key}: expected {expected}, found {getattr(self, key)}"
                )

    def rate(self, step: int) -> float:
        """Return the learning rate of step `step`, counted from 0."""
        rate = self.learning_rate
        if step < self.warmup_steps:
            return rate * (step + 1) / self.warmup_steps
        if self.decay == "cosine":
            done = (step - self.warmup_steps) / max(self.steps - self.warmup_steps, 1)
            return rate * 0.5 * (1 + math.cos(math.pi * done))
        if self.decay == "step":
            return rate * self.gamma ** sum(step >= milestone for milestone in self.milestones)
        return rate

    def describe(self) -> dict[str, Any]:
        """Return all settings, JSON-serialisable."""
        return asdict(self)


AnySchedule = TypeVar("AnySchedule", bound=Schedule)


def read_schedule(path: Path, kind: type[AnySchedule]) -> AnySchedule:
    """Read a schedule from a YAML file whose keys are the fields of `kind`.

    Raises
    ------
    UserError
        The file is missing or not a YAML mapping, or a key is unknown or of the wrong type.
    """
    known = " or ".join(filter(None, [", ".join(kind.NAMED), "a YAML file of a schedule"]))
    found = read_yaml(path, known)
    kinds: dict[str, Any] = {field.name: field.type for field in fields(kind)}
    if not isinstance(found, dict):
        raise UserError(
            f"{path}: expected keys such as 'steps: 1000', found {type(found).__name__}"
        )
    settings: dict[str, Any] = {"name": path.stem} | found
    for key, value in settings.items():
        if key not in kinds:
            raise UserError(f"{path}: unknown key '{key}'; known: {', '.join(kinds)}")
        try:
            settings[key] = _of_kind(value, kinds[key])
        except ValueError as error:
            raise UserError(f"{path}: {key}: expected {error}, found {_short(value)}") from error
    for key in ("steps", "batch_size"):
        if key not in settings:
            raise UserError(f"{path}: '{key}' is missing")
    return kind(**settings)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _of_kind(value: Any, kind: Any) -> Any:
    """Convert a YAML value to the type of a field.

    Raises
    ------
    ValueError
        The value has another type; the message says what was expected.
    """
    if get_origin(kind) in (Union, UnionType):  # of settings that may be missing
        return None if value is None else _of_kind(value, get_args(kind)[0])
    if is_dataclass(kind):
        return _settings(value, kind)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int and not (number and isinstance(value, int)):
        raise ValueError("a whole number")
    if kind is float:
        if number and abs(value) <= sys.float_info.max:  # a whole number may be beyond any float
            return float(value)
        hint = ""
        with suppress(TypeError, ValueError):  # YAML takes 1e-3, without a point, for text
            hint = f" (write {float(value)!r})" if isinstance(value, str) else ""
        raise ValueError(f"a number{hint}")
    if kind is bool and not isinstance(value, bool):
        raise ValueError("true or false")
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError("a list such as [1, 2]")
        return tuple(_of_kind(item, get_args(kind)[0]) for item in value)
    if kind not in (int, bool) and not isinstance(value, str):
        raise ValueError("text")
    return value


def _settings(value: Any, kind: Any) -> Any:
    """Return a mapping of YAML as the settings of a part of a schedule."""
    kinds: dict[str, Any] = {field.name: field.type for field in fields(kind)}
    if not isinstance(value, dict):
        raise ValueError("keys and values")
    for key in value:
        if key not in kinds:
            raise ValueError(f"keys among {', '.join(kinds)}")
    for field in fields(kind):
        if (
            field.default is MISSING
            and field.default_factory is MISSING
            and field.name not in value
        ):
            raise ValueError(f"a value for the key {field.name}")
    found = {}
    for key, item in value.items():
        try:
            found[key] = _of_kind(item, kinds[key])
        except ValueError as error:
            raise ValueError(f"{error} for {key}") from error
    return kind(**found)


def in_words(settings: Mapping[str, Any] | None) -> str:
    """Return the name and length of a schedule for tables: 'demo (900 steps)', or '' for None.

    Parameters
    ----------
    settings : mapping
        What `Schedule.describe` returned.
    """
    return f"{settings['name']} ({settings['steps']} steps)" if settings else ""
