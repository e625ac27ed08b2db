"""What one pass of a module takes, found on the meta device: nothing is computed or held.

Convolutions of any stride, padding and grouping, dense layers and products of attention are
counted by `torch.utils.flop_counter`; memory is that of all tensors that live at once.
"""

import weakref
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Pass:
    """What a pass of a module in evaluation mode takes.

    Attributes
    ----------
    multiply_adds : int
    peak : int
        Most values that live at once, the input and the output included, the weights left out.
    shape : tuple of int
        Of what the pass returns.
    """

    multiply_adds: int
    peak: int
    shape: tuple[int, ...]


def measured(module: nn.Module, shape: tuple[int, ...]) -> Pass:
    """Return what a pass over an input of a shape takes, in evaluation mode.

    Parameters
    ----------
    module : Module
        On any device; its weights are not looked at.
    shape : tuple of int
        Of its input, the batch first.

    Examples
    --------
    >>> from torch import nn
    >>> measured(nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2, bias=False), (1, 4, 6, 6))
    Pass(multiply_adds=1296, peak=216, shape=(1, 8, 3, 3))
    """
    held = {name: _meta(tensor.shape) for name, tensor in _tensors(module)}
    counter = FlopCounterMode(display=False)
    with _evaluated(module), torch.no_grad(), _Live(held.values()) as live, counter:
        given = live.watch(_meta(shape))
        found: Tensor = functional_call(module, held, (given,))
    return Pass(counter.get_total_flops() // 2, live.peak, tuple(found.shape))


def _tensors(module: nn.Module) -> chain[tuple[str, Tensor]]:
    return chain(module.named_parameters(), module.named_buffers())


def _meta(shape: tuple[int, ...]) -> Tensor:
    return torch.empty(shape, device="meta", dtype=torch.float32)


@contextmanager
def _evaluated(module: nn.Module) -> Generator[None]:
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


class _Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follow how many values live; a storage counts once, until nothing refers to it.

    Parameters
    ----------
    weights : iterable of Tensor
        They, and views of them, do not count.
    """

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self.weights = {tensor.untyped_storage()._cdata for tensor in weights}
        self.known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor):
                self.watch(leaf)
        return found

    def watch(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self.known and key not in self.weights:
            values = storage.nbytes() // 4

            def gone(_: Any) -> None:
                self.now -= values
                self.known.pop(key, None)

            self.known[key] = weakref.ref(storage, gone)
            self.now += values
            self.peak = max(self.peak, self.now)
        return tensor
