"""What a denoiser learns to make small, by the names that schedules have for it."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from restore.training.patches import Batch

Loss = Literal["squared", "balanced"]

_ONE_LEVEL = 1 / 255**2  # squared error that is nothing to learn from


def half_squared_error(network: nn.Module, batch: Batch) -> Tensor:
    """Half the squared error summed over a patch, averaged over the batch (DnCNN, equation 1)."""
    error: Tensor = network(batch.degraded) - batch.clean
    return error.square().sum() / (2 * len(error))


def balanced_error(network: nn.Module, batch: Batch) -> Tensor:
    """Logarithm of each kind of degradation's mean squared error, averaged over the kinds.

    What noise leaves is many times what JPEG or bicubic leave, and most of the gradient of a sum.
    Here one percent of each counts the same, as in the mean of their PSNR.
    """
    errors = (network(batch.degraded) - batch.clean).square().mean(dim=(1, 2, 3))
    kinds = [part.mean() + _ONE_LEVEL for part in errors.split(batch.kinds) if len(part)]
    return torch.stack(kinds).log().mean()


LOSSES: dict[Loss, Callable[[nn.Module, Batch], Tensor]] = {
    "squared": half_squared_error,
    "balanced": balanced_error,
}
