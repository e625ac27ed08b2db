"""HybridSN: three convolutions over space and spectrum, one over space, and a dense head.

S. K. Roy, G. Krishna, S. R. Dubey, B. B. Chaudhuri, "HybridSN: Exploring 3-D–2-D CNN Feature
Hierarchy for Hyperspectral Image Classification", IEEE GRSL 17(2), 2020.
"""

from dataclasses import dataclass

import torch
from torch import nn

from hsi.dense import WindowNetwork
from hsi.errors import HsiError

# Depth of the three kernels along the spectrum; all are 3 × 3 in space.
DEPTHS = (7, 5, 3)
SHRINKS = 8  # rows and columns that four unpadded 3 × 3 convolutions take off


@dataclass(frozen=True)
class HybridSN:
    """Settings of the network; the defaults are the published ones for Indian Pines.

    Attributes
    ----------
    classes : int
    window : int
        Odd side of the window, in pixels.
    components : int
        Principal components K that go in.
    filters_3d : tuple of 3 int
    filters_2d : int
    hidden : tuple of 2 int
        Widths of the dense layers before the last.
    dropout : float
        After each hidden layer.
    """

    classes: int
    window: int = 25
    components: int = 30
    filters_3d: tuple[int, int, int] = (8, 16, 32)
    filters_2d: int = 64
    hidden: tuple[int, int] = (256, 128)
    dropout: float = 0.4

    def __post_init__(self) -> None:
        least = sum(DEPTHS) - len(DEPTHS) + 1
        for key, fine, expected in (
            ("classes", self.classes >= 2, "at least 2"),
            ("window", self.window % 2 == 1 and self.window > SHRINKS, f"odd, {SHRINKS + 1} up"),
            ("components", self.components >= least, f"at least {least}"),
            ("filters_3d", len(self.filters_3d) == 3 and min(self.filters_3d) >= 1, "3 widths"),
            ("filters_2d", self.filters_2d >= 1, "at least 1"),
            ("hidden", len(self.hidden) == 2 and min(self.hidden) >= 1, "2 widths"),
            ("dropout", 0 <= self.dropout < 1, "at least 0 and below 1"),
        ):
            if not fine:
                raise HsiError(f"hybridsn: {key}: expected {expected}, found {getattr(self, key)}")

    def build(self, generator: torch.Generator) -> WindowNetwork:
        """Make the network with weights drawn as Keras draws them: Glorot uniform, biases zero."""
        first, second, third = self.filters_3d
        depth = self.components - sum(DEPTHS) + len(DEPTHS)
        trunk = nn.Sequential(
            nn.Unflatten(1, (1, self.components)),  # (N, 1, K, h, w)
            nn.Conv3d(1, first, (DEPTHS[0], 3, 3)),
            nn.ReLU(inplace=True),
            nn.Conv3d(first, second, (DEPTHS[1], 3, 3)),
            nn.ReLU(inplace=True),
            nn.Conv3d(second, third, (DEPTHS[2], 3, 3)),
            nn.ReLU(inplace=True),
            nn.Flatten(1, 2),  # (N, channels × depth, h − 6, w − 6)
            nn.Conv2d(third * depth, self.filters_2d, 3),
            nn.ReLU(inplace=True),
        )
        head = nn.Sequential(
            nn.Linear(self.filters_2d * (self.window - SHRINKS) ** 2, self.hidden[0]),
            nn.ReLU(inplace=True),
            nn.Dropout(self.dropout),
            nn.Linear(*self.hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(self.dropout),
            nn.Linear(self.hidden[1], self.classes),
        )
        network = WindowNetwork(self.window, self.components, trunk, head)
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
