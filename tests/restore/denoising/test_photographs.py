"""Photographs: coarse noise goes, clean texture stays, and neither tiles nor strips are seen."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from restore.denoising import photographs
from restore.denoising.noise_seen import UNKNOWN, look
from restore.denoising.photographs import PhotographDenoiser, is_for_photographs
from restore.denoising.pixels import How, PixelDenoiser
from restore.networks.denoiser import load

RNG = np.random.default_rng(0)
COARSE = replace(UNKNOWN, neighbours=0.7)


@pytest.fixture
def shaken(make_weights, cpu):
    return load(str(make_weights("dncnn-r", 3, shaken=True)), cpu)


def restored(denoiser, image, noise=COARSE, white=255.0, how=None, side=0):
    result = image.copy()
    PhotographDenoiser(denoiser, how, side=side)(result, 0.0, white, noise)
    return result


def smooth(shape, dtype=np.uint8):
    values = np.add.outer(np.linspace(60, 160, shape[0]), np.linspace(0, 40, shape[1]))
    values = values.reshape(*shape[:2], *[1] * (len(shape) - 2)) + RNG.normal(0, 4, shape)
    return values.clip(0, 255).astype(dtype)


def test_sizes_double_as_torch_doubles_them():
    small = RNG.random((7, 9, 3)).astype(np.float32)
    expected = functional.interpolate(
        torch.from_numpy(small).permute(2, 0, 1)[None], scale_factor=2, mode="bilinear"
    )[0].permute(1, 2, 0)
    np.testing.assert_allclose(photographs._doubled(small, slice(0, 14), 18), expected, atol=1e-6)
    part = photographs._doubled(small, slice(4, 9), 18)
    np.testing.assert_array_equal(part, photographs._doubled(small, slice(0, 14), 18)[4:9])


def test_sizes_halve_by_the_mean_of_four():
    image = RNG.random((6, 8, 1)).astype(np.float32)
    expected = image.reshape(3, 2, 4, 2, 1).mean(axis=(1, 3))
    np.testing.assert_allclose(photographs._halved(image, 255.0), expected, atol=1e-6)
    odd = photographs._halved(image[:5, :7], 255.0)
    assert odd.shape == (3, 4, 1)
    np.testing.assert_allclose(odd[2, 3], image[4, 6], atol=1e-6)


def test_blocks_at_the_border_have_means_of_their_own():
    values = RNG.random((20, 37, 2)).astype(np.float32)
    found = photographs._means(values)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(values[16:, 32:].mean(), abs=1e-6)


@pytest.mark.parametrize("size", [(97, 131, 3), (128, 96), (65, 64, 3)])
def test_neither_tiles_nor_strips_show(shaken, size, monkeypatch):
    image = smooth(size, np.float32)
    whole = restored(shaken, image)
    assert np.abs(whole - restored(shaken, image, noise=UNKNOWN)).max() > 0.05  # coarse scales
    monkeypatch.setattr(photographs, "_STRIP", 1)
    np.testing.assert_allclose(restored(shaken, image, side=24), whole, rtol=0, atol=1e-3)


def test_only_coarse_noise_is_looked_for_at_coarse_scales(shaken):
    image = smooth((96, 96, 3))
    plain = image.copy()
    PixelDenoiser(shaken)([plain], [0.0])
    for noise in (UNKNOWN, replace(UNKNOWN, neighbours=0.4)):
        held = restored(shaken, image, noise).astype(int)
        assert (held == plain).mean() > 0.9  # but where much is removed
    assert (restored(shaken, image) == plain).mean() < 0.9


def test_what_is_no_noise_is_held_back(make_weights, cpu, monkeypatch):
    """A network that flattens all takes noise and a mesh alike; the mesh must stay."""
    denoiser = load(str(make_weights("dncnn-r", 3)), cpu)
    mesh = np.full((160, 160, 3), 120.0)
    mesh[96:144:2, 96:144:2] = 240
    noisy = (mesh + RNG.normal(0, 3, mesh.shape)).clip(0, 255).astype(np.uint8)

    def flattened(_self, images, _sigmas, _whites):
        for image in images:
            image[...] = 120

    monkeypatch.setattr(PixelDenoiser, "__call__", flattened)
    result = restored(denoiser, noisy, UNKNOWN).astype(float)
    assert np.abs(result[:64, :64] - 120).max() <= 1
    kept = result[100:140, 100:140] - mesh[100:140, 100:140]
    assert np.sqrt(np.square(kept).mean()) < 0.2 * np.sqrt(
        np.square(mesh[100:140, 100:140] - 120).mean()
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_depths_are_kept(shaken, make_weights, cpu, dtype):
    white = 1.0 if dtype is np.float32 else float(np.iinfo(dtype).max)
    image = (smooth((80, 90, 3), np.float32) * (white / 255)).astype(dtype)
    result = restored(shaken, image, white=white)
    assert (result.dtype, result.shape) == (image.dtype, image.shape)
    untrained = load(str(make_weights("dncnn-r", 3)), cpu)  # changes nothing
    np.testing.assert_allclose(restored(untrained, image, white=white), image, rtol=1e-6)


def test_strength_is_a_share_of_all_that_is_removed(shaken):
    image = smooth((96, 96, 3), np.float32)
    full, half = (restored(shaken, image, how=How(strength)) for strength in (1.0, 0.5))
    np.testing.assert_allclose(half, (image + full) / 2, atol=1e-3)


def test_a_small_image_is_the_networks_alone(shaken):
    image = smooth((30, 40, 3))
    plain = image.copy()
    PixelDenoiser(shaken)([plain], [0.0])
    np.testing.assert_array_equal(restored(shaken, image), plain)


def test_the_variant_decides(shaken, make_weights, cpu):
    assert is_for_photographs(shaken)
    assert not is_for_photographs(load(str(make_weights("dncnn-b")), cpu))
    assert not is_for_photographs(load(str(make_weights("my-own")), cpu))


def test_the_noise_of_a_full_size_photograph_is_coarse():
    fine = RNG.normal(0, 20, (256, 256, 3))
    low, high = photographs.COARSE
    assert look(fine + 120, 255).neighbours < low
    assert look(gaussian_filter(fine, (1, 1, 0)) * 3 + 120, 255).neighbours > high
