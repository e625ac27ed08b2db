"""The optimizers that a schedule asks for: torch's own, Keras' Adam, and Muon."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from engine.training.schedule import Schedule

# Of the quintic iteration [1]: they lift small singular values fast, and end between 0.7 and 1.2.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
# An orthogonal update times this and the root of its longer side has the size of one of Adam [2].
_LIKE_ADAM = 0.2


def optimizers(model: nn.Module, schedule: Schedule) -> list[torch.optim.Optimizer]:
    """Return optimizers for the parameters of `model`; each parameter is in exactly one.

    'muon' optimizes the kernels of inner layers. AdamW, at the same learning rate, optimizes the
    first and the last kernel, biases and normalisation.
    """
    rate, momentum = schedule.learning_rate, schedule.momentum
    kernels = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    inner = kernels[1:-1] if schedule.optimizer == "muon" else []
    outer = [kernel for kernel in kernels if not any(kernel is one for one in inner)]
    # Weight decay pulls towards zero, which is no sensible value for biases and normalisation.
    groups: list[dict[str, Any]] = [
        {"params": outer, "weight_decay": schedule.weight_decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if schedule.optimizer == "sgd":
        return [torch.optim.SGD(groups, lr=rate, momentum=momentum)]
    if schedule.optimizer == "adam":
        return [torch.optim.Adam(groups, lr=rate)]
    if schedule.optimizer == "keras-adam":
        return [KerasAdam(groups, lr=rate)]
    others = torch.optim.AdamW(groups, lr=rate)
    return [Muon(inner, rate, momentum, schedule.weight_decay), others] if inner else [others]


class KerasAdam(torch.optim.Adam):
    """Adam as Keras computes it: epsilon is 1e-7 and left out of the bias correction.

    In PyTorch's terms epsilon falls from 3e-6 at the first step to 1e-7. So the first steps of
    weights with a tiny gradient are shorter than those of other weights.

    Parameters
    ----------
    parameters : iterable
        Parameters or groups of them.
    lr : float
    """

    EPSILON = 1e-7

    def __init__(self, parameters: Iterable[Any], lr: float) -> None:
        super().__init__(parameters, lr=lr, eps=self.EPSILON)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient."""
        for group in self.param_groups:
            done = max(
                (int(self.state[p]["step"]) for p in group["params"] if self.state[p]), default=0
            )
            group["eps"] = self.EPSILON / (1 - group["betas"][1] ** (done + 1)) ** 0.5
        return super().step(closure)


class Muon(torch.optim.Optimizer):
    """Muon, an optimizer for weight matrices and convolution kernels only [1]_.

    Its updates have about the same size in all directions; those of Adam or SGD are dominated by a
    few directions.
    Kernels of one shape are orthogonalised in one batched product. (`torch.optim.Muon` takes
    matrices only, one by one, and in bfloat16, which is slow on most CPUs.)

    Parameters
    ----------
    parameters : iterable of Parameter
        With two dimensions or more; all dimensions after the first are flattened into one.
    lr : float
        Learning rate, on Adam's scale [2]_.
    momentum : float
        Nesterov momentum.
    weight_decay : float
        Decoupled: each step takes this times the learning rate off every weight.

    References
    ----------
    .. [1] K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon
    .. [2] J. Liu et al., "Muon is scalable for LLM training", 2025. :arxiv:`2502.16982`
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient."""
        value = None
        if closure is not None:
            with torch.enable_grad():
                value = closure()
        for group in self.param_groups:
            alike = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for shape, parameters in alike.items():
                directions = torch.stack(
                    [self._direction(parameter, group["momentum"]) for parameter in parameters]
                )
                updates = orthogonalised(directions)
                size = group["lr"] * _LIKE_ADAM * max(directions.shape[1:]) ** 0.5
                for parameter, update in zip(parameters, updates, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(update.view(shape), alpha=size)
        return value

    def _direction(self, parameter: nn.Parameter, decay: float) -> Tensor:
        """Return the Nesterov momentum of a parameter as a matrix."""
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        mean = state["momentum"].lerp_(gradient, 1 - decay)
        return gradient.lerp(mean, decay).flatten(1)


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return the matrices with all singular values brought near 1 (about 0.7 to 1.2), but zeros.

    Parameters
    ----------
    matrices : Tensor (B, M, N)

    Returns
    -------
    Tensor (B, M, N)
    """
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x: Tensor = matrices.mT if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
