from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from restore.degradations import jpeg, luma
from restore.errors import RestoreError


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        # MATLAB's rgb2ycbcr of the eight corners of the cube.
        ((0, 0, 0), 16),
        ((255, 255, 255), 235),
        ((255, 0, 0), 81),
        ((0, 255, 0), 145),
        ((0, 0, 255), 41),
        ((255, 255, 0), 210),
        ((0, 255, 255), 170),
        ((255, 0, 255), 106),
        ((128, 128, 128), 126),
    ],
)
def test_luma_is_matlabs(rgb, expected):
    assert luma.luma(np.array([[rgb]], np.uint8))[0, 0] == expected


def test_luma_rounds_half_a_level_up():
    # 65.481 r + 128.553 g + 24.966 b = 255 (n + 1/2) has whole solutions; search one exactly.
    r, g = np.indices((256, 256)).reshape(2, -1)
    for blue in range(256):
        total = 65481 * r + 128553 * g + 24966 * blue
        hit = np.flatnonzero(total % 255000 == 127500)
        if len(hit):
            break
    rgb = np.array([[(r[hit[0]], g[hit[0]], blue)]], np.uint8)
    assert luma.luma(rgb)[0, 0] == 16 + total[hit[0]] // 255000 + 1


def test_compression_keeps_shape_and_loses_more_at_low_quality():
    image = (np.indices((40, 56)).sum(0) * 2 % 256).astype(np.uint8)
    errors = []
    for quality in (10, 50, 95):
        result = jpeg.compress(image, quality)
        assert result.shape == image.shape
        assert result.dtype == np.uint8
        errors.append(np.square(result.astype(float) - image).mean())
    assert errors[0] > errors[1] > errors[2]


def test_encode_writes_a_baseline_file_and_decode_reads_it():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    data = jpeg.encode(image, 10)
    assert data.startswith(b"\xff\xd8")
    assert b"\xff\xc0" in data  # baseline start of frame
    assert np.array_equal(jpeg.decode(data), jpeg.compress(image, 10))


def test_colour_is_stored_as_420():
    data = jpeg.encode(np.zeros((16, 16, 3), np.uint8), 50)
    at = data.index(b"\xff\xc0")
    assert data[at + 9] == 3
    assert data[at + 11] == 0x22  # luma sampled twice in each direction
    assert jpeg.decode(data).shape == (16, 16, 3)


@pytest.mark.parametrize(("subsampling", "factors"), [(0, 0x11), (1, 0x21), (2, 0x22)])
def test_colour_is_sampled_as_asked(subsampling, factors):
    data = jpeg.encode(np.zeros((16, 16, 3), np.uint8), 50, subsampling=subsampling)
    assert data[data.index(b"\xff\xc0") + 11] == factors


@pytest.mark.parametrize("quality", [0, 101, -5, 10.5])
def test_wrong_quality_is_refused(quality):
    with pytest.raises(RestoreError, match="integer from 1 to 100"):
        jpeg.encode(np.zeros((8, 8), np.uint8), quality)


def test_wrong_pixels_are_refused():
    with pytest.raises(RestoreError, match="8-bit grey or RGB, not float64"):
        jpeg.encode(np.zeros((8, 8)), 50)
    with pytest.raises(RestoreError, match="at most 65500"):
        jpeg.encode(np.zeros((65501, 1), np.uint8), 50)
    with pytest.raises(RestoreError, match="not a readable JPEG"):
        jpeg.decode(b"nothing")
    with pytest.raises(RestoreError, match="8-bit RGB"):
        luma.luma(np.zeros((4, 4), np.uint8))


def test_batch_equals_one_by_one_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    patches = rng.integers(0, 256, (21, 24, 32), dtype=np.uint8)
    qualities = rng.integers(5, 100, 21)
    expected = np.stack([jpeg.compress(p, int(q)) for p, q in zip(patches, qualities, strict=True)])
    with ThreadPoolExecutor(3) as pool:
        assert np.array_equal(jpeg.compress_batch(patches, qualities, pool), expected)
    assert np.array_equal(jpeg.compress_batch(patches, qualities), expected)


def test_batch_refuses_unequal_lengths():
    with pytest.raises(RestoreError, match="one quality per patch"):
        jpeg.compress_batch(np.zeros((2, 8, 8), np.uint8), [10])


def test_batch_of_colour_patches_has_a_sampling_each():
    patches = np.random.default_rng(0).integers(0, 256, (9, 24, 32, 3), dtype=np.uint8)
    qualities, sampling = [60, 80, 95] * 3, [0, 0, 0, 1, 1, 1, 2, 2, 2]
    expected = np.stack(
        [
            jpeg.compress(patch, quality, subsampling=one)
            for patch, quality, one in zip(patches, qualities, sampling, strict=True)
        ]
    )
    found = jpeg.compress_batch(patches, qualities, subsampling=sampling)
    assert np.array_equal(found, expected)
