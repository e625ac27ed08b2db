"""Similar patches against a plain version of the same, and cut into blocks."""

import numpy as np
import pytest
import torch

from engine.tiling import Tiling
from hsi.denoising import nonlocal_bayes as module
from hsi.denoising.nonlocal_bayes import GROUP, PATCH, RADIUS, REACH, STEP, nonlocal_bayes


def images(rows, columns, count=3, seed=0):
    """Return clean eigen-images and noisy ones: edges in the same places."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    parts = ((y // 9 + x // 7) % 3).astype(int)
    clean = rng.normal(0, 6, (3, count))[parts] + np.sin(x / 5)[..., None]
    return clean.astype(np.float32), (clean + rng.normal(size=clean.shape)).astype(np.float32)


def plain(noisy, estimate):
    """Return the same group by group, by the formula with the covariance itself, in 64 bits."""
    rows, columns, count = noisy.shape
    total, weight = np.zeros(noisy.shape), np.zeros((rows, columns, 1))
    last = rows - PATCH, columns - PATCH

    def patch(image, y, x):
        return image[y : y + PATCH, x : x + PATCH].astype(np.float64).reshape(-1)

    starts = [sorted({*range(0, end + 1, STEP), end}) for end in last]
    for top in starts[0]:
        for left in starts[1]:
            near = [
                (y, x)
                for y in range(max(0, top - RADIUS), min(last[0], top + RADIUS) + 1)
                for x in range(max(0, left - RADIUS), min(last[1], left + RADIUS) + 1)
            ]
            own = patch(estimate, top, left)
            distance = {at: np.square(patch(estimate, *at) - own).sum() for at in near}
            near = sorted(near, key=distance.__getitem__)[: GROUP + 1]
            limit = distance[near[-1]]
            share = np.array([min(2 * (1 - distance[at] / limit), 1) for at in near])
            known = np.array([patch(estimate, *at) for at in near])
            seen = np.array([patch(noisy, *at) for at in near])
            mean = np.average(known, axis=0, weights=share)
            covariance = np.cov(known.T, aweights=share, bias=True)
            gain = covariance @ np.linalg.inv(covariance + np.eye(len(own)))
            found = mean + (seen - mean) @ gain.T
            for (y, x), value, part in zip(near, found, share, strict=True):
                square = np.s_[y : y + PATCH, x : x + PATCH]
                total[square] += part * value.reshape(PATCH, PATCH, count)
                weight[square] += part
    return total / weight


def test_it_is_the_plain_formula():
    clean, noisy = images(21, 18)
    estimate = (0.8 * clean + 0.2 * noisy).astype(np.float32)
    found, expected = nonlocal_bayes(noisy, estimate), plain(noisy, estimate)
    assert np.abs(found - expected).max() < 1e-3
    assert np.abs(found - noisy).max() > 1


def test_it_uses_what_lies_alike_in_all_images():
    clean, noisy = images(60, 64)
    estimate = (0.7 * clean + 0.3 * noisy).astype(np.float32)
    found = nonlocal_bayes(noisy, estimate)
    alone = np.concatenate(
        [nonlocal_bayes(noisy[..., [i]], estimate[..., [i]]) for i in range(3)], axis=2
    )
    error, by_itself = (np.square(image - clean).mean() for image in (found, alone))
    assert error < 0.8 * by_itself < 0.8 * 0.3


@pytest.mark.parametrize("block", [33, 50])
def test_blocks_change_it_by_rounding_only(block):
    clean, noisy = images(101, 60)
    estimate = (0.7 * clean + 0.3 * noisy).astype(np.float32)
    whole = nonlocal_bayes(noisy, estimate)
    for part in Tiling(noisy.shape[:2], (block, block), REACH):
        rows, columns = part.around
        found = nonlocal_bayes(
            noisy[rows, columns],
            estimate[rows, columns],
            (rows.start, columns.start),
            noisy.shape[:2],
        )
        assert np.abs(part.inner(found) - whole[part.rows, part.columns]).max() < 1e-4


def test_signals_far_above_the_noise_stay():
    clean, noisy = images(40, 40)
    strong = (clean * 1e4).astype(np.float32)
    found = nonlocal_bayes(strong + noisy - clean, strong)
    assert np.abs(found - strong).max() < 6
    assert np.isfinite(found).all()


def test_images_smaller_than_a_patch_are_the_estimate():
    clean, noisy = images(2, 9)
    assert np.array_equal(nonlocal_bayes(noisy, clean), clean)


def test_equal_patches_weigh_the_same(monkeypatch):
    monkeypatch.setattr(module, "GROUP", 10)
    flat = np.zeros((12, 12, 2), np.float32)
    noisy = np.random.default_rng(0).normal(size=flat.shape).astype(np.float32)
    assert np.abs(nonlocal_bayes(noisy, flat)).max() == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_a_gpu_finds_the_same():
    clean, noisy = images(60, 64)
    estimate = (0.7 * clean + 0.3 * noisy).astype(np.float32)
    found = nonlocal_bayes(noisy, estimate, device="cuda")
    assert np.abs(found - nonlocal_bayes(noisy, estimate)).max() < 1e-3
