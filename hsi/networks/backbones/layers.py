"""Layers that several backbones are made of, and their initial weights."""

import torch
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation in float32, whatever the precision of the layers around it.

    Means and variances of many bfloat16 values lose digits that the network lives on.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Return the features, normalised, in their own precision."""
        exact = torch.promote_types(features.dtype, torch.float32)
        return super().forward(features.to(exact)).to(features.dtype)


def convolution(
    wide: int,
    width: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    dilation: int = 1,
    norm: bool = True,
    act: type[nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """Return a padded convolution with batch normalisation and a function of one value.

    Parameters
    ----------
    wide, width : int
        Channels of the input and of the output.
    kernel, stride, dilation : int
        The kernel is odd; at stride 1 rows and columns stay as they are.
    groups : int
    norm : bool
        Batch normalisation, and no bias; or a bias alone.
    act : type, optional
        Such as `nn.ReLU`; None for none.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(
            wide,
            width,
            kernel,
            stride,
            padding=dilation * (kernel // 2),
            dilation=dilation,
            groups=groups,
            bias=not norm,
        )
    ]
    if norm:
        layers.append(BatchNorm(width))
    if act is not None:
        layers.append(act(inplace=True))
    return nn.Sequential(*layers)


def pooled_head(features: int, classes: int, dropout: float = 0.0) -> nn.Sequential:
    """Return the head behind a mean over the window: dropout and a linear layer."""
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(features, classes))


def mean_over_window() -> nn.Module:
    """Return the mean over all positions of a window, (N, F, 1, 1)."""
    return nn.AdaptiveAvgPool2d(1)


def he(network: nn.Module, generator: torch.Generator) -> None:
    """Draw kernels as He et al. (2015) do for ReLU, dense layers as Glorot, and no bias.

    Kernels that filter each channel alone are drawn positive: they begin as weighted means. With
    random signs, layer upon layer takes away what a channel's neighbouring pixels share, and that
    is their class. After the thirteen such layers of MobileNet V1, windows of one class were no
    more alike than others, and training learned single windows by heart.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.groups == layer.in_channels > 1:
                with torch.no_grad():
                    layer.weight.abs_()
        elif isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
