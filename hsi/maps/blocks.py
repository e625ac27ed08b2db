"""A scene classified block by block; one block is read while another is classified."""

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.device import Compute, pick
from engine.threads.ahead import ahead
from engine.tiling import Block, Tiling
from hsi.classifiers.model import Model, load_model
from hsi.classifiers.protocol import (
    Application,
    Classifier,
    Prediction,
    TakesComponents,
    check_probabilities,
)
from hsi.errors import expect_kind
from hsi.maps.plan import comfortable_block
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import prepared

log = logging.getLogger(__name__)

Read = Callable[[Block], tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]


def reader(classifier: Classifier, scene: Scene, application: Application) -> Read:
    """Return the function that reads the features of a block with its halo.

    Returns
    -------
    callable
        From a block to features (h, w, F) and which pixels hold data (h, w).

    Raises
    ------
    HsiError
        The prepared components are not the model's.
    """
    reduced = application.reduced
    if reduced is not None and isinstance(classifier, TakesComponents):
        classifier.check_reduced(scene, reduced)
        cube = reduced.cube

        def read(block: Block) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
            features = cube[block.around]
            return features, (features != 0).any(axis=-1)
    else:
        if reduced is not None:
            log.info("%s: spectra are read; prepared components are not used", classifier.name)
        # A classifier that uses no band still has to know which pixels hold data.
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
    """Yield blocks with their predictions."""
    with closing(ahead(read, blocks)) as upcoming:
        for block, (features, valid) in upcoming:
            empty = ~block.inner(valid)
            found = classifier.classify(features, block, application)
            if empty.any():
                found.indices[empty] = -1
                if found.probabilities is not None:
                    found.probabilities[empty] = 0
            yield block, found


def classify_whole(classifier: Classifier, scene: Scene, application: Application) -> Prediction:
    """Return a whole scene as it is classified, held in memory."""
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


def predict(
    scene: Scene,
    model: Model | Path | str,
    *,
    block: int | None = None,
    resample_bands: bool = False,
    device: str = "auto",
    compute: Compute | None = None,
) -> npt.NDArray[np.int64]:
    """Return the class number of every pixel of a scene.

    The scene is read and classified block by block; only the map is held in memory as a whole.
    `hsi.classify` writes maps to files instead, for scenes of any size.

    Parameters
    ----------
    scene : Scene
        Its bands are matched to those of the training by wavelength, or by position where
        wavelengths are not known.
    model : Model, Path or str
        From `hsi.load_model`, or the file of one.
    block : int, optional
        Side of the blocks in pixels; chosen by memory unless given. It does not change the map.
    resample_bands : bool
        Interpolate between the scene's bands where it lacks those of the model.
    device : str
        'auto' (a GPU where there is one), 'cpu', 'cuda' or 'cuda:N'.
    compute : Compute, optional
        Device and precision as `engine.device.pick` returns them, in place of `device`.

    Returns
    -------
    ndarray (H, W), int64
        Class numbers as in the training labels; 0 where the scene holds no data.

    Raises
    ------
    HsiError
        The scene lacks bands of the model.
    UserError
        There is no such device or file.

    Examples
    --------
    >>> import hsi, tempfile
    >>> scene, labels = hsi.open_scene("IndianPines"), hsi.open_labels("IndianPines")
    >>> split = hsi.make_split(labels, "random:0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/model.safetensors"
    ...     _ = hsi.train(hsi.make_classifier("coordinates"), scene, labels, split, path)
    ...     numbers = hsi.predict(scene, hsi.load_model(path))
    >>> numbers.shape, int(numbers.min()), int(numbers.max())
    ((145, 145), 1, 16)
    """
    expect_kind(scene, Scene, "scene", "open it with hsi.open_scene")
    if not isinstance(model, Model):
        model = load_model(model)
    bands = model.match(scene, resample_bands=resample_bands)
    application = Application(compute or pick(device), block, bands=bands)
    return classify_whole(model.classifier, scene, application).numbers(model.classes)
