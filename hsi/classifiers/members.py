"""Simple probabilistic classifiers of feature vectors, kept as arrays, and who sits together.

References
----------
.. [1] R. Rifkin, G. Yeo and T. Poggio, "Regularized Least-Squares Classification", 2003.
.. [2] G. Camps-Valls et al., "Composite Kernels for Hyperspectral Image Classification", IEEE GRSL
   3(1), 2006.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from hsi.classifiers.model_file import array
from hsi.errors import HsiError

Floats = npt.NDArray[np.float64]

BOXES = (1, 5, 11)  # sides of the boxes over which components are averaged, in pixels
C = 1.0  # inverse strength of the logistic regression's penalty
BALANCE = 0.5  # a class of n pixels weighs as 1 / n to this power
LANDMARKS = 5000  # training pixels of the kernel regression, at most
CHUNK_BYTES = 32 * 2**20  # of kernel values that are held at once


@dataclass(frozen=True)
class Member:
    """A member of a committee.

    Attributes
    ----------
    boxes : tuple of int
        Sides of the boxes over which its components are averaged.
    count : int
        The least noisy components that it takes of each.
    rates : tuple of float
        Of its kernels, one per box; none for a logistic regression.
    ridge : float
        Penalty of the kernel regression.
    """

    boxes: tuple[int, ...]
    count: int
    rates: tuple[float, ...] = ()
    ridge: float = 0.0

    def columns(self, components: int) -> npt.NDArray[np.int64]:
        """Return its columns among features of so many components per box of `BOXES`."""
        first = [BOXES.index(box) * components for box in self.boxes]
        width = self.width(components)
        return np.asarray([start + n for start in first for n in range(width)], np.int64)

    def width(self, components: int) -> int:
        """Return how many components it takes where there are so many."""
        return min(self.count, components)

    def parts(self, components: int) -> list[slice]:
        """Return the parts of its columns that belong to each box."""
        width = self.width(components)
        return [slice(n * width, (n + 1) * width) for n in range(len(self.boxes))]


@dataclass(frozen=True)
class Plan:
    """Members, and the smoothing of their mean probability."""

    members: tuple[Member, ...]
    smoothing: str


# `far` for pixels a field away from what was learned: spectra count, and every class the same.
# `near` for pixels amid training pixels: surroundings tell more.
PLANS = {
    "far": Plan(
        (Member((1,), 40), Member((5,), 40), Member((1, 5), 20, (1.0, 0.5), 0.1)), "guided:6"
    ),
    "near": Plan((Member((1, 5, 11), 40, (1.0, 0.5, 0.5), 0.01),), "guided:3"),
}


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression in which every class weighs the same.

    Attributes
    ----------
    weights : ndarray (C, F), float64
    offsets : ndarray (C,), float64
        Minus infinity for a class without a training pixel.
    """

    weights: Floats
    offsets: Floats

    @classmethod
    def fit(cls, features: Floats, targets: npt.NDArray[np.int64], classes: int) -> Self:
        """Return the regression of standardised features (n, F) with targets (n,)."""
        from sklearn.linear_model import LogisticRegression

        found = LogisticRegression(C=C, class_weight="balanced", tol=1e-4, max_iter=1000)
        found.fit(features, targets)
        coefficients, intercepts = found.coef_, found.intercept_
        if len(coefficients) == 1:  # of two classes, the second's against the first's
            coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
            intercepts = np.concatenate([np.zeros(1), intercepts])
        weights, offsets = np.zeros((classes, features.shape[1])), np.full(classes, -np.inf)
        weights[found.classes_], offsets[found.classes_] = coefficients, intercepts
        return cls(weights, offsets)

    def probabilities(self, features: Floats) -> Floats:
        """Return probabilities (n, C) of features (n, F)."""
        scores = features @ self.weights.T + self.offsets
        shares: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `load` takes; classes that are not known are named apart."""
        known = np.flatnonzero(np.isfinite(self.offsets))
        return {"known": known, "weights": self.weights[known], "offsets": self.offsets[known]}

    @classmethod
    def load(cls, tensors: Mapping[str, Any], prefix: str, features: int, classes: int) -> Self:
        """Return a regression from checked tensors whose names begin with `prefix`."""
        known = known_classes(tensors, prefix, classes)
        weights, offsets = np.zeros((classes, features)), np.full(classes, -np.inf)
        weights[known] = array(tensors, f"{prefix}weights", (len(known), features))
        offsets[known] = array(tensors, f"{prefix}offsets", (len(known),))
        return cls(weights, offsets)


@dataclass(frozen=True)
class KernelRegression:
    """Ridge regression of class membership with the mean of Gaussian kernels (see [1]_, [2]_).

    What it regresses is 1 for the class and 0 for others; values below 0 count as 0.

    Attributes
    ----------
    parts : sequence of slice
        Features of each kernel.
    rates : sequence of float
        Of each kernel: exp(−rate × mean squared difference of the features).
    landmarks : ndarray (m, F), float64
        Training features.
    weights : ndarray (m, K), float64
    known : ndarray (K,), int64
        Classes with a training pixel.
    classes : int
    """

    parts: Sequence[slice]
    rates: Sequence[float]
    landmarks: Floats
    weights: Floats
    known: npt.NDArray[np.int64]
    classes: int

    @classmethod
    def fit(
        cls,
        features: Floats,
        targets: npt.NDArray[np.int64],
        classes: int,
        parts: Sequence[slice],
        rates: Sequence[float],
        ridge: float,
        rng: np.random.Generator,
    ) -> Self:
        """Return the regression of standardised features (n, F) with targets (n,).

        `ridge` is the penalty on its weights. Of more than `LANDMARKS` training pixels it takes so
        many, drawn at random but at least one of every class.
        """
        if len(targets) > LANDMARKS:
            drawn = rng.permutation(len(targets))
            _, first = np.unique(targets[drawn], return_index=True)
            order = np.concatenate([drawn[first], np.delete(drawn, first)])
            kept = np.sort(order[:LANDMARKS])
            features, targets = features[kept], targets[kept]
        from scipy.linalg import solve

        known, position, counts = np.unique(targets, return_inverse=True, return_counts=True)
        made = cls(parts, rates, features, np.empty((0, 0)), known, classes)
        weights = (len(targets) / len(known) / counts[position]) ** BALANCE
        kernel = made.kernel(features)
        kernel[np.diag_indices(len(kernel))] += ridge / weights
        truth = np.eye(len(known))[position] - 1 / len(known)
        solved = solve(kernel, truth, assume_a="pos", overwrite_a=True)
        return cls(parts, rates, features, solved, known, classes)

    def kernel(self, features: Floats) -> Floats:
        """Return the kernel (n, m) between features (n, F) and the landmarks."""
        total = np.zeros((len(features), len(self.landmarks)))
        for part, rate in zip(self.parts, self.rates, strict=True):
            one, two = features[:, part], self.landmarks[:, part]
            squares = (one**2).sum(axis=1)[:, None] + (two**2).sum(axis=1) - 2 * one @ two.T
            squares *= -rate / one.shape[1]
            total += np.exp(np.minimum(squares, 0, out=squares), out=squares)
        total /= len(self.parts)
        return total

    def probabilities(self, features: Floats) -> Floats:
        """Return probabilities (n, C) of features (n, F)."""
        found = np.zeros((len(features), self.classes))
        step = max(1, CHUNK_BYTES // (8 * len(self.landmarks)))
        for start in range(0, len(features), step):
            part = slice(start, start + step)
            values = self.kernel(features[part]) @ self.weights + 1 / len(self.known)
            found[part, self.known] = np.maximum(values, 1e-6)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `load` takes, beside parts and rates."""
        return {"known": self.known, "landmarks": self.landmarks, "weights": self.weights}

    @classmethod
    def load(
        cls,
        tensors: Mapping[str, Any],
        prefix: str,
        features: int,
        classes: int,
        parts: Sequence[slice],
        rates: Sequence[float],
    ) -> Self:
        """Return a regression from checked tensors whose names begin with `prefix`."""
        known = known_classes(tensors, prefix, classes)
        landmarks = array(tensors, f"{prefix}landmarks", (None, features))
        weights = array(tensors, f"{prefix}weights", (len(landmarks), len(known)))
        return cls(parts, rates, landmarks, weights, known, classes)


def known_classes(tensors: Mapping[str, Any], prefix: str, classes: int) -> npt.NDArray[np.int64]:
    """Return the classes that a member knows, checked to be in order and below `classes`."""
    known = array(tensors, f"{prefix}known", (None,), "i")
    if not (known[0] >= 0 and known[-1] < classes and (np.diff(known) > 0).all()):
        raise HsiError(f"{prefix}known: expected rising numbers from 0 to {classes - 1}")
    return known
