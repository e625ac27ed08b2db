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


def test_a_part_of_an_image_is_cut_up_and_sees_what_is_around_it():
    tiling = Tiling((12, 10), (4, 3), 2, strip=slice(3, 9), columns=slice(5, 10))
    seen = np.zeros((12, 10), int)
    for part in tiling:
        seen[part.rows, part.columns] += 1
    assert (seen[3:9, 5:] == 1).all()
    assert seen.sum() == tiling.pixels == 30
    assert len(tiling) == 4
    assert tiling[0].around == (slice(1, 9), slice(3, 10))
