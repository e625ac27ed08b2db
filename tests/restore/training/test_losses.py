"""The losses are the formulas that they stand for."""

import pytest
import torch
from torch import nn

from restore.training.losses import balanced_error, half_squared_error, relative_error
from restore.training.patches import Batch


def batch(*errors: float) -> Batch:
    """Six flat patches of 4x5 pixels: errors of so many levels in two noisy, one and three."""
    clean = torch.full((6, 1, 4, 5), 0.5)
    levels = torch.tensor(errors)[[0, 0, 1, 2, 2, 2]]
    return Batch(clean + levels[:, None, None, None] / 255, clean, (2, 1, 3))


def test_half_squared_error_is_equation_1() -> None:
    found = half_squared_error(nn.Identity(), batch(20.0, 6.0, 4.0))
    expected = 20 * (2 * 20**2 + 6**2 + 3 * 4**2) / 255**2 / (2 * 6)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_balanced_error_is_the_mean_logarithm_of_each_kind() -> None:
    found = balanced_error(nn.Identity(), batch(20.0, 6.0, 4.0))
    kinds = torch.tensor([20.0**2 + 1, 6.0**2 + 1, 4.0**2 + 1]) / 255**2
    assert float(found) == pytest.approx(float(kinds.log().mean()), rel=1e-5)


def test_balanced_error_is_finite_without_errors_and_without_a_kind() -> None:
    perfect = torch.full((2, 1, 4, 5), 0.5)
    found = balanced_error(nn.Identity(), Batch(perfect, perfect, (2, 0, 0)))
    assert float(found) == pytest.approx(float(torch.tensor(1 / 255**2).log()), rel=1e-5)


def test_relative_error_is_a_share_of_the_noise_to_the_power_two_thirds() -> None:
    class Half(nn.Module):
        """Leaves half of each level above one half, and three levels of its own everywhere."""

        def forward(self, degraded: torch.Tensor) -> torch.Tensor:
            return 0.25 + degraded / 2 + 3 / 255

    found = relative_error(Half(), batch(20.0, 6.0, 0.0))
    expected = [2 * 13**2 / (30 + 400 ** (2 / 3)), 6**2 / (30 + 36 ** (2 / 3)), 3 * 3**2 / 30]
    assert float(found) == pytest.approx(sum(expected) / 6, rel=1e-4)
