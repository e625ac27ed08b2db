"""A batch in equal parts, each normalised by its own statistics: ghost batches.

Threads that share a layer wait for each other at every layer. With ghost batches [1]_, each thread
takes a part through forward and backward pass by itself. The parts belong to the schedule, so the
result is the same on any number of threads, and on a GPU.

References
----------
.. [1] E. Hoffer et al., "Train longer, generalize better", NeurIPS 2017. :arxiv:`1705.08741`
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from engine.threads.each import each
from restore.errors import RestoreError
from restore.training.batches import Batch

Loss = Callable[[nn.Module, Batch], Tensor]


class GhostBatches:
    """A loss over a batch in parts: the mean of their losses, for the network's one backward pass.

    Parameters
    ----------
    loss : callable
        ``loss(model, batch)`` of a part.
    count : int
        Parts; each kind of degradation must be divisible by it.
    """

    def __init__(self, loss: Loss, count: int) -> None:
        self.loss, self.count = loss, count
        self._twins: list[nn.Module] = []

    def __call__(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the loss; its backward pass gives the gradients that are known by then.

        Raises
        ------
        RestoreError
            A kind of degradation cannot be divided.
        """
        if any(kind % self.count for kind in batch.kinds):
            raise RestoreError(
                f"ghost_batches: expected a divisor of the patches of each kind "
                f"({', '.join(map(str, batch.kinds))}), found {self.count}; change it or batch_size"
            )
        if not self._twins:
            # Inside the training, where the model has the hooks that training gives it.
            self._twins = [_twin(model) for _ in range(self.count)]
        parameters = list(model.parameters())
        for twin in self._twins:
            _copy_statistics([model], twin)

        def gradients(index: int) -> tuple[Tensor, tuple[Tensor, ...]]:
            value = self.loss(self._twins[index], batch.part(index, self.count)) / self.count
            return value.detach(), torch.autograd.grad(value, parameters)

        # A GPU computes one after the other anyway.
        threads = None if batch.clean.device.type == "cpu" else 1
        values, found = zip(*each(gradients, range(self.count), threads), strict=True)
        _copy_statistics(self._twins, model)
        summed = [torch.stack(alike).sum(0) for alike in zip(*found, strict=True)]
        result: Tensor = _Known.apply(sum(values), summed, *parameters)  # type: ignore[no-untyped-call]
        return result


def _twin(model: nn.Module) -> nn.Module:
    """Return a copy with the same parameters, not only equal ones, and statistics of its own."""
    return copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})


@torch.no_grad()
def _copy_statistics(sources: list[nn.Module], target: nn.Module) -> None:
    """Set the running statistics of a network to the mean of those of others."""
    for buffer, *alike in zip(
        target.buffers(), *(source.buffers() for source in sources), strict=True
    ):
        if buffer.dtype.is_floating_point:
            buffer.copy_(torch.stack(alike).mean(0))
        else:  # how many batches were seen
            buffer.copy_(alike[0])


class _Known(torch.autograd.Function):
    """A value whose gradients are known."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, gradients: list[Tensor], *_: Tensor) -> Tensor:
        ctx.gradients = gradients
        return value.clone()

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, *(gradient * scale for gradient in ctx.gradients)
