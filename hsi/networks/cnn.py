"""The controls of HybridSN's order: 2D alone, 3D alone, and 2D before 3D.

All take the same window and components, have four 3 × 3 convolutions in space, and end in the same
dense head on as many features as HybridSN's, so that the order is what differs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from hsi.networks.architecture import DenseHead


@dataclass(frozen=True)
class CNN2D(DenseHead):
    """Four convolutions over space; the components are channels from the start.

    Attributes
    ----------
    filters : tuple of 4 int
    """

    name: ClassVar[str] = "cnn2d"

    filters: tuple[int, int, int, int] = (64, 64, 64, 64)

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of the head and the widths."""
        yield from super().own_checks()
        yield "filters", len(self.filters) == 4 and min(self.filters) >= 1, "4 widths"

    def layers(self) -> tuple[nn.Sequential, nn.Sequential | None, int]:
        """Return four 3 × 3 convolutions."""
        layers: list[nn.Module] = []
        wide = self.components
        for width in self.filters:
            layers += [nn.Conv2d(wide, width, 3), nn.ReLU(inplace=True)]
            wide = width
        return nn.Sequential(*layers), None, wide


@dataclass(frozen=True)
class CNN3D(DenseHead):
    """Four convolutions over space and spectrum, each of stride 2 along the spectrum.

    Without the stride the head would have 18 times HybridSN's features.

    Attributes
    ----------
    filters : tuple of 4 int
    """

    name: ClassVar[str] = "cnn3d"

    filters: tuple[int, int, int, int] = (8, 16, 32, 32)

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of the head and the widths."""
        yield from super().own_checks()
        yield "filters", len(self.filters) == 4 and min(self.filters) >= 1, "4 widths"

    def layers(self) -> tuple[nn.Sequential, nn.Sequential | None, int]:
        """Return convolutions of HybridSN's depths and one of depth 3, padded in depth."""
        layers: list[nn.Module] = [nn.Unflatten(1, (1, self.components))]
        wide, depth = 1, self.components
        for width, deep in zip(self.filters, (7, 5, 3, 3), strict=True):
            layers += [_halving(wide, width, deep), nn.ReLU(inplace=True)]
            wide, depth = width, halved(depth)
        return nn.Sequential(*layers, nn.Flatten(1, 2)), None, wide * depth


@dataclass(frozen=True)
class Reversed(DenseHead):
    """HybridSN in reverse: one convolution over space, then three over space and feature maps.

    Attributes
    ----------
    filters_2d : int
    filters_3d : tuple of 3 int
    """

    name: ClassVar[str] = "reversed"

    filters_2d: int = 64
    filters_3d: tuple[int, int, int] = (32, 16, 8)

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of the head and the widths."""
        yield from super().own_checks()
        widths = len(self.filters_3d) == 3 and min(self.filters_3d) >= 1
        yield "filters_3d", widths, "3 widths"
        yield "filters_2d", self.filters_2d >= 1, "at least 1"

    def layers(self) -> tuple[nn.Sequential, nn.Sequential | None, int]:
        """Return a 2D convolution whose feature maps are the depth, and three that halve it."""
        layers: list[nn.Module] = [
            nn.Conv2d(self.components, self.filters_2d, 3),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (1, self.filters_2d)),
        ]
        wide, depth = 1, self.filters_2d
        for width, deep in zip(self.filters_3d, (3, 5, 7), strict=True):
            layers += [_halving(wide, width, deep), nn.ReLU(inplace=True)]
            wide, depth = width, halved(depth)
        return nn.Sequential(*layers, nn.Flatten(1, 2)), None, wide * depth


def _halving(wide: int, width: int, deep: int) -> nn.Conv3d:
    """Return a convolution of stride 2 in depth; dense evaluation needs stride 1 in space."""
    return nn.Conv3d(wide, width, (deep, 3, 3), stride=(2, 1, 1), padding=(deep // 2, 0, 0))


def halved(depth: int) -> int:
    """Return the depth that a convolution of stride 2 leaves."""
    return (depth + 1) // 2
