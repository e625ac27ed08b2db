import numpy as np
import pytest

from hsi.formats.lazy import LazyCube, cube_blocks, row_blocks, tell_pieces


class InMemory(LazyCube):
    def __init__(self, array, stored_rows=1):
        super().__init__(array.shape, array.dtype, stored_rows)
        self.array = array

    def read(self, rows, columns, bands):
        assert all(span.step is None and span.start < span.stop for span in (rows, columns, bands))
        return self.array[rows, columns, bands]


@pytest.mark.parametrize(
    "key",
    [
        np.s_[:], np.s_[2], np.s_[-1], np.s_[1:3], np.s_[1:3, 2:4], np.s_[..., 1], np.s_[..., 1:3],
        np.s_[2, 3], np.s_[2, 3, 1], np.s_[:, 2, :], np.s_[::2, ::-1, ::-2], np.s_[5:2], np.s_[9:],
        np.s_[-3:, :-1], np.s_[..., [2, 0]], np.s_[:, [True, False, True, False, True]],
        np.s_[[1, 1, -1]], np.s_[:, :, []], np.s_[...], np.s_[np.int64(3), ..., -1],
    ],
)  # fmt: skip
def test_slices_are_those_of_numpy(cube, key):
    expected = cube[key]
    found = InMemory(cube)[key]
    assert found.shape == expected.shape
    assert np.array_equal(found, expected)


def test_the_whole_becomes_an_array(cube):
    assert np.array_equal(np.asarray(InMemory(cube), np.float32), cube.astype(np.float32))


@pytest.mark.parametrize("key", [7, np.s_[0, 5], np.s_[0, 0, 0, 0], np.s_[0, :, [1]],
                                 np.s_[[0], [1]], np.s_[..., [4]], np.s_[..., ...]])  # fmt: skip
def test_what_numpy_would_read_otherwise_is_refused(cube, key):
    with pytest.raises(IndexError):
        InMemory(cube)[key]


def test_row_blocks_cover_all_rows_once():
    blocks = list(row_blocks((1000, 1000, 100), 8))
    assert blocks[0].stop == 20
    assert [b.start for b in blocks[1:]] == [b.stop for b in blocks[:-1]]
    assert (blocks[0].start, blocks[-1].stop) == (0, 1000)


def test_row_blocks_end_where_pieces_do():
    starts = [block.start for block in row_blocks((1000, 1000, 100), 8, 64)]
    assert starts == list(range(0, 1000, 64))
    starts = [block.start for block in row_blocks((1000, 10, 10), 8, 64)]
    assert starts == [0]
    # Pieces of 800 MiB are not held at once.
    assert next(row_blocks((1000, 1000, 100), 8, 1000)).stop == 20


def test_pieces_that_would_be_unpacked_over_and_over_are_told(caplog):
    tell_pieces("small.tif", InMemory(np.zeros((4, 4, 4)), 4))
    assert not caplog.text
    large = InMemory(np.broadcast_to(np.uint16(0), (600, 1000, 300)), 512)
    tell_pieces("large.tif", large)
    assert "large.tif: 512 rows are packed together, 292 MiB" in caplog.text
    assert next(cube_blocks(large)).stop == 512
