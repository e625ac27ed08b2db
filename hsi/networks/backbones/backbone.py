"""The common part of the published image networks: two forms, widths, and a parameter budget."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import torch
from torch import nn

from hsi.errors import HsiError
from hsi.networks.architecture import Architecture
from hsi.networks.backbones.layers import he
from hsi.networks.dilated import Dilated
from hsi.networks.window_network import WindowNetwork

PATCH_WIDTH = 0.25
LARGEST_WINDOW = 511
SMALL = 32  # pixels; in smaller windows the first pools are left out
NARROWEST, WIDEST = 0.001, 8.0
HALVINGS = 30  # of the range of widths, in search of a budget


@dataclass(frozen=True)
class Backbone(Architecture):
    """Settings of a published image network.

    Attributes
    ----------
    form : {'patch', 'native'}
        'native': the layers as published; every window is enlarged, bilinearly, to the published
        input. 'patch': for windows as they are: the strides of the first layers are dropped, and
        in windows below 32 pixels the first pools are left out.
    width : float
        Factor of all layers' channels. 0 stands for 1 in the native form, and 0.25 in the patch
        form.
    parameters : int
        Where given, the width whose number of parameters, auxiliary heads left out, is nearest.
    """

    SIDE: ClassVar[int] = 224  # of the published input

    form: str = "patch"
    width: float = 0.0
    parameters: int = 0

    @property
    def native(self) -> bool:
        """Whether the layers are as published."""
        return self.form == "native"

    @property
    def small(self) -> bool:
        """Whether the first pools are left out."""
        return not self.native and self.window < SMALL

    @property
    def least_window(self) -> int:
        """Side of the smallest window that the pools leave a pixel of."""
        if self.native:
            return 1
        return next(side for side in range(1, SMALL, 2) if self.final_side(side) >= 1)

    def final_side(self, side: int) -> int:
        """Return the rows that are left of a small window of `side` pixels, in the patch form."""
        return side

    def own_checks(self) -> Iterable[tuple[str, bool, str]]:
        """Yield the checks of form and size."""
        # No weight depends on the window, so a file of a stranger could state any.
        yield "window", self.window <= LARGEST_WINDOW, f"at most {LARGEST_WINDOW}"
        yield "form", self.form in ("native", "patch"), "native or patch"
        fine = self.width == 0 or NARROWEST <= self.width <= WIDEST
        yield "width", fine, f"{NARROWEST:g} to {WIDEST:g}, or 0 for the form's own"
        yield "parameters", self.parameters >= 0, "0 or more"
        alone = not (self.parameters and self.width)
        yield "parameters", alone, f"none beside a width ({self.width:g}), or width 0"

    def layers(self, scale: float) -> tuple[Dilated, nn.Sequential, nn.Sequential]:
        """Return the trunk (empty where layers are padded), the layers within a window, the head.

        Parameters
        ----------
        scale : float
            Factor of the channels (see `channels`).
        """
        raise NotImplementedError

    def initialise(self, network: WindowNetwork, generator: torch.Generator) -> None:
        """Draw the initial weights: He's, unless a network was published with others."""
        he(network, generator)

    def build(self, generator: torch.Generator) -> WindowNetwork:
        """Return the network with initial weights.

        Raises
        ------
        HsiError
            No width has about so few, or so many, parameters.
        """
        network = self._built(self.scale)
        self.initialise(network, generator)
        return network

    def trained(self, network: WindowNetwork) -> Architecture:
        """Return the settings with the width that was found for a budget, and no auxiliary heads.

        Those heads are taken off the network; they serve training alone.
        """
        network.drop_auxiliary()
        return replace(self, width=self.scale, parameters=0)

    @property
    def scale(self) -> float:
        """Factor of the channels: `width`, the form's own, or that of the parameter budget."""
        if self.parameters:
            return _width_of(self)
        return self.width or (1.0 if self.native else PATCH_WIDTH)

    def _built(self, scale: float) -> WindowNetwork:
        trunk, within, head = self.layers(scale)
        if self.native:
            enlarge = nn.Upsample(size=(self.SIDE, self.SIDE), mode="bilinear")
            trunk, within = Dilated(), nn.Sequential(enlarge, *trunk, *within)
        inner = within if len(within) else None
        return WindowNetwork(self.window, self.components, trunk, head, inner)

    def count(self, scale: float) -> int:
        """Return the number of parameters at a factor of the channels, auxiliary heads left out."""
        with torch.device("meta"):
            network = self._built(scale)
        return network.parameter_count


def channels(published: int, scale: float) -> int:
    """Return a published number of channels times a factor, at least 1."""
    return max(1, round(published * scale))


@lru_cache(maxsize=64)
def _width_of(settings: Backbone) -> float:
    """Return the width whose number of parameters is nearest to the budget."""
    budget = settings.parameters
    low, high = NARROWEST, WIDEST
    least = settings.count(low)
    if budget < least:
        raise HsiError(
            f"{settings.name}: parameters: expected at least {least}, found {budget}; use more"
        )
    while settings.count(high / 2) > budget and high > 4 * low:
        high /= 2
    if settings.count(high) < budget:
        most = settings.count(high)
        raise HsiError(
            f"{settings.name}: parameters: expected at most {most}, found {budget}; use fewer"
        )
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if settings.count(middle) <= budget:
            low = middle
        else:
            high = middle
        if high - low < 1e-4 * low:
            break
    return min((low, high), key=lambda width: abs(settings.count(width) - budget))
