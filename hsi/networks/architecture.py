"""The common part of all window networks: settings, a dense head, initial weights."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hsi.errors import HsiError
from hsi.networks.window_network import WindowNetwork

SHRINKS = 8  # rows and columns that four unpadded 3 × 3 convolutions take off


@dataclass(frozen=True)
class Architecture:
    """Settings of a window network; the defaults are those of HybridSN for Indian Pines.

    Attributes
    ----------
    classes : int
    window : int
        Odd side of the window, in pixels.
    components : int
        Principal components K of the input.
    """

    name: ClassVar[str]

    classes: int
    window: int = 25
    components: int = 30

    def __post_init__(self) -> None:
        self._check(("classes", self.classes >= 2, "at least 2"), *self.own_checks())
        least = self.least_window
        self._check(
            ("window", self.window % 2 == 1 and self.window >= least, f"odd, {least} up"),
            ("components", self.components >= self.least_components, self._components_expected()),
        )

    @property
    def least_window(self) -> int:
        """Side of the smallest window that the layers can work on, in pixels."""
        return 1

    @property
    def least_components(self) -> int:
        """Fewest components that the kernels can work on."""
        return 1

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield (key, whether its value is valid, what is expected) of the settings added here."""
        return ()

    def build(self, generator: torch.Generator) -> WindowNetwork:
        """Return the network with initial weights drawn by a generator."""
        raise NotImplementedError

    def expect_fits(self, weights: Mapping[str, Tensor]) -> None:
        """Raise HsiError where weights are not those of the network.

        They are compared before anything of the network's size takes memory.
        """
        with torch.device("meta"):
            wanted = self.build(torch.Generator()).state_dict()
        for name in (*wanted, *weights):
            shapes = [
                tuple(held[name].shape) if name in held else None for held in (wanted, weights)
            ]
            if shapes[0] != shapes[1]:
                expected = "no such" if shapes[0] is None else shapes[0]
                found = "none" if shapes[1] is None else shapes[1]
                raise HsiError(f"{name}: expected {expected}, found {found}")
            if name.endswith("running_var") and not (weights[name] >= 0).all():
                raise HsiError(f"{name}: expected variances of 0 or more")

    def trained(self, network: WindowNetwork) -> "Architecture":  # noqa: ARG002
        """Return the settings of a network at the end of its training, which may lose parts."""
        return self

    def _components_expected(self) -> str:
        return f"at least {self.least_components}"

    def _check(self, *settings: tuple[str, bool, str]) -> None:
        for key, fine, expected in settings:
            if not fine:
                found: Any = getattr(self, key)
                raise HsiError(f"{self.name}: {key}: expected {expected}, found {found}")


@dataclass(frozen=True)
class DenseHead(Architecture):
    """Settings of a trunk of four unpadded 3 × 3 convolutions in space and HybridSN's dense head.

    Attributes
    ----------
    hidden : tuple of 2 int
        Widths of the dense layers before the last.
    dropout : float
        After each hidden layer.
    """

    hidden: tuple[int, int] = (256, 128)
    dropout: float = 0.4

    @property
    def least_window(self) -> int:
        """One more than the rows that the convolutions take off."""
        return SHRINKS + 1

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of the head."""
        yield "hidden", len(self.hidden) == 2 and min(self.hidden) >= 1, "2 widths"
        yield "dropout", 0 <= self.dropout < 1, "at least 0 and below 1"

    def layers(self) -> tuple[nn.Sequential, nn.Sequential | None, int]:
        """Return the trunk, the layers for each window alone, and the number of feature maps."""
        raise NotImplementedError

    def build(self, generator: torch.Generator) -> WindowNetwork:
        """Return the network with weights as Keras draws them: Glorot uniform, biases zero."""
        trunk, within, features = self.layers()
        head = nn.Sequential(
            nn.Linear(features * (self.window - SHRINKS) ** 2, self.hidden[0]),
            nn.ReLU(inplace=True),
            nn.Dropout(self.dropout),
            nn.Linear(*self.hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(self.dropout),
            nn.Linear(self.hidden[1], self.classes),
        )
        network = WindowNetwork(self.window, self.components, trunk, head, within)
        glorot(network, generator)
        return network


def glorot(network: nn.Module, generator: torch.Generator) -> None:
    """Draw every kernel from Glorot's uniform distribution and set every bias to zero.

    With PyTorch's own smaller weights HybridSN stays at the class prior for hundreds of steps.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
