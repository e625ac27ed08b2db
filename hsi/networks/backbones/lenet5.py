"""LeNet-5: two unpadded convolutions with mean pools, and three dense layers.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86(11), 1998. As it is counted everywhere (61,706 parameters):
every kernel of the second convolution sees all channels, pools have no weights, and the last layer
is linear.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from hsi.networks.backbones.backbone import Backbone, channels
from hsi.networks.dilated import Dilated, MeanPool
from hsi.networks.window_network import WindowNetwork


@dataclass(frozen=True)
class LeNet5(Backbone):
    """Settings of LeNet-5.

    Nothing is padded, so that a scene in the patch form goes through it once, dilated.
    """

    name: ClassVar[str] = "lenet5"
    SIDE: ClassVar[int] = 32

    def final_side(self, side: int) -> int:
        """Return the rows behind two 5 × 5 kernels and the second pool."""
        return (side - 8) // 2

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return the convolutions, nothing within a window, and the dense layers."""
        first, second, wide, narrow = (channels(width, scale) for width in (6, 16, 120, 84))
        trunk = [nn.Conv2d(self.components, first, 5), nn.Tanh(), MeanPool()]
        trunk += [nn.Conv2d(first, second, 5), nn.Tanh(), MeanPool()]
        if self.small:
            del trunk[2]
            side = self.final_side(self.window)
        else:
            side = ((self.SIDE if self.native else self.window) - 4) // 2
            side = (side - 4) // 2
        head = nn.Sequential(
            nn.Linear(second * side**2, wide),
            nn.Tanh(),
            nn.Linear(wide, narrow),
            nn.Tanh(),
            nn.Linear(narrow, self.classes),
        )
        return Dilated(*trunk), nn.Sequential(), head

    def initialise(self, network: WindowNetwork, generator: torch.Generator) -> None:
        """Draw weights uniformly between ∓2.4 / inputs, as published; no bias."""
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                bound = 2.4 / layer.weight[0].numel()
                nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
