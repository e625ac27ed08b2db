"""A trained classifier as one file, and the registry of what can be trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import load_tensors, save_tensors
from hsi.classifiers.catalogue import CATALOGUE, Entry
from hsi.classifiers.coordinates import Coordinates
from hsi.classifiers.protocol import Classifier
from hsi.classifiers.recipe import Recipe, parse_settings
from hsi.classifiers.spectral import SVM, BoxMeanSVM, Forest
from hsi.classifiers.window import NetworkClassifier
from hsi.errors import HsiError
from hsi.networks.architecture import Architecture
from hsi.networks.cnn import CNN2D, CNN3D, Reversed
from hsi.networks.hybridsn import HybridSN, SEHybridSN
from hsi.scenes.bands import Bands, match_bands
from hsi.scenes.scene import Scene

ARCHITECTURES: dict[str, type[Architecture]] = {
    kind.name: kind for kind in (HybridSN, SEHybridSN, CNN2D, CNN3D, Reversed)
}
CONTROLS: dict[str, type[Classifier]] = {
    kind.name: kind for kind in (Coordinates, SVM, Forest, BoxMeanSVM)
}


def _class_of(entry: Entry) -> type[Classifier]:
    """Return the class of a classifier: a control's, or one of its own for a network's name."""
    if not entry.network:
        return CONTROLS[entry.name]
    body = {
        "__doc__": entry.summary,
        "name": entry.name,
        "kind": ARCHITECTURES[entry.architecture],
        "own": entry.own,
    }
    return type(entry.name, (NetworkClassifier,), body)


CLASSIFIERS: dict[str, type[Classifier]] = {
    name: _class_of(entry) for name, entry in CATALOGUE.items()
}


def make_classifier(
    name: str,
    *,
    window: int | None = None,
    components: int | None = None,
    settings: Mapping[str, str] | None = None,
) -> Classifier:
    """Make an untrained classifier.

    Parameters
    ----------
    name : str
        One of `CLASSIFIERS`.
    window, components : int, optional
        Of a network; None keeps its default.
    settings : mapping of str to str, optional
        Others of a network, as text: fields of `hsi.classifiers.recipe.Recipe` and of its
        architecture.

    Raises
    ------
    HsiError
        No such name, or an option or setting that the classifier has not.
    """
    if name not in CLASSIFIERS:
        raise HsiError(f"--classifier {name}: expected one of {', '.join(CLASSIFIERS)}")
    made = CLASSIFIERS[name]
    if issubclass(made, NetworkClassifier):
        return made(window, components, **parse_settings(settings or {}, Recipe, made.kind))
    given = {"--window": window, "--components": components, "--set": settings or None}
    refused = [option for option, value in given.items() if value is not None]
    if refused:
        raise HsiError(f"--classifier {name}: it has no {' or '.join(refused)}")
    return made()


@dataclass(frozen=True)
class Model:
    """A trained classifier with everything it was made from.

    Attributes
    ----------
    classifier : Classifier
    description : dict
        JSON-serialisable: `classifier`, `scene`, `classes`, `class_names`, `colours`, `bands`,
        `wavelengths`, `used_bands`, `split`, `schedule`, `seed`, `seconds_train`, `settings`, and
        the checksums, versions and code revision behind the weights.
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
        used = self.classifier.bands.tolist()
        described = {**self.description, "used_bands": used, "settings": settings}
        return save_tensors(path, tensors, described)

    def match(self, scene: Scene, *, resample: bool = False) -> Bands | None:
        """Find the model's bands in a scene; None where it looks at no spectra.

        Raises
        ------
        HsiError
            The scene has other bands (see `hsi.scenes.bands.match_bands`).
        """
        if not len(self.classifier.bands):
            return None
        return match_bands(
            self.classifier.bands,
            self.description["bands"],
            self.description["wavelengths"],
            scene,
            trained_on=self.description["scene"],
            resample=resample,
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
