"""What DSCMR is compared to: canonical correlation, and plain cosines between components."""

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hsi.retrieval.views import Views

Embedded = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]

DIMENSIONS = (10, 20, 40)  # of either view before CCA, which fits noise where it has more
PAIRS = (3, 5, 10, 20)  # of canonical variates


def cosine(views: Views) -> Embedded:
    """Return the components of the pixel, and their mean over its patch, both (N, K)."""
    return views.spectra, views.patches.mean(axis=1)


def cca_sizes(training: Views) -> Iterator[tuple[int, int]]:
    """Yield the sizes of a canonical correlation to choose among: dimensions and pairs."""
    limit = min(training.spectra.shape[1], training.flat_patches.shape[1], len(training) - 1)
    tried = set()
    for dimensions in (min(asked, limit) for asked in DIMENSIONS):
        for size in ((dimensions, min(pairs, dimensions)) for pairs in PAIRS):
            if size not in tried:
                tried.add(size)
                yield size


class Correlated:
    """Principal components of either view, and their canonical variates (scikit-learn).

    Parameters
    ----------
    training : Views
    dimensions : int
        Principal components of either view.
    pairs : int
        Canonical variates.
    seed : int
        Of scikit-learn's randomised decomposition.
    """

    def __init__(self, training: Views, dimensions: int, pairs: int, seed: int) -> None:
        from sklearn.cross_decomposition import CCA
        from sklearn.decomposition import PCA
        from sklearn.exceptions import ConvergenceWarning

        views = training.spectra.astype(np.float64), training.flat_patches.astype(np.float64)
        self.reductions = [PCA(dimensions, random_state=seed).fit(view) for view in views]
        reduced = [r.transform(view) for r, view in zip(self.reductions, views, strict=True)]
        self.cca = CCA(pairs, max_iter=2000)
        with warnings.catch_warnings():
            # The last variates of a pair of views may be as good in any rotation.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.cca.fit(*reduced)

    def __call__(self, views: Views) -> Embedded:
        """Return both views in the space of the canonical variates, (N, pairs)."""
        both = views.spectra.astype(np.float64), views.flat_patches.astype(np.float64)
        reduced = [r.transform(view) for r, view in zip(self.reductions, both, strict=True)]
        first, second = self.cca.transform(*reduced)
        return first.astype(np.float32), second.astype(np.float32)
