"""The losses are the formulas that they stand for."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from restore.training.batches import Batch
from restore.training.losses import balanced_error, half_squared_error, relative_error


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


def test_losses_are_of_the_answers_where_there_are_some() -> None:
    given = batch(20.0, 6.0, 4.0)
    taught = replace(given, answers=given.degraded - 2 / 255)
    found = float(half_squared_error(nn.Identity(), taught))
    assert found == pytest.approx(20 * 6 * 2**2 / 255**2 / (2 * 6), rel=1e-4)
    found = float(balanced_error(nn.Identity(), taught))
    kinds = [2**2 / (level**2 + 1) for level in (20, 6, 4)]
    assert found == pytest.approx(sum(kinds) / 3, rel=1e-4)
    noise = [2**2 / (30 + (level**2) ** (2 / 3)) for level in (20, 20, 6, 4, 4, 4)]
    found = float(relative_error(nn.Identity(), taught))
    assert found == pytest.approx(sum(noise) / 6, rel=1e-4)


def test_balanced_error_of_clean_patches_as_answers_has_the_usual_gradient() -> None:
    given = batch(20.0, 6.0, 4.0)
    gradients = []
    for each in (given, replace(given, answers=given.clean)):
        layer = nn.Conv2d(1, 1, 1)
        nn.init.constant_(layer.weight, 0.9)
        nn.init.constant_(layer.bias, 0.02)  # type: ignore[arg-type]
        balanced_error(layer, each).backward()  # type: ignore[no-untyped-call]
        gradients.append(layer.weight.grad)
    torch.testing.assert_close(*gradients)


def test_relative_error_is_a_share_of_the_noise_to_the_power_two_thirds() -> None:
    class Half(nn.Module):
        """Leaves half of each level above one half, and three levels of its own everywhere."""

        def forward(self, degraded: torch.Tensor) -> torch.Tensor:
            return 0.25 + degraded / 2 + 3 / 255

    found = relative_error(Half(), batch(20.0, 6.0, 0.0))
    expected = [2 * 13**2 / (30 + 400 ** (2 / 3)), 6**2 / (30 + 36 ** (2 / 3)), 3 * 3**2 / 30]
    assert float(found) == pytest.approx(sum(expected) / 6, rel=1e-4)
