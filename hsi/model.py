"""A trained classifier as one file, and the registry of what can be trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import load_tensors, save_tensors
from hsi.classifier import Classifier
from hsi.controls import SVM, BoxMeanSVM, Coordinates, Forest
from hsi.errors import HsiError
from hsi.neural import HybridSNClassifier
from hsi.scene import Scene

CLASSIFIERS: dict[str, type[Classifier]] = {
    "hybridsn": HybridSNClassifier,
    "coordinates": Coordinates,
    "svm": SVM,
    "forest": Forest,
    "boxmean-svm": BoxMeanSVM,
}


def make_classifier(name: str, **options: int | None) -> Classifier:
    """Make an untrained classifier.

    Parameters
    ----------
    name : str
        One of `CLASSIFIERS`.
    **options : int, optional
        Such as `window` and `components`; those that are None keep the classifier's default.

    Raises
    ------
    HsiError
        No such name, or an option that the classifier has not.
    """
    if name not in CLASSIFIERS:
        raise HsiError(f"--classifier {name}: expected one of {', '.join(CLASSIFIERS)}")
    given = {key: value for key, value in options.items() if value is not None}
    try:
        return CLASSIFIERS[name](**given)
    except TypeError as error:
        raise HsiError(
            f"--classifier {name}: it has no {' or '.join(f'--{key}' for key in given)}"
        ) from error


@dataclass(frozen=True)
class Model:
    """A trained classifier with everything it was made from.

    Attributes
    ----------
    classifier : Classifier
    description : dict
        JSON-serialisable: `classifier`, `scene`, `classes`, `class_names`, `colours`, `bands`,
        `wavelengths`, `split`, `schedule`, `seed`, `seconds_train`, `settings`, and the checksums,
        versions and code revision behind the weights.
    """

    classifier: Classifier
    description: dict[str, Any]

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Class numbers by the classifier's own indices."""
        return np.array(self.description["classes"], np.int64)

    @property
    def colours(self) -> npt.NDArray[np.uint8]:
        """Colours by the classifier's own indices, (C, 3)."""
        return np.array(self.description["colours"], np.uint8)

    def save(self, path: Path) -> str:
        """Write one .safetensors file; return its SHA-256."""
        tensors, settings = self.classifier.save()
        return save_tensors(path, tensors, {**self.description, "settings": settings})

    def check_fits(self, scene: Scene) -> None:
        """Raise HsiError where the scene has other bands than the model was trained on."""
        expected, found = self.description["bands"], scene.cube.shape[2]
        if found != expected:
            raise HsiError(
                f"{scene.name}: expected {expected} bands as in {self.description['scene']}, which "
                f"the model was trained on, found {found}"
            )
        trained = self.description["wavelengths"]
        if trained is None or scene.wavelengths is None:
            return
        apart = np.abs(np.array(trained) - scene.wavelengths)
        if apart.max() > 0.5:
            band = int(apart.argmax())
            raise HsiError(
                f"{scene.name}: expected the wavelengths the model was trained on; band {band + 1} "
                f"is {scene.wavelengths[band]:g} nm here and {trained[band]:g} nm there"
            )


def load_model(path: Path) -> Model:
    """Read what `Model.save` wrote.

    Raises
    ------
    HsiError
        Weights of something else. UserError: no file, or not a whole one.
    """
    tensors, description = load_tensors(path)
    if description.get("classifier") not in CLASSIFIERS:
        raise HsiError(f"{path}: expected a model of hsi train, found other weights")
    kind = CLASSIFIERS[description["classifier"]]
    try:
        return Model(kind.load(tensors, description["settings"]), description)
    except (KeyError, RuntimeError, TypeError) as error:
        message = " ".join(str(error).split())[:200]
        raise HsiError(f"{path}: expected a whole {kind.name} model ({message})") from error
