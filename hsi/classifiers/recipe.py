"""Settings of a window network's training and maps that are not part of the schedule."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from hsi.classifiers.schedules import WindowSchedule
from hsi.errors import HsiError


@dataclass(frozen=True)
class Recipe:
    """Settings of training and mapping; the defaults follow the paper.

    Attributes
    ----------
    dihedral : bool
        Train on each window in one of its eight orientations, drawn anew in every step.
    component_noise : float
        Standard deviation of Gaussian noise on the components of every pixel, drawn anew in every
        step; a whitened component has standard deviation 1.
    illumination : float
        Standard deviation of a gain on the spectra, a smooth field over the scene drawn anew in
        every step: slopes, haze and the sensor's angle make one field brighter than another.
    label_smoothing : float
        Share of the target that is spread evenly over all classes.
    average : bool
        Classify by the mean probability over the eight orientations of the scene.
    training_pca : bool
        Fit the components on the training pixels only, not on all pixels of the scene.
    weight_decay : float
        Decoupled weight decay, used instead of the schedule's; 0 keeps that of the schedule.
    optimizer, decay : str
        Used instead of the schedule's; '' keeps those of the schedule.
    learning_rate : float
        Used instead of the schedule's; 0 keeps that of the schedule.
    """

    dihedral: bool = False
    component_noise: float = 0.0
    illumination: float = 0.0
    label_smoothing: float = 0.0
    average: bool = False
    training_pca: bool = False
    weight_decay: float = 0.0
    optimizer: str = ""
    learning_rate: float = 0.0
    decay: str = ""

    def __post_init__(self) -> None:
        for key, fine, expected in (
            ("component_noise", self.component_noise >= 0, "0 or more"),
            ("illumination", 0 <= self.illumination < 1, "at least 0 and below 1"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "at least 0 and below 1"),
            ("weight_decay", self.weight_decay >= 0, "0 or more"),
            ("learning_rate", self.learning_rate >= 0, "0 or more"),
        ):
            if not fine:
                raise HsiError(f"{key}: expected {expected}, found {getattr(self, key)}")

    def applied(self, schedule: WindowSchedule) -> WindowSchedule:
        """Return a schedule with the values that the recipe states.

        Raises
        ------
        UserError
            There is no such optimizer or decay.
        """
        changed: dict[str, Any] = {
            key: getattr(self, key)
            for key in ("weight_decay", "optimizer", "learning_rate", "decay")
            if getattr(self, key)
        }
        optimizer = changed.get("optimizer", schedule.optimizer)
        if self.weight_decay and optimizer in ("adam", "keras-adam"):
            changed["optimizer"] = "adamw"  # with adam it would pull on the gradient's scale
        if optimizer == "muon":
            changed["momentum"] = 0.95
        return replace(schedule, **changed)


def parse_settings(given: Mapping[str, Any], *kinds: type[Any]) -> dict[str, Any]:
    """Return settings with the types of the fields they name.

    Parameters
    ----------
    given : mapping
        Values or texts, such as {'dihedral': 'true', 'hidden': '256,128'}.
    *kinds : dataclasses
        Whose fields with a default may be named.

    Raises
    ------
    HsiError
        A key is unknown, or a text is not of its field's type.
    """
    known = {
        field.name: field.default
        for kind in kinds
        for field in fields(kind)
        if field.name not in ("classes", "window", "components")
    }
    found = {}
    for key, value in given.items():
        text = setting_text(value)
        if key not in known:
            raise HsiError(f"`settings` {key}: no such setting; known: {', '.join(known)}")
        try:
            found[key] = _typed(text, known[key])
        except ValueError as error:
            raise HsiError(f"`settings` {key}={text}: expected {_expected(known[key])}") from error
    return found


def setting_text(value: Any) -> str:
    """Return a setting as `hsi train --set` takes it.

    Examples
    --------
    >>> setting_text(True), setting_text((256, 128)), setting_text(0.1)
    ('true', '256,128', '0.1')
    """
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(text: str, like: Any) -> Any:
    if isinstance(like, bool):
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    if isinstance(like, tuple):
        return tuple(int(part) for part in text.split(","))
    return type(like)(text)


def _expected(like: Any) -> str:
    if isinstance(like, bool):
        return "true or false"
    if isinstance(like, tuple):
        return f"numbers such as {','.join(map(str, like))}"
    return "a whole number" if isinstance(like, int) else "a number"
