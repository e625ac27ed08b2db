"""Labels with other classes at some pixels: those of a published mask, or none without data."""

import logging
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hsi.scenes.class_numbers import occurring
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import refuse_without_data

log = logging.getLogger(__name__)

ROWS = 64  # of the scene that are looked at together


def relabelled(labels: Labels, classes: npt.NDArray[np.int32]) -> Labels:
    """Return labels with other class numbers (H, W), all of which `labels` has, too.

    Polygons stay where no pixel gets another class, but for those that lose theirs.
    """
    kept = np.isin(labels.classes, occurring(classes))
    names = [name for name, is_kept in zip(labels.class_names, kept, strict=True) if is_kept]
    polygons = labels.polygons
    if polygons is not None:
        same = ((classes == labels.ground_truth) | (classes == 0)).all()
        polygons = np.where(classes > 0, polygons, 0).astype(np.int32) if same else None
    return replace(
        labels,
        ground_truth=classes,
        class_names=tuple(names),
        colours=labels.colours[kept],
        polygons=polygons,
    )


def with_data(labels: Labels, scene: Scene) -> Labels:
    """Return labels without the pixels where a scene holds no data; a warning counts them.

    Returns
    -------
    Labels
        `labels` itself where all its pixels hold data.

    Raises
    ------
    HsiError
        The labels are not of the scene; none or only one class is left.
    """
    labels.check_fits(scene)
    classes, missing = labels.ground_truth.astype(np.int32), 0
    for start in range(0, scene.shape[0], ROWS):
        rows = slice(start, min(start + ROWS, scene.shape[0]))
        if (classes[rows] > 0).any():
            empty = scene.no_data(rows) & (classes[rows] > 0)
            missing += int(empty.sum())
            classes[rows][empty] = 0
    if not missing:
        return labels
    labelled = int(labels.count().sum())
    if missing == labelled:
        row, column = np.argwhere(labels.ground_truth > 0)[0]
        if not np.isfinite(scene.cube[row, column][scene.good_bands]).all():
            scene.refuse_not_finite()  # whole bands, not a few pixels
        refuse_without_data(scene)
    log.warning(
        "%s: %d of %d labelled pixels hold no data in %s and are left out",
        labels.name, missing, labelled, scene.name,
    )  # fmt: skip
    return relabelled(labels, classes)
