"""MobileNet V2: inverted residuals and linear bottlenecks.

M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2: Inverted Residuals and
Linear Bottlenecks", CVPR 2018.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from hsi.networks.backbones.backbone import Backbone, channels
from hsi.networks.backbones.layers import convolution, mean_over_window, pooled_head
from hsi.networks.dilated import Dilated

FIRST, LAST = 32, 1280
# Expansion, channels, blocks and first stride of each stage.
STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip


class InvertedResidual(nn.Module):
    """Expand, filter each channel, and project to few channels without a function behind.

    Parameters
    ----------
    wide, width : int
        Channels of the input and of the output.
    stride, expansion : int
    depthwise : bool
        Filter each channel alone, or all together.
    """

    def __init__(
        self, wide: int, width: int, stride: int, expansion: int, *, depthwise: bool
    ) -> None:
        super().__init__()
        expanded = expansion * wide
        groups = expanded if depthwise else 1
        path = [convolution(wide, expanded, 1, act=nn.ReLU6)] if expansion > 1 else []
        path += [
            convolution(expanded, expanded, 3, stride, groups=groups, act=nn.ReLU6),
            convolution(expanded, width, 1, act=None),
        ]
        self.path = nn.Sequential(*path)
        self.residual = stride == 1 and wide == width

    def forward(self, features: Tensor) -> Tensor:
        """Return the projected features, with those given where their shapes are the same."""
        found: Tensor = self.path(features)
        return features + found if self.residual else found


@dataclass(frozen=True)
class MobileNetV2(Backbone):
    """Settings of MobileNet V2.

    Attributes
    ----------
    depthwise : bool
        Depthwise convolutions between the two of 1 × 1; else full 3 × 3 ones.
    dropout : float
    """

    name: ClassVar[str] = "mobilenet-v2"

    depthwise: bool = True
    dropout: float = 0.2

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of size and dropout."""
        yield from super().own_checks()
        yield "dropout", 0 <= self.dropout < 1, "at least 0 and below 1"

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return all convolutions, and the head."""
        wide = channels(FIRST, scale)
        within: list[nn.Module] = [
            convolution(self.components, wide, 3, 2 if self.native else 1, act=nn.ReLU6)
        ]
        for expansion, published, blocks, first in STAGES:
            width = channels(published, scale)
            for block in range(blocks):
                stride = first if block == 0 else 1
                within.append(
                    InvertedResidual(wide, width, stride, expansion, depthwise=self.depthwise)
                )
                wide = width
        last = channels(LAST, scale)
        within += [convolution(wide, last, 1, act=nn.ReLU6), mean_over_window()]
        return Dilated(), nn.Sequential(*within), pooled_head(last, self.classes, self.dropout)
