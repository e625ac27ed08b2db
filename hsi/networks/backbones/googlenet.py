"""GoogLeNet: nine Inception modules, with auxiliary classifiers in training.

C. Szegedy et al., "Going Deeper with Convolutions", CVPR 2015. The figures that are quoted for it
(6,624,904 parameters, 1.5 billion multiply-adds) are of a network with batch normalisation, and
with 3 × 3 kernels where the paper has 5 × 5: these are the defaults. The paper's own is
``largest_kernel=5`` and ``batch_norm=False``, but for its response normalisation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from hsi.networks.architecture import Architecture
from hsi.networks.auxiliary import Auxiliary
from hsi.networks.backbones.backbone import Backbone, channels
from hsi.networks.backbones.layers import convolution, mean_over_window, pooled_head
from hsi.networks.dilated import Dilated
from hsi.networks.window_network import WindowNetwork

# Channels of the modules' branches: 1 × 1; 3 × 3 reduced, 3 × 3; 5 × 5 reduced, 5 × 5; pool.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY_SIDE = 4  # positions that an auxiliary head sees, as published
AUXILIARY_DROPOUT = 0.7


class Inception(nn.Module):
    """Four branches side by side, whose channels are joined.

    Parameters
    ----------
    wide : int
        Channels of the input.
    widths : tuple of 6 int
        As in `MODULES`.
    reductions : bool
        1 × 1 convolutions before the larger kernels.
    largest_kernel : int
    norm : bool
    """

    def __init__(
        self,
        wide: int,
        widths: tuple[int, ...],
        *,
        reductions: bool,
        largest_kernel: int,
        norm: bool,
    ) -> None:
        super().__init__()
        one, narrow3, three, narrow5, five, pool = widths

        def branch(narrow: int, width: int, kernel: int) -> nn.Module:
            if not reductions:
                return convolution(wide, width, kernel, norm=norm)
            return nn.Sequential(
                convolution(wide, narrow, 1, norm=norm),
                convolution(narrow, width, kernel, norm=norm),
            )

        self.one = convolution(wide, one, 1, norm=norm)
        self.three = branch(narrow3, three, 3)
        self.five = branch(narrow5, five, largest_kernel)
        self.pool = nn.Sequential(
            nn.MaxPool2d(3, 1, padding=1), convolution(wide, pool, 1, norm=norm)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return the channels of all branches."""
        branches = (self.one, self.three, self.five, self.pool)
        return torch.cat([branch(features) for branch in branches], 1)


@dataclass(frozen=True)
class GoogLeNet(Backbone):
    """Settings of GoogLeNet.

    Attributes
    ----------
    auxiliary : bool
        Two more classifiers on inner features, whose losses count 0.3 each in training. They are
        thrown away at its end.
    reductions : bool
        1 × 1 convolutions before the 3 × 3 and 5 × 5 ones.
    largest_kernel : {3, 5}
        Of the third branch.
    batch_norm : bool
    dropout : float
    """

    name: ClassVar[str] = "googlenet"

    auxiliary: bool = True
    reductions: bool = True
    largest_kernel: int = 3
    batch_norm: bool = True
    dropout: float = 0.4

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of size, kernel and dropout."""
        yield from super().own_checks()
        yield "largest_kernel", self.largest_kernel in (3, 5), "3 or 5"
        yield "dropout", 0 <= self.dropout < 1, "at least 0 and below 1"

    def final_side(self, side: int) -> int:
        """Return the rows behind the last three pools."""
        for _ in range(3):
            side = -(-(side - 3) // 2) + 1
        return side

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return the first convolutions and the modules, and the head."""
        norm, first = self.batch_norm, channels(64, scale)
        wide = channels(192, scale)
        within: list[nn.Module] = [
            convolution(self.components, first, 7, 2 if self.native else 1, norm=norm),
            *([] if self.small else [_pool()]),
            convolution(first, first, 1, norm=norm),
            convolution(first, wide, 3, norm=norm),
            _pool(),
        ]
        for name, published in MODULES.items():
            if name in ("4a", "5a"):
                within.append(_pool())
            if name in ("4b", "4e"):
                within.append(self._auxiliary(wide, scale))
            widths = tuple(channels(width, scale) for width in published)
            within.append(
                Inception(
                    wide,
                    widths,
                    reductions=self.reductions,
                    largest_kernel=self.largest_kernel,
                    norm=norm,
                )
            )
            wide = widths[0] + widths[2] + widths[4] + widths[5]
        head = pooled_head(wide, self.classes, self.dropout)
        return Dilated(), nn.Sequential(*within, mean_over_window()), head

    def trained(self, network: WindowNetwork) -> Architecture:
        """Return the settings without auxiliary heads, which are taken off the network."""
        found = super().trained(network)
        assert isinstance(found, GoogLeNet)
        return replace(found, auxiliary=False)

    def _auxiliary(self, wide: int, scale: float) -> nn.Module:
        if not self.auxiliary:
            return nn.Identity()  # in its place, so that the others keep their names
        narrow, hidden = channels(128, scale), channels(1024, scale)
        return Auxiliary(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(AUXILIARY_SIDE),
                convolution(wide, narrow, 1, norm=self.batch_norm),
                nn.Flatten(),
                nn.Linear(narrow * AUXILIARY_SIDE**2, hidden),
                nn.ReLU(inplace=True),
                nn.Dropout(AUXILIARY_DROPOUT),
                nn.Linear(hidden, self.classes),
            )
        )


def _pool() -> nn.Module:
    return nn.MaxPool2d(3, 2, ceil_mode=True)
