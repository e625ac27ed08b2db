"""MobileNet V1: depthwise-separable convolutions.

A. G. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", 2017, arXiv:1704.04861.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from hsi.networks.backbones.backbone import Backbone, channels
from hsi.networks.backbones.layers import convolution, mean_over_window, pooled_head
from hsi.networks.dilated import Dilated

FIRST = 32
# Channels and stride of each separable convolution.
LAYERS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5,
    (1024, 2), (1024, 1),
)  # fmt: skip


@dataclass(frozen=True)
class MobileNetV1(Backbone):
    """Settings of MobileNet V1.

    Attributes
    ----------
    depthwise : bool
        Depthwise-separable convolutions; else full 3 × 3 ones, as in the paper's comparison.
    """

    name: ClassVar[str] = "mobilenet-v1"

    depthwise: bool = True

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return all convolutions, and the head."""
        wide = channels(FIRST, scale)
        within: list[nn.Module] = [convolution(self.components, wide, 3, 2 if self.native else 1)]
        for published, stride in LAYERS:
            width = channels(published, scale)
            if self.depthwise:
                within.append(convolution(wide, wide, 3, stride, groups=wide))
                within.append(convolution(wide, width, 1))
            else:
                within.append(convolution(wide, width, 3, stride))
            wide = width
        within.append(mean_over_window())
        return Dilated(), nn.Sequential(*within), pooled_head(wide, self.classes)
