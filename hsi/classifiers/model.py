"""A trained classifier as one file, and the registry of what can be trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from engine.errors import parsing
from engine.tensors import as_tensors, save_tensors
from hsi.classifiers import model_file
from hsi.classifiers.catalogue import CATALOGUE, Entry, entry
from hsi.classifiers.committee import Committee
from hsi.classifiers.coordinates import Coordinates
from hsi.classifiers.protocol import Classifier
from hsi.classifiers.recipe import Recipe, parse_settings
from hsi.classifiers.smoothed import AUTO, NONE, SETTING, loaded, smoothed
from hsi.classifiers.spectral import SVM, BoxMeanSVM, Forest
from hsi.classifiers.window import NetworkClassifier
from hsi.errors import HsiError
from hsi.features.levels import warn_of_other_units
from hsi.features.smoothing import Smoothing
from hsi.networks.architecture import Architecture
from hsi.networks.backbones import BACKBONES
from hsi.networks.cnn import CNN2D, CNN3D, Reversed
from hsi.networks.hybridsn import HybridSN, SEHybridSN
from hsi.scenes.bands import Bands, match_bands
from hsi.scenes.scene import Scene

_OWN: tuple[type[Architecture], ...] = (HybridSN, SEHybridSN, CNN2D, CNN3D, Reversed)
ARCHITECTURES: dict[str, type[Architecture]] = {kind.name: kind for kind in (*_OWN, *BACKBONES)}
CONTROLS: dict[str, type[Classifier]] = {
    kind.name: kind for kind in (Committee, Coordinates, SVM, Forest, BoxMeanSVM)
}


def _class_of(listed: Entry) -> type[Classifier]:
    """Return the class of a classifier: a control's, or one of its own for a network's name."""
    if not listed.network:
        return CONTROLS[listed.name]
    body = {
        "__doc__": listed.summary,
        "name": listed.name,
        "kind": ARCHITECTURES[listed.architecture],
        "own": listed.own,
    }
    return type(listed.name, (NetworkClassifier,), body)


CLASSIFIERS: dict[str, type[Classifier]] = {
    name: _class_of(listed) for name, listed in CATALOGUE.items()
}


def make_classifier(
    name: str,
    *,
    window: int | None = None,
    components: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Classifier:
    """Return an untrained classifier.

    Parameters
    ----------
    name : str
        One of `hsi.classifiers.catalogue.names()`: 'hybridsn', 'best', 'coordinates', 'svm',
        'forest', 'boxmean-svm' and others.
    window : int, optional
        Odd side of the window that a network sees, in pixels; 25 unless the name stands for one.
    components : int, optional
        Principal components that a network sees; 30 unless the name stands for a number.
    settings : mapping, optional
        `smooth` of every classifier with probabilities, such as {'smooth': 'guided:6'} (see
        `hsi.features.smoothing`). Other settings of a network, by name: fields of
        `hsi.classifiers.recipe.Recipe` and of its architecture, such as {'dihedral': True,
        'hidden': (256, 128)}. Text as after `hsi train --set` is accepted too.

    Returns
    -------
    Classifier
        To be trained by `hsi.train`.

    Raises
    ------
    HsiError
        There is no such name, or the classifier lacks an argument or setting.

    Examples
    --------
    >>> import hsi
    >>> classifier = hsi.make_classifier("hybridsn", window=15, settings={"dropout": 0.5})
    >>> classifier.name, classifier.options["window"]
    ('hybridsn', 15)
    """
    listed, settings = entry(name), dict(settings or {})
    smooth = str(settings.pop(SETTING, listed.smooth))
    made = CLASSIFIERS[name]
    classifier: Classifier
    if issubclass(made, NetworkClassifier):
        classifier = made(window, components, **parse_settings(settings, Recipe, made.kind))
    else:
        _refuse(name, window=window, components=components, settings=settings or None)
        classifier = made()
    if smooth == NONE:
        return classifier
    return smoothed(classifier, None if smooth == AUTO else Smoothing.parse(smooth))


def _refuse(name: str, **given: Any) -> None:
    """Raise HsiError where a control is given what only networks have."""
    refused = [f"`{argument}`" for argument, value in given.items() if value is not None]
    if refused:
        raise HsiError(f"`classifier` {name}: it has no {' or '.join(refused)}")


@dataclass(frozen=True)
class Model:
    """A trained classifier with everything it was made from.

    Attributes
    ----------
    classifier : Classifier
    sha256 : str
        Of the tensors and of what decides how they are used: that of an equal training is equal.
    description : dict
        JSON-serialisable: `classifier`, `scene`, `classes`, `class_names`, `colours`, `bands`,
        `wavelengths`, `used_bands`, `spectra` (their level and scale), `split`, `schedule`,
        `seed`, `seconds_train`, `settings`, and the checksums, versions and code revision behind
        the weights.
    """

    classifier: Classifier
    description: dict[str, Any]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the tensors and of what decides how they are used."""
        return model_file.identity(*self._saved())

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Class numbers by the classifier's own indices."""
        return np.array(self.description["classes"], np.int64)

    @property
    def class_names(self) -> list[str]:
        """Names by the classifier's own indices."""
        return [str(name) for name in self.description["class_names"]]

    @property
    def colours(self) -> npt.NDArray[np.uint8]:
        """Colours by the classifier's own indices, (C, 3)."""
        return np.array(self.description["colours"], np.uint8)

    def save(self, path: Path) -> str:
        """Write the model to one .safetensors file; return its SHA-256."""
        return save_tensors(path, *self._saved())

    def _saved(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, settings = self.classifier.save()
        used = self.classifier.bands.tolist()
        return tensors, {**self.description, "used_bands": used, "settings": settings}

    def match(
        self, scene: Scene, *, resample_bands: bool = False, refit_scaling: bool = False
    ) -> Bands | None:
        """Return the model's bands in a scene, or None where it uses no spectra.

        A warning says where the scene seems to come in other units than the training's, unless
        `refit_scaling` makes up for that.

        Raises
        ------
        HsiError
            The scene lacks bands of the model (see `hsi.scenes.bands.match_bands`).
        """
        if not len(self.classifier.bands):
            return None
        found = match_bands(
            self.classifier.bands,
            self.description["bands"],
            self.description["wavelengths"],
            scene,
            trained_on=self.description["scene"],
            resample_bands=resample_bands,
        )
        trained = self.description.get("spectra")  # which models of earlier versions lack
        if trained is not None and not refit_scaling:
            warn_of_other_units(scene, found, trained, self.description["scene"])
        return found


def load_model(path: Path | str) -> Model:
    """Read a trained model.

    Parameters
    ----------
    path : Path or str
        A .safetensors file of `hsi.train`.

    Returns
    -------
    Model
        The classifier, and the description of what it was made from.

    Raises
    ------
    HsiError
        There is no such file, or it is cut short; it holds other weights, or a part of a model;
        its description states what its tensors do not bear out, or lacks a key.

    Examples
    --------
    >>> import hsi, tempfile
    >>> scene, labels = hsi.open_scene("IndianPines"), hsi.open_labels("IndianPines")
    >>> split = hsi.make_split(labels, "random:0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/model.safetensors"
    ...     _ = hsi.train(hsi.make_classifier("coordinates"), scene, labels, split, path)
    ...     model = hsi.load_model(path)
    >>> model.description["scene"], model.class_names[10]
    ('IndianPines', 'Soybean-mintill')
    """
    stored, description = model_file.stored(path)
    kind = CLASSIFIERS[description["classifier"]]
    with parsing(path, f"expected a whole {kind.name} model", HsiError):
        made = loaded(kind, as_tensors(stored), description["settings"])
        model_file.within(made.bands, "bands", description["bands"])
        count = len(description["classes"])
        if made.classes > count or (made.has_probabilities and made.classes != count):
            raise HsiError(f"expected {count} classes as described, found {made.classes}")
    return Model(made, description)
