"""ResNet of any published depth, and the same network without its shortcuts.

K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016. As in
most libraries, a bottleneck's stride lies in its 3 × 3 convolution (4.1 billion multiply-adds at
depth 50, where the paper's has 3.8).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from hsi.networks.backbones.backbone import Backbone, channels
from hsi.networks.backbones.layers import convolution, mean_over_window, pooled_head
from hsi.networks.dilated import Dilated

# Blocks per stage by depth; from 50 layers up they are bottlenecks.
DEPTHS = {
    10: (1, 1, 1, 1),
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
BOTTLENECK, EXPANSION = 50, 4
STAGES = (64, 128, 256, 512)


class Block(nn.Module):
    """A residual block: convolutions beside a shortcut.

    Parameters
    ----------
    path : Module
        The convolutions, without the last ReLU.
    shortcut : Module, optional
        None for a plain network.
    """

    def __init__(self, path: nn.Module, shortcut: nn.Module | None) -> None:
        super().__init__()
        self.path, self.shortcut = path, shortcut

    def forward(self, features: Tensor) -> Tensor:
        """Return the block's features, behind the last ReLU."""
        found: Tensor = self.path(features)
        if self.shortcut is not None:
            found = found + self.shortcut(features)
        return torch.relu_(found)


@dataclass(frozen=True)
class ResNet(Backbone):
    """Settings of a ResNet.

    Attributes
    ----------
    depth : {18, 10, 34, 50, 101, 152}
        Layers with weights. 10 is not among the published ones: one block per stage.
    residual : bool
        Shortcuts around the blocks; without them it is the paper's plain network.
    """

    name: ClassVar[str] = "resnet"

    depth: int = 18
    residual: bool = True

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of size and depth."""
        yield from super().own_checks()
        yield "depth", self.depth in DEPTHS, f"one of {', '.join(map(str, DEPTHS))}"

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return the first convolution and four stages, and the head."""
        stages, wide = self.stages(scale)
        within = nn.Sequential(*stages, mean_over_window())
        return Dilated(), within, pooled_head(wide, self.classes)

    def stages(self, scale: float, dilated: int = 0) -> tuple[list[nn.Module], int]:
        """Return the layers up to the mean, and their channels.

        Parameters
        ----------
        scale : float
            Factor of the channels.
        dilated : int
            How many of the last stages are dilated in place of strides.
        """
        wide = channels(64, scale)
        layers: list[nn.Module] = [
            convolution(self.components, wide, 7, 2 if self.native else 1),
            *([] if self.small else [nn.MaxPool2d(3, 2, padding=1)]),
        ]
        dilation = 1
        for stage, (published, blocks) in enumerate(zip(STAGES, DEPTHS[self.depth], strict=True)):
            stride = 1 if stage == 0 else 2
            if stage >= len(STAGES) - dilated:
                stride, dilation = 1, 2 * dilation
            for block in range(blocks):
                made, wide = self._block(
                    wide, channels(published, scale), stride if block == 0 else 1, dilation
                )
                layers.append(made)
        return layers, wide

    def attention(self, wide: int) -> list[nn.Module]:  # noqa: ARG002
        """Return the layers at the end of a block's path, before the shortcut is added."""
        return []

    def _block(self, wide: int, width: int, stride: int, dilation: int) -> tuple[nn.Module, int]:
        """Return a block and its channels."""
        if self.depth < BOTTLENECK:
            path = [
                convolution(wide, width, 3, stride, dilation=dilation),
                convolution(width, width, 3, dilation=dilation, act=None),
            ]
            out = width
        else:
            out = EXPANSION * width
            path = [
                convolution(wide, width, 1),
                convolution(width, width, 3, stride, dilation=dilation),
                convolution(width, out, 1, act=None),
            ]
        shortcut: nn.Module | None = None
        if self.residual:
            same = stride == 1 and wide == out
            shortcut = nn.Identity() if same else convolution(wide, out, 1, stride, act=None)
        return Block(nn.Sequential(*path, *self.attention(out)), shortcut), out
