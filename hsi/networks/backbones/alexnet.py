"""AlexNet in one column.

A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012. The widths are those without two columns: A. Krizhevsky, "One weird trick for
parallelizing convolutional neural networks", 2014, arXiv:1404.5997 (61.1 million parameters).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from hsi.networks.backbones.backbone import Backbone, channels
from hsi.networks.backbones.layers import he
from hsi.networks.dilated import Dilated
from hsi.networks.window_network import WindowNetwork

BIASED = (1, 3, 4, 5, 6)  # layers whose biases start at 1: three convolutions, two dense layers


class LocalResponseNorm(nn.LocalResponseNorm):
    """Response normalisation over five channels [1]_, in float32.

    Torch divides alpha by the number of channels; the paper does not.

    References
    ----------
    .. [1] Krizhevsky et al. (2012), section 3.3.
    """

    def __init__(self) -> None:
        super().__init__(5, alpha=5e-4, beta=0.75, k=2.0)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features, normalised, in their own precision."""
        exact = torch.promote_types(features.dtype, torch.float32)
        return super().forward(features.to(exact)).to(features.dtype)


@dataclass(frozen=True)
class AlexNet(Backbone):
    """Settings of AlexNet.

    Attributes
    ----------
    response_norm : bool
        Local response normalisation behind the first two convolutions.
    overlapping : bool
        Pools of 3 × 3 pixels with stride 2, not of 2 × 2.
    dropout : float
        Before the first two dense layers.
    """

    name: ClassVar[str] = "alexnet"

    response_norm: bool = True
    overlapping: bool = True
    dropout: float = 0.5

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of size and dropout."""
        yield from super().own_checks()
        yield "dropout", 0 <= self.dropout < 1, "at least 0 and below 1"

    def final_side(self, side: int) -> int:
        """Return the rows behind the first kernel and the pools, the first left out."""
        return self._behind(side - 6, pools=2)

    def _behind(self, side: int, pools: int) -> int:
        for _ in range(pools):
            side = (side - (3 if self.overlapping else 2)) // 2 + 1
        return side

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return five convolutions, and three dense layers."""
        one, two, three, four, wide = (channels(c, scale) for c in (64, 192, 384, 256, 4096))
        side = self._behind(55 if self.native else self.window - 6, pools=2 if self.small else 3)
        within: list[nn.Module] = [
            nn.Conv2d(self.components, one, 11, 4 if self.native else 1, padding=2),
            *self._activated(),
            *([] if self.small else [self._pool()]),
            nn.Conv2d(one, two, 5, padding=2),
            *self._activated(),
            self._pool(),
            nn.Conv2d(two, three, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(three, four, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(four, four, 3, padding=1),
            nn.ReLU(inplace=True),
            self._pool(),
        ]
        head = nn.Sequential(
            nn.Dropout(self.dropout),
            nn.Linear(four * side**2, wide),
            nn.ReLU(inplace=True),
            nn.Dropout(self.dropout),
            nn.Linear(wide, wide),
            nn.ReLU(inplace=True),
            nn.Linear(wide, self.classes),
        )
        return Dilated(), nn.Sequential(*within), head

    def _activated(self) -> list[nn.Module]:
        norm: list[nn.Module] = [LocalResponseNorm()] if self.response_norm else []
        return [nn.ReLU(inplace=True), *norm]

    def _pool(self) -> nn.Module:
        return nn.MaxPool2d(3 if self.overlapping else 2, 2)

    def initialise(self, network: WindowNetwork, generator: torch.Generator) -> None:
        """Draw weights as published in the native form, and He's in the patch form.

        The published standard deviation of 0.01 suits the published widths alone: with fewer
        channels nothing would come through.
        """
        he(network, generator)
        if not self.native:
            return
        layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        for place, layer in enumerate(layers):
            nn.init.normal_(layer.weight, std=0.01, generator=generator)
            if layer.bias is not None and place in BIASED:
                nn.init.ones_(layer.bias)
