import numpy as np
import pytest

from engine.tiling import Tiling


@pytest.mark.parametrize("block", [(1, 1), (4, 3), (5, 9), (50, 50)])
@pytest.mark.parametrize("halo", [0, 2, 6])
def test_blocks_cover_a_scene_once_and_see_their_halo(block, halo):
    image = np.arange(1, 12 * 10 + 1).reshape(12, 10)
    outside = np.pad(image, halo)
    tiling = Tiling(image.shape, block, halo)
    seen = np.zeros(image.shape, int)
    for part in tiling:
        seen[part.rows, part.columns] += 1
        read = image[part.around]
        assert np.array_equal(part.inner(read), image[part.rows, part.columns])
        expected = outside[
            part.rows.start : part.rows.stop + 2 * halo,
            part.columns.start : part.columns.stop + 2 * halo,
        ]
        assert np.array_equal(part.padded(read), expected)
    assert (seen == 1).all()
    assert len(list(tiling)) == len(tiling)
    with pytest.raises(IndexError):
        tiling[len(tiling)]
