import numpy as np
import pytest
import torch

from restore.degradations import noise
from restore.errors import RestoreError


def test_noise_has_the_asked_deviation_and_is_neither_clipped_nor_rounded():
    image = np.zeros((300, 300), np.uint8)
    noisy = noise.gaussian(image, 25, np.random.default_rng(0))
    assert noisy.dtype == np.float64
    assert noisy.std() == pytest.approx(25, rel=0.01)
    assert noisy.min() < 0
    assert not np.array_equal(noisy, np.rint(noisy))


def test_sigma_zero_changes_nothing():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(noise.gaussian(image, 0, np.random.default_rng(0)), image)


@pytest.mark.parametrize("sigma", [-1, float("nan"), float("inf")])
def test_wrong_sigma_is_refused(sigma):
    with pytest.raises(RestoreError, match="sigma must be a number >= 0"):
        noise.gaussian(np.zeros((2, 2)), sigma, np.random.default_rng(0))


def test_each_patch_gets_its_own_sigma():
    sigma = torch.tensor([0.0, 10.0, 50.0])
    patches = torch.full((3, 1, 128, 128), 0.5)
    noisy = noise.gaussian_batch(patches, sigma, torch.Generator().manual_seed(0))
    deviation = (noisy - patches).std(dim=(1, 2, 3)) * 255
    assert torch.allclose(deviation, sigma, rtol=0.03)


def test_batch_depends_on_the_generator_alone():
    patches, sigma = torch.zeros(2, 3, 8, 8), torch.tensor([5.0, 6.0])
    first, second = (
        noise.gaussian_batch(patches, sigma, torch.Generator().manual_seed(0)) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_batch_refuses_negative_sigma_and_wrong_shapes():
    generator = torch.Generator()
    with pytest.raises(RestoreError, match="must be >= 0, not -3"):
        noise.gaussian_batch(torch.zeros(1, 1, 4, 4), torch.tensor([-3.0]), generator)
    with pytest.raises(RestoreError, match="one sigma per patch"):
        noise.gaussian_batch(torch.zeros(1, 1, 4, 4), torch.zeros(2), generator)


@pytest.mark.gpu
def test_a_cpu_generator_serves_patches_on_the_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    patches, sigma = torch.zeros(2, 1, 64, 64, device="cuda"), torch.tensor([5.0, 25.0])
    runs = [
        noise.gaussian_batch(patches, sigma.cuda(), torch.Generator().manual_seed(3))
        for _ in range(2)
    ]
    assert torch.equal(*runs)
    assert runs[0].std().item() * 255 == pytest.approx(18, rel=0.05)
