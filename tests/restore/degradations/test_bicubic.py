import math

import numpy as np
import pytest
import torch

from restore.degradations import bicubic
from restore.errors import RestoreError


def keys(x):
    """Keys' kernel from equation (15) of the paper, a = -1/2."""
    s = abs(x)
    if s < 1:
        return 3 / 2 * s**3 - 5 / 2 * s**2 + 1
    if s < 2:
        return -1 / 2 * s**3 + 5 / 2 * s**2 - 4 * s + 2
    return 0.0


def mirrored(index, size):
    while not 0 <= index < size:
        index = -index - 1 if index < 0 else 2 * size - 1 - index
    return index


def slow(image, scale, antialiasing=True):
    """Every output pixel as a weighted mean of all input pixels near it, straight from the text.

    Pixel i covers [i, i + 1]; output pixel o is centred at (o + 1/2) / scale on that axis.
    """
    h, w = image.shape
    stretch = min(scale, 1) if antialiasing else 1
    result = np.zeros((math.ceil(h * scale - 1e-9), math.ceil(w * scale - 1e-9)))

    def taps(o, size):
        centre = (o + 0.5) / scale - 0.5
        reach = math.ceil(2 / stretch) + 1
        near = range(math.floor(centre) - reach, math.floor(centre) + reach + 1)
        weights = {}
        for i in near:
            position = mirrored(i, size)
            weights[position] = weights.get(position, 0) + keys((i - centre) * stretch)
        total = sum(weights.values())
        return {i: weight / total for i, weight in weights.items()}

    rows = [taps(o, h) for o in range(result.shape[0])]
    columns = [taps(o, w) for o in range(result.shape[1])]
    for oy, row in enumerate(rows):
        for ox, column in enumerate(columns):
            result[oy, ox] = sum(
                a * b * image[y, x] for y, a in row.items() for x, b in column.items()
            )
    return result


@pytest.mark.parametrize("scale", [1 / 2, 1 / 3, 1 / 4, 2, 3, 4, 0.7, 1.3])
@pytest.mark.parametrize("shape", [(12, 16), (7, 5)])
def test_equals_direct_evaluation(scale, shape):
    image = np.random.default_rng(0).uniform(0, 255, shape)
    expected = slow(image, scale)
    result = bicubic.imresize(image, scale)
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() < 1e-9


def test_without_antialiasing_the_kernel_is_not_stretched():
    image = np.random.default_rng(1).uniform(0, 255, (12, 12))
    result = bicubic.imresize(image, 1 / 3, antialiasing=False)
    assert np.abs(result - slow(image, 1 / 3, antialiasing=False)).max() < 1e-9
    # At 1/3 every third pixel lies exactly on a centre, so it is taken as it is.
    assert np.allclose(result, image[1::3, 1::3])


def test_values_derived_by_hand():
    # At distances 1/4, 3/4, 5/4, 7/4 the kernel is 111, 29, -9, -3 (over 128).
    assert [128 * keys(d) for d in (0.25, 0.75, 1.25, 1.75)] == [111, 29, -9, -3]
    # Halving: the stretched kernel has the taps -3 -9 29 111 111 29 -9 -3 (over 256). A step from
    # 0 to 256 after pixel 3 is seen by output 0 with its last tap and by output 1 with three.
    step = np.repeat([[0.0, 256.0]], 4, axis=1).repeat(8, axis=0)
    expected = [-3, 29 - 9 - 3, 256 - 17, 256 + 3]
    assert bicubic.imresize(step, 0.5)[0] == pytest.approx(expected)
    # Doubling 0 128: output 0 lies 1/4 before pixel 0 and sees pixel 1 at 5/4, and at 7/4 in the
    # mirror; output 1 lies 1/4 after it and sees pixel 1 at 3/4, and at 7/4 in the mirror.
    pair = np.array([[0.0, 128.0], [0.0, 128.0]])
    expected = [-9 - 3, 29 - 3, 128 - 26, 128 + 12]
    assert bicubic.imresize(pair, 2)[0] == pytest.approx(expected)


