"""The window networks that can be trained, by the names that tables call them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from hsi.classifiers.window import NetworkClassifier
from hsi.networks.cnn import CNN2D, CNN3D, Reversed
from hsi.networks.hybridsn import HybridSN, SEHybridSN


class HybridSNClassifier(NetworkClassifier):
    """HybridSN, 25 × 25 pixels unless another window is asked for."""

    name = "hybridsn"
    kind = HybridSN


class HybridSN11(HybridSNClassifier):
    """HybridSN that sees 11 × 11 pixels."""

    name = "hybridsn-11"
    own: ClassVar[Mapping[str, Any]] = {"window": 11}


class HybridSN15(HybridSNClassifier):
    """HybridSN that sees 15 × 15 pixels."""

    name = "hybridsn-15"
    own: ClassVar[Mapping[str, Any]] = {"window": 15}


class HybridSN19(HybridSNClassifier):
    """HybridSN that sees 19 × 19 pixels."""

    name = "hybridsn-19"
    own: ClassVar[Mapping[str, Any]] = {"window": 19}


class SEHybridSNClassifier(NetworkClassifier):
    """HybridSN with squeeze and excitation; `squeeze_3d=false` leaves one stage out."""

    name = "se-hybridsn"
    kind = SEHybridSN


class CNN2DClassifier(NetworkClassifier):
    """Convolutions over space alone."""

    name = "cnn2d"
    kind = CNN2D


class CNN3DClassifier(NetworkClassifier):
    """Convolutions over space and spectrum alone."""

    name = "cnn3d"
    kind = CNN3D


class ReversedClassifier(NetworkClassifier):
    """2D before 3D."""

    name = "reversed"
    kind = Reversed


class Best(NetworkClassifier):
    """What `hsi study` found on the training pixels of Indian Pines (the DASE mask's).

    A small window and many components: two-dimensional convolutions over 13 × 13 pixels, trained by
    Muon on windows in all orientations; maps are means over the eight orientations. 15 × 15 pixels
    were 0.3 points better and half as slow again.
    """

    name = "best"
    kind = CNN2D
    own: ClassVar[Mapping[str, Any]] = {
        "window": 13,
        "components": 60,
        "dihedral": True,
        "average": True,
        "label_smoothing": 0.1,
        "weight_decay": 0.05,
        "component_noise": 0.1,
        "optimizer": "muon",
        "learning_rate": 0.004,
        "decay": "cosine",
    }


NETWORKS: dict[str, type[NetworkClassifier]] = {
    kind.name: kind
    for kind in (
        HybridSNClassifier,
        HybridSN11,
        HybridSN15,
        HybridSN19,
        SEHybridSNClassifier,
        CNN2DClassifier,
        CNN3DClassifier,
        ReversedClassifier,
        Best,
    )
}
