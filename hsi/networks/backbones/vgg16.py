"""VGG-16: thirteen 3 × 3 convolutions, five pools, three dense layers (configuration D).

K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
ICLR 2015.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from hsi.networks.architecture import glorot
from hsi.networks.backbones.backbone import Backbone, channels
from hsi.networks.backbones.layers import convolution, he
from hsi.networks.dilated import Dilated
from hsi.networks.window_network import WindowNetwork

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
FIRST_POOLS = 2  # left out of small windows: as much as the first layers of a ResNet reduce


@dataclass(frozen=True)
class VGG16(Backbone):
    """Settings of VGG-16.

    Attributes
    ----------
    batch_norm : bool
        Batch normalisation behind every convolution; the published network has none.
    dropout : float
        Behind each hidden dense layer.
    """

    name: ClassVar[str] = "vgg16"

    batch_norm: bool = False
    dropout: float = 0.5

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of size and dropout."""
        yield from super().own_checks()
        yield "dropout", 0 <= self.dropout < 1, "at least 0 and below 1"

    def final_side(self, side: int) -> int:
        """Return the rows behind the last three pools."""
        return side >> (len(STAGES) - FIRST_POOLS)

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return the convolutions, and the dense layers."""
        within: list[nn.Module] = []
        wide, side = self.components, self.SIDE if self.native else self.window
        for stage, widths in enumerate(STAGES):
            for published in widths:
                width = channels(published, scale)
                within.append(convolution(wide, width, 3, norm=self.batch_norm))
                wide = width
            if not self.small or stage >= FIRST_POOLS:
                within.append(nn.MaxPool2d(2))
                side //= 2
        hidden = channels(4096, scale)
        head = nn.Sequential(
            nn.Linear(wide * side**2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(self.dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(self.dropout),
            nn.Linear(hidden, self.classes),
        )
        return Dilated(), nn.Sequential(*within), head

    def initialise(self, network: WindowNetwork, generator: torch.Generator) -> None:
        """Draw Glorot's weights, by which the authors trained it at once; He's in the patch form.

        Glorot's shrink features by the root of two in each of the thirteen layers.
        """
        (glorot if self.native else he)(network, generator)
