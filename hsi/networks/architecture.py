"""The common part of all window networks: settings, a dense head, initial weights."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

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
    hidden : tuple of 2 int
        Widths of the dense layers before the last.
    dropout : float
        After each hidden layer.
    """

    name: ClassVar[str]

    classes: int
    window: int = 25
    components: int = 30
    hidden: tuple[int, int] = (256, 128)
    dropout: float = 0.4

    def __post_init__(self) -> None:
        self._check(
            ("classes", self.classes >= 2, "at least 2"),
            ("window", self.window % 2 == 1 and self.window > SHRINKS, f"odd, {SHRINKS + 1} up"),
            ("components", self.components >= self.least_components, self._components_expected()),
            ("hidden", len(self.hidden) == 2 and min(self.hidden) >= 1, "2 widths"),
            ("dropout", 0 <= self.dropout < 1, "at least 0 and below 1"),
            *self.own_checks(),
        )

    @property
    def least_components(self) -> int:
        """Fewest components that the kernels can work on."""
        return 1

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield (key, whether its value is valid, what is expected) of the settings added here."""
        return ()

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

    def _components_expected(self) -> str:
        return f"at least {self.least_components}"

    def _check(self, *settings: tuple[str, bool, str]) -> None:
        for key, fine, expected in settings:
            if not fine:
                found: Any = getattr(self, key)
                raise HsiError(f"{self.name}: {key}: expected {expected}, found {found}")


def glorot(network: nn.Module, generator: torch.Generator) -> None:
    """Draw every kernel from Glorot's uniform distribution and set every bias to zero.

    With PyTorch's own smaller weights HybridSN stays at the class prior for hundreds of steps.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
