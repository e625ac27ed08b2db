"""Pixels in place: tiles, batches, depths, strength, and memory that runs out."""

import numpy as np
import pytest

from restore.denoising.pixels import How, PixelDenoiser, denoise_pixels
from restore.errors import RestoreError
from restore.networks import tiles
from restore.networks.denoiser import load

RNG = np.random.default_rng(0)


@pytest.fixture
def shaken(make_weights, cpu):
    return load(str(make_weights(shaken=True, depth=5)), cpu)


def noise(shape, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize(
    ("size", "side"),
    [
        *[((1, 1), 1), ((3, 11), 1), ((1, 90), 16), ((90, 1), 16)],
        *[(size, side) for size in ((17, 23), (37, 16), (64, 61)) for side in (5, 8, 16, 33)],
    ],
)
def test_tiled_equals_untiled(shaken, size, side):
    image = RNG.normal(0.5, 0.2, size).astype(np.float32)
    whole = denoise_pixels(image, shaken, side=0)
    tiled = denoise_pixels(image, shaken, side=side)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=2e-6)
    assert np.abs(whole - image).max() > 0.01


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiled_equals_untiled_where_clipped_noise_is_mended(shaken, dtype):
    peak = np.iinfo(dtype).max
    image = np.clip(RNG.normal(0.05, 0.1, (50, 43)) * peak, 0, peak).astype(dtype)
    results = []
    for side in (0, 9, 20):
        copy = image.copy()
        PixelDenoiser(shaken, side=side)([copy], [25.0])
        results.append(copy.astype(int))
    unmended = denoise_pixels(image, shaken, side=0).astype(int)
    for tiled in results[1:]:  # a value on the edge of rounding may fall to either side
        assert np.abs(tiled - results[0]).max() <= 1
        assert (tiled != results[0]).mean() < 0.02
    assert np.abs(unmended - results[0]).max() > peak / 100


def test_a_batch_gives_what_each_gives_alone(shaken):
    images = [noise((12, 15, 3), np.uint16) for _ in range(4)]
    alone = [denoise_pixels(image, shaken) for image in images]
    PixelDenoiser(shaken)(images)
    for one, other in zip(alone, images, strict=True):
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_type_and_range_stay(make_weights, cpu, dtype, channels):
    denoiser = load(str(make_weights(channels=channels)), cpu)
    for shape in ((6, 5), (6, 5, 3)):
        peak = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
        image = (RNG.random(shape) * peak).astype(dtype)
        result = denoise_pixels(image, denoiser)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, image, rtol=0, atol=peak * 1e-6)


def test_strength_is_a_share_of_the_change(shaken):
    image = RNG.random((20, 20)).astype(np.float32)
    full = denoise_pixels(image, shaken)
    half = denoise_pixels(image, shaken, How(strength=0.5))
    np.testing.assert_allclose(half, (image + full) / 2, atol=1e-6)
    with pytest.raises(RestoreError, match=r"`strength` 1\.5: expected more than 0, at most 1"):
        How(strength=1.5)


def test_self_ensemble_turns_with_the_image(shaken):
    image = RNG.random((14, 9)).astype(np.float32)
    how = How(self_ensemble=True)
    result = denoise_pixels(image, shaken, how)
    for turn in (np.rot90, np.flipud, np.transpose):
        turned = denoise_pixels(np.ascontiguousarray(turn(image)), shaken, how)
        np.testing.assert_allclose(turned, turn(result), atol=1e-6)
    assert np.abs(result - denoise_pixels(image, shaken)).max() > 1e-3
    tiled = denoise_pixels(image, shaken, how, side=4)
    np.testing.assert_allclose(tiled, result, atol=2e-6)


def test_memory_that_runs_out_makes_smaller_tiles_and_the_same_pixels(shaken, monkeypatch):
    monkeypatch.setattr(tiles, "SMALLEST", 4)
    image = noise((40, 37))
    whole = denoise_pixels(image, shaken, side=0)
    run = PixelDenoiser._pass

    def scarce(self, degraded):
        if degraded[0, 0].numel() > 24 * 24:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")
        return run(self, degraded)

    monkeypatch.setattr(PixelDenoiser, "_pass", scarce)
    copy = image.copy()
    denoiser = PixelDenoiser(shaken, side=40)
    denoiser([copy])
    assert np.abs(copy.astype(int) - whole.astype(int)).max() <= 1
    assert denoiser.side < 40
