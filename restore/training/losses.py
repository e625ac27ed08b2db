"""What a denoiser learns to make small, by the names that schedules have for it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from restore.training.batches import Batch
from restore.training.schedules import Loss

_SLIGHT = 30.0  # squared levels of error: so much is expected whatever the noise
_ONE_LEVEL = 1 / 255**2  # squared error that is nothing to learn from


def half_squared_error(network: nn.Module, batch: Batch) -> Tensor:
    """Half the squared error summed over a patch, averaged over the batch (DnCNN, equation 1)."""
    error: Tensor = network(batch.degraded) - batch.wanted
    return error.square().sum() / (2 * len(error))


def balanced_error(network: nn.Module, batch: Batch) -> Tensor:
    """Logarithm of each kind of degradation's mean squared error, averaged over the kinds.

    What noise leaves is many times what JPEG or bicubic leave, and most of the gradient of a sum.
    Here one percent of each counts the same, as in the mean of their PSNR.

    Of teachers' answers little is left, and how little differs between the kinds. There it is the
    error's ratio to that from the clean patches, whose gradient is that of the logarithm where the
    answers are the clean patches.
    """
    restored = network(batch.degraded)
    errors = (restored - batch.wanted).square().mean(dim=(1, 2, 3)).split(batch.kinds)
    if batch.answers is None:
        kinds = [part.mean() + _ONE_LEVEL for part in errors if len(part)]
        return torch.stack(kinds).log().mean()
    left = (restored.detach() - batch.clean).square().mean(dim=(1, 2, 3)).split(batch.kinds)
    ratios = [
        part.mean() / (clean.mean() + _ONE_LEVEL)
        for part, clean in zip(errors, left, strict=True)
        if len(part)
    ]
    return torch.stack(ratios).mean()


def relative_error(network: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error over what this much noise lets expect, averaged over the batch.

    What a denoiser leaves grows as about the power 2/3 of the noise's variance: DnCNN-B leaves mean
    squared errors of 26, 49 and 105 at sigma 15, 25 and 50 (CBSD68). So slight and strong noise
    count more alike than in a sum of squares. The summand keeps what a high learning rate does to
    clean patches from being most of the loss: with 1 in its place, networks learned to leave
    patches as they are, and little else.
    """
    errors = (network(batch.degraded) - batch.wanted).square().mean(dim=(1, 2, 3))
    noise = (batch.degraded - batch.clean).square().mean(dim=(1, 2, 3))
    levels = 255**2
    weights: Tensor = levels / (_SLIGHT + (noise * levels) ** (2 / 3))
    relative: Tensor = errors * weights
    return relative.mean()


LOSSES: dict[Loss, Callable[[nn.Module, Batch], Tensor]] = {
    "squared": half_squared_error,
    "balanced": balanced_error,
    "relative": relative_error,
}
