"""The classifiers by name, with the window, components and schedule of each.

This is the only list of classifiers. It imports neither torch nor scikit-learn, so that the command
line and the workflow can read it at no cost; `hsi.classifiers.model` makes the classifiers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hsi.errors import HsiError

# Schedules that have a name; any other is a YAML file (see `hsi.classifiers.schedules.schedule`).
SCHEDULES = ("demo", "paper", "notebook", "best")


@dataclass(frozen=True)
class Entry:
    """One classifier.

    Attributes
    ----------
    name : str
        What commands, tables and folders call it.
    summary : str
        What it is, in a few words.
    architecture : str
        Of a network: the `name` of a class in `hsi.networks`. Empty for the controls, which are
        fitted at once.
    window : int, optional
        Side of the window in pixels, where the name stands for one; such a classifier refuses
        another. None for a network whose window is chosen (25 unless asked for), and for controls.
    components : int, optional
        Principal components, where the name stands for a number of them. None for a network that
        takes those of the scene (30 unless asked for), and for controls.
    settings : mapping
        Other settings that the name stands for, as `hsi.classifiers.recipe.Recipe` and the
        architecture name them.
    published_schedule : str, optional
        The schedule behind the network's published or committed figures, a name in `SCHEDULES`;
        None for controls, which have no schedule.
    smooth : str
        How its probabilities are smoothed unless asked otherwise (`hsi.features.smoothing`);
        'auto' for a classifier that chooses that in training.
    probabilities : bool
        Of a control: whether it gives probabilities; every network does.
    """

    name: str
    summary: str
    architecture: str = ""
    window: int | None = None
    components: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    published_schedule: str | None = None
    smooth: str = "none"
    probabilities: bool = False

    @property
    def network(self) -> bool:
        """Whether it is a window network on principal components."""
        return bool(self.architecture)

    @property
    def stepwise(self) -> bool:
        """Whether it is trained by a schedule of steps, and writes a history of its loss."""
        return self.network

    @property
    def has_probabilities(self) -> bool:
        """Whether its maps can have probabilities."""
        return self.network or self.probabilities

    @property
    def takes_window(self) -> bool:
        """Whether `window` may be chosen: it is a network whose name stands for none."""
        return self.network and self.window is None

    @property
    def shares_components(self) -> bool:
        """Whether it takes the scene's components as `hsi reduce` writes them for all networks."""
        return self.network and self.components is None

    @property
    def own(self) -> dict[str, Any]:
        """All settings that the name stands for, window and components included."""
        sizes = {"window": self.window, "components": self.components}
        return {key: value for key, value in sizes.items() if value is not None} | {**self.settings}


# A small window and many components, as `hsi study` found them on the training pixels of Indian
# Pines (the DASE mask's): two-dimensional convolutions over 13 × 13 pixels, trained by Muon on
# windows in all orientations; maps are means over the eight orientations. 15 × 15 pixels were 0.3
# points better and half as slow again.
CNN2D_13 = {
    "dihedral": True,
    "average": True,
    "label_smoothing": 0.1,
    "weight_decay": 0.05,
    "component_noise": 0.1,
    "optimizer": "muon",
    "learning_rate": 0.004,
    "decay": "cosine",
}


def _network(name: str, summary: str, architecture: str = "", **stated: Any) -> Entry:
    stated = {"published_schedule": "paper", **stated}
    return Entry(name, summary, architecture or name, **stated)


CATALOGUE: dict[str, Entry] = {
    listed.name: listed
    for listed in (
        _network("hybridsn", "HybridSN, 25 × 25 pixels unless another window is asked for"),
        _network("hybridsn-11", "HybridSN that sees 11 × 11 pixels", "hybridsn", window=11),
        _network("hybridsn-15", "HybridSN that sees 15 × 15 pixels", "hybridsn", window=15),
        _network("hybridsn-19", "HybridSN that sees 19 × 19 pixels", "hybridsn", window=19),
        _network("se-hybridsn", "HybridSN with squeeze and excitation"),
        _network("cnn2d", "convolutions over space alone"),
        _network("cnn3d", "convolutions over space and spectrum alone"),
        _network("reversed", "HybridSN in reverse: 2D before 3D convolutions"),
        _network(
            "cnn2d-13",
            "convolutions over space alone, 13 × 13 pixels, as `hsi study` found them",
            "cnn2d",
            window=13,
            components=60,
            settings=CNN2D_13,
            published_schedule="best",
        ),
        _network("lenet5", "LeNet-5 (1998)"),
        _network("alexnet", "AlexNet (2012)"),
        _network("vgg16", "VGG-16 (2015)"),
        _network("googlenet", "GoogLeNet (2015), with auxiliary heads in training"),
        _network("resnet18", "ResNet-18 (2016)", "resnet", settings={"depth": 18}),
        _network("resnet50", "ResNet-50 (2016)", "resnet", settings={"depth": 50}),
        _network("mobilenet-v1", "MobileNet V1 (2017): depthwise-separable convolutions"),
        _network("mobilenet-v2", "MobileNet V2 (2018): inverted residuals"),
        _network("senet", "SE-ResNet-50 (2018): squeeze and excitation in every block"),
        _network("danet", "DANet (2019): attention between positions and between channels"),
        Entry(
            "best",
            "a committee on noise-whitened components, smoothed",
            smooth="auto",
            probabilities=True,
        ),
        Entry("coordinates", "nearest training pixel by position, without spectra"),
        Entry("svm", "support vector machine on the spectrum of each pixel"),
        Entry("forest", "random forest on the spectrum of each pixel", probabilities=True),
        Entry("boxmean-svm", "support vector machine on spectra averaged over 5 × 5 pixels"),
    )
}


def names() -> list[str]:
    """Return the names of all classifiers.

    Examples
    --------
    >>> names()[0], names()[-1]
    ('hybridsn', 'boxmean-svm')
    """
    return list(CATALOGUE)


def networks() -> list[str]:
    """Return the names of the window networks, which are trained by a schedule.

    Examples
    --------
    >>> networks()[-1]
    'cnn2d-13'
    """
    return [name for name, listed in CATALOGUE.items() if listed.network]


def entry(name: str) -> Entry:
    """Return what is known of a classifier.

    Raises
    ------
    HsiError
        There is no classifier of this name.

    Examples
    --------
    >>> entry("hybridsn-11").window, entry("hybridsn-11").takes_window
    (11, False)
    """
    if name not in CATALOGUE:
        raise HsiError(f"`classifier` {name}: expected one of {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
