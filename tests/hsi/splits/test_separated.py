"""Pixels of a block split are gathered by the blocks that they see."""

import numpy as np
import pytest

from hsi.scenes.labels import make_labels
from hsi.splits.leakage import chebyshev_distance
from hsi.splits.separated import _gather, block_split, used_blocks

SIDE = 5


@pytest.fixture(params=[6, 300], ids=["few classes", "more than a byte holds"])
def labels(request):
    """Fields of 13×7 pixels, a third of them without a label."""
    rng = np.random.default_rng(1)
    truth = np.kron(rng.integers(1, request.param + 1, (9, 11)), np.ones((13, 7), int))
    truth[rng.random(truth.shape) < 0.3] = 0
    return make_labels("fields", truth)


@pytest.mark.parametrize("guard", [0, 3, 12])
def test_groups_are_those_of_the_distances(labels, guard):
    labelled = labels.ground_truth > 0
    rows, columns = np.indices(labelled.shape) // SIDE
    block_of = rows * (columns.max() + 1) + columns
    used = np.unique(block_of[labelled])
    sees = np.stack(
        [(chebyshev_distance(labelled & (block_of == b)) <= guard)[labelled] for b in used], axis=1
    )
    classes = labels.indices[labelled]
    expected = np.unique(np.column_stack([classes, sees]), axis=0, return_counts=True)

    found = _gather(labels, used_blocks(labels, SIDE), guard)
    seen = np.zeros((len(found.sizes), len(used)), int)
    for block, groups in enumerate(found.seen_by):
        seen[groups, block] = 1
    rows_found = np.column_stack([found.classes, seen])
    order = np.lexsort(rows_found.T[::-1])
    assert np.array_equal(rows_found[order], expected[0])
    assert np.array_equal(found.sizes[order], expected[1])


def test_a_million_labelled_pixels_are_split():
    truth = np.kron(np.random.default_rng(0).integers(1, 10, (20, 20)), np.ones((50, 50), int))
    train, test, _ = block_split(make_labels("large", truth), 64, 12, np.random.default_rng(0))
    assert not (train & test).any()
    assert chebyshev_distance(test)[train].min() == 13
    assert train.sum() > 300_000
    assert test.sum() > 300_000
