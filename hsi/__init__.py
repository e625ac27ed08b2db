"""Hyperspectral scenes: read, reduce, split without leakage, train, classify whole, score.

The names below are the public ones. Each is imported when it is first used, so that `import hsi`
loads neither torch nor NumPy.

Examples
--------
>>> import hsi
>>> scene, labels = hsi.open_scene("IndianPines"), hsi.open_labels("IndianPines")
>>> hsi.make_split(labels, "blocks:16").check_fits(labels)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsi.classifiers.model import load_model, make_classifier
    from hsi.classifiers.train import train
    from hsi.degradations.degradation import degrade
    from hsi.denoising.denoise import denoise
    from hsi.errors import HsiError
    from hsi.evaluation.compare import mcnemar
    from hsi.evaluation.score import score
    from hsi.figures import save_map
    from hsi.maps.blocks import predict
    from hsi.maps.classify import classify
    from hsi.scenes.false_colour import false_colour
    from hsi.scenes.labels import Labels, open_labels
    from hsi.scenes.scene import Scene, open_scene, write_scene
    from hsi.splits.leakage import leakage_report
    from hsi.splits.split import Split, load_split, make_split

_MODULES = {
    "open_scene": "hsi.scenes.scene",
    "write_scene": "hsi.scenes.scene",
    "Scene": "hsi.scenes.scene",
    "open_labels": "hsi.scenes.labels",
    "Labels": "hsi.scenes.labels",
    "make_split": "hsi.splits.split",
    "load_split": "hsi.splits.split",
    "Split": "hsi.splits.split",
    "leakage_report": "hsi.splits.leakage",
    "make_classifier": "hsi.classifiers.model",
    "train": "hsi.classifiers.train",
    "load_model": "hsi.classifiers.model",
    "classify": "hsi.maps.classify",
    "predict": "hsi.maps.blocks",
    "degrade": "hsi.degradations.degradation",
    "denoise": "hsi.denoising.denoise",
    "score": "hsi.evaluation.score",
    "mcnemar": "hsi.evaluation.compare",
    "false_colour": "hsi.scenes.false_colour",
    "save_map": "hsi.figures",
    "HsiError": "hsi.errors",
}

__all__ = [
    "HsiError",
    "Labels",
    "Scene",
    "Split",
    "classify",
    "degrade",
    "denoise",
    "false_colour",
    "leakage_report",
    "load_model",
    "load_split",
    "make_classifier",
    "make_split",
    "mcnemar",
    "open_labels",
    "open_scene",
    "predict",
    "save_map",
    "score",
    "train",
    "write_scene",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_MODULES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
