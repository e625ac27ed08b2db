"""A map of `best` by `hsi.predict`, against the same model written out with SciPy and scikit-learn.

The plain way holds the whole scene and all its features in memory, as a notebook would. It takes
from the model nothing but its fitted numbers, and shares with it the final smoothing alone.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmarks.side_by_side import Row, measure
from engine.device import Compute
from hsi.classifiers.committee import Committee
from hsi.classifiers.members import KernelRegression, Logistic, Member
from hsi.classifiers.model import Model, load_model, make_classifier
from hsi.classifiers.smoothed import Smoothed
from hsi.classifiers.train import train
from hsi.maps.blocks import predict
from hsi.scenes.labels import Labels, open_labels
from hsi.scenes.scene import Scene, open_scene
from hsi.splits.split import make_split

Floats = npt.NDArray[np.float64]

SCENE, SPLIT = "IndianPines", "random:0.1"


def rows(compute: Compute) -> Iterator[Row]:
    """Measure the map of an embedded scene."""
    yield mapped(compute, open_scene(SCENE), open_labels(SCENE))


def mapped(compute: Compute, scene: Scene, labels: Labels, repeats: int = 3) -> Row:
    """Train `best`, and map the scene both ways.

    Returns
    -------
    Row
        The difference is the largest of two class numbers: 0 if the maps are equal.
    """
    split = make_split(labels, SPLIT, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "best.safetensors"
        train(make_classifier("best"), scene, labels, split, path, compute=compute)
        model = load_model(path)
    plan = model.description["settings"]["plan"]
    size = "x".join(map(str, scene.cube.shape))
    return measure(
        "hsi best map",
        f"best (plan {plan}, {SPLIT}) of {scene.name}, {size}: SciPy and scikit-learn on the whole "
        "scene in memory against hsi.predict, float64, the same smoothing; the difference is the "
        "largest of two class numbers",
        lambda: _tensor(in_one_piece(model, scene)),
        lambda: _tensor(predict(scene, model, compute=compute)),
        compute,
        precision="float32",
        repeats=repeats,
    )


def in_one_piece(model: Model, scene: Scene) -> npt.NDArray[np.int64]:
    """Return the class numbers (H, W) of a scene whose pixels all hold data."""
    smoothed = model.classifier
    assert isinstance(smoothed, Smoothed)
    committee = smoothed.classifier
    assert isinstance(committee, Committee)
    mnf, guide = committee.mnf, smoothed.guide
    assert mnf is not None
    assert guide is not None
    spectra = np.asarray(scene.cube[:], np.float64)[..., mnf.bands]
    components = (spectra - mnf.mean) @ mnf.components.T / mnf.scale
    total = np.zeros((*scene.shape, committee.classes))
    for planned, member in zip(committee.plan.members, committee.members, strict=True):
        features = _features(committee, planned, components)
        total += _probabilities(member, features).reshape(total.shape)
    shares = (total / len(committee.members)).astype(np.float32)
    guiding = (spectra - guide.mean) @ guide.components.T / guide.scale
    everywhere = np.ones(scene.shape, np.bool_)
    found = smoothed.smoothing.apply(shares, everywhere, guiding).argmax(axis=-1)
    return np.asarray(model.classes[found])


def _features(committee: Committee, member: Member, components: Floats) -> Floats:
    """Return what a member sees, (H × W, F): means over its boxes, standardised."""
    from scipy.ndimage import uniform_filter

    count = components.shape[-1]
    inside = np.ones(components.shape[:2])
    means = []
    for box in member.boxes:
        # Beyond the border nothing counts.
        sums = uniform_filter(components, (box, box, 1), mode="constant")
        shares = uniform_filter(inside, box, mode="constant")
        means.append((sums / shares[..., None])[..., : member.width(count)])
    columns = member.columns(count)
    found = np.concatenate(means, axis=-1).reshape(-1, len(columns))
    return np.asarray((found - committee.centre[columns]) / committee.spread[columns])


def _probabilities(member: Logistic | KernelRegression, features: Floats) -> Floats:
    """Return probabilities (n, C) of features (n, F)."""
    from scipy.special import softmax
    from sklearn.metrics.pairwise import rbf_kernel

    if isinstance(member, Logistic):
        return np.asarray(softmax(features @ member.weights.T + member.offsets, axis=1))
    kernels = [
        rbf_kernel(
            features[:, part], member.landmarks[:, part], gamma=rate / (part.stop - part.start)
        )
        for part, rate in zip(member.parts, member.rates, strict=True)
    ]
    values = np.mean(kernels, axis=0) @ member.weights + 1 / len(member.known)
    found = np.zeros((len(features), member.classes))
    found[:, member.known] = np.maximum(values, 1e-6)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _tensor(numbers: npt.NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(numbers)