def test_a_constant_stays_and_one_pixel_grows():
    assert np.allclose(bicubic.imresize(np.full((5, 9), 7.0), 1 / 3), 7)
    assert np.array_equal(bicubic.imresize(np.full((1, 1), 9, np.uint8), 4), np.full((4, 4), 9))
    assert bicubic.imresize(np.full((1, 1), 9, np.uint8), 1 / 3).shape == (1, 1)


def test_uint8_is_rounded_half_up_and_clipped_once():
    image = np.random.default_rng(2).integers(0, 2, (24, 24), dtype=np.uint8) * np.uint8(255)
    exact = bicubic.imresize(image.astype(float), 2)
    result = bicubic.imresize(image, 2)
    assert result.dtype == np.uint8
    assert exact.min() < 0
    assert exact.max() > 255
    assert np.array_equal(result, np.clip(np.floor(exact + 0.5), 0, 255))


def test_channels_are_resized_alike():
    image = np.random.default_rng(3).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    result = bicubic.imresize(image, 1 / 3)
    assert result.shape == (3, 4, 3)
    for channel in range(3):
        assert np.array_equal(result[..., channel], bicubic.imresize(image[..., channel], 1 / 3))


def test_modcrop_cuts_at_the_end():
    image = np.arange(7 * 8).reshape(7, 8)
    assert np.array_equal(bicubic.modcrop(image, 3), image[:6, :6])
    with pytest.raises(RestoreError, match="1x9 is too small for scale 2"):
        bicubic.modcrop(np.zeros((9, 1)), 2)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("shape", [(24, 36), (50, 40)])
def test_batch_equals_numpy(scale, shape):
    patches = np.random.default_rng(5).integers(0, 256, (6, 2, *shape), dtype=np.uint8)
    result = bicubic.bicubic_batch(torch.from_numpy(patches).float() / 255, scale)
    assert result.dtype == torch.float32
    for row, patch in enumerate(patches):
        for channel, plane in enumerate(patch):
            small = bicubic.imresize(plane, 1 / scale)
            large = np.clip(bicubic.imresize(small.astype(float), scale), 0, 255)
            expected = large[: shape[0], : shape[1]] / 255
            assert np.abs(result[row, channel].numpy() - expected).max() < 1e-6


@pytest.mark.gpu
def test_batch_on_the_gpu_equals_the_cpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    patches = torch.randint(0, 256, (16, 1, 60, 60), generator=torch.Generator().manual_seed(0))
    for scale in (2, 3, 4):
        cpu = bicubic.bicubic_batch(patches / 255, scale)
        gpu = bicubic.bicubic_batch(patches.cuda() / 255, scale).cpu()
        assert (cpu - gpu).abs().max() < 1e-6


def test_wrong_input_is_refused():
    with pytest.raises(RestoreError, match="a number > 0, not 0"):
        bicubic.imresize(np.zeros((4, 4)), 0)
    with pytest.raises(RestoreError, match="not int64"):
        bicubic.imresize(np.zeros((4, 4), np.int64), 2)
    with pytest.raises(RestoreError, match="not \\(4,\\)"):
        bicubic.imresize(np.zeros(4), 2)


@pytest.mark.parametrize(("before", "after"), [(24, 24), (24, 37), (37, 24)])
def test_patches_are_fitted_to_a_side_as_images_are_resized(before, after):
    patches = np.random.default_rng(0).random((2, 3, before, before))
    found = bicubic.fitted(torch.from_numpy(patches), after).numpy()
    for patch, fitted in zip(patches, found, strict=True):
        expected = bicubic.imresize(patch.transpose(1, 2, 0), after / before).clip(0, 1)
        assert np.allclose(fitted, expected.transpose(2, 0, 1), rtol=0, atol=1e-12)
