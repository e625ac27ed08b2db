"""A scene through a classifier, block by block: one is read while another is classified."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.ahead import ahead
from engine.tiling import Block, Tiling
from hsi.classifiers.protocol import (
    Application,
    Classifier,
    Prediction,
    TakesComponents,
    check_probabilities,
)
from hsi.maps.plan import comfortable_block
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import prepared

Read = Callable[[Block], tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]


def reader(classifier: Classifier, scene: Scene, application: Application) -> Read:
    """Say how the features of a block, with its halo, are read.

    Returns
    -------
    callable
        From a block to features (h, w, F) and which pixels hold data (h, w).

    Raises
    ------
    HsiError
        Prepared components that are not the model's.
    """
    reduced = application.reduced
    if reduced is not None and isinstance(classifier, TakesComponents):
        classifier.check_reduced(scene, reduced)
        cube = reduced.cube

        def read(block: Block) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
            features = cube[block.around]
            return features, (features != 0).any(axis=-1)
    else:
        # Who looks at no band still has to know where there are data.
        own = Bands(classifier.bands if len(classifier.bands) else scene.good_bands)
        bands = application.bands or own

        def read(block: Block) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
            return prepared(scene, *block.around, bands, classifier.features)

    return read


def classified(
    classifier: Classifier,
    read: Read,
    blocks: Iterable[Block],
    application: Application,
) -> Generator[tuple[Block, Prediction]]:
    """Yield blocks with what they were classified as."""
    with closing(ahead(read, blocks)) as upcoming:
        for block, (features, valid) in upcoming:
            empty = ~block.inner(valid)
            found = classifier.classify(features, block, application)
            if empty.any():
                found.indices[empty] = -1
                if found.probabilities is not None:
                    found.probabilities[empty] = 0
            yield block, found


def predict(classifier: Classifier, scene: Scene, application: Application) -> Prediction:
    """Classify a whole scene and hold the result in memory."""
    check_probabilities(classifier, application.probabilities)
    side = application.block
    block = (side, side) if side else comfortable_block(classifier, scene)
    tiling = Tiling(scene.shape, block, classifier.halo)
    indices = np.empty(scene.shape, np.int64)
    probabilities: npt.NDArray[np.float32] | None = None
    read = reader(classifier, scene, application)
    for part, found in classified(classifier, read, tiling, application):
        indices[part.rows, part.columns] = found.indices
        if found.probabilities is not None:
            if probabilities is None:
                count = found.probabilities.shape[-1]
                probabilities = np.empty((*scene.shape, count), np.float32)
            probabilities[part.rows, part.columns] = found.probabilities
    return Prediction(indices, probabilities)
