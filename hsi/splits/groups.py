"""Pixels that are alike because they are neighbours: what a bootstrap draws as a whole."""

import numpy as np
import numpy.typing as npt

from hsi.scenes.labels import Labels
from hsi.splits.polygons import regions
from hsi.splits.split import Split


def groups_of(labels: Labels, split: Split) -> npt.NDArray[np.int32]:
    """Return the group of each test pixel, (n,), row by row.

    The block where the split is by blocks; else the polygon or, of labels in a raster, what one
    class covers without a break. A group has the same number in all splits of the same labels.
    """
    side = split.report.get("block")
    if side is None:
        return regions(labels)[split.test]
    _, width = labels.ground_truth.shape
    across = -(-width // side)
    found = [
        (np.flatnonzero(split.test[row]) // side + row // side * across).astype(np.int32)
        for row in range(split.test.shape[0])
    ]
    return np.concatenate(found)
