"""SE-ResNet: a ResNet whose blocks weight their channels by means over the window.

J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", CVPR 2018.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from hsi.networks.backbones.resnet import ResNet
from hsi.networks.hybridsn import SqueezeExcitation


@dataclass(frozen=True)
class SENet(ResNet):
    """Settings of an SE-ResNet.

    Attributes
    ----------
    depth : int
        As of `ResNet`; the paper's main one is 50.
    reduction : int
        Channels are squeezed to this fraction, at least to one.
    """

    name: ClassVar[str] = "senet"

    depth: int = 50
    reduction: int = 16

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of size, depth and reduction."""
        yield from super().own_checks()
        yield "reduction", self.reduction >= 1, "at least 1"

    def attention(self, wide: int) -> list[nn.Module]:
        """Return squeeze and excitation, before the shortcut is added."""
        return [SqueezeExcitation(wide, 1, self.reduction)]
