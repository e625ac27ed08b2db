"""DnCNN: the residual denoiser of Zhang et al.

Convolution + ReLU, then convolutions + batch normalisation + ReLU, then one convolution; 3×3
kernels, 64 features, zero padding. The network predicts the degradation, which is subtracted.

A network that unshuffles computes on squares of pixels: see `restore.networks.variants`.

References
----------
.. [1] K. Zhang, W. Zuo, Y. Chen, D. Meng, L. Zhang, "Beyond a Gaussian Denoiser: Residual Learning
       of Deep CNN for Image Denoising", IEEE TIP 26(7), 2017. :doi:`10.1109/TIP.2017.2662206`
"""

import math
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from restore.networks import filtered
from restore.networks.variants import Architecture
from restore.networks.winograd import OUTPUTS


class DnCNN(nn.Module):
    """The network; maps degraded images to restored ones.

    Parameters
    ----------
    architecture : Architecture
    generator : torch.Generator, optional
        Draws the initial weights [1]_: normal with He's standard deviation. The last convolution
        of a residual network starts at zero, so that the untrained network changes nothing; that
        of a direct one is drawn too, for its output would be black. Without a generator the
        weights are left for `load_state_dict`.

    Attributes
    ----------
    filtered : bool
        Whether the forward pass uses `restore.networks.filtered` for the inner layers, of images of
        a width that four divides; `restore train` asks for it where it is faster.

    References
    ----------
    .. [1] K. He et al., "Delving Deep into Rectifiers", ICCV 2015. :arxiv:`1502.01852`
    """

    def __init__(
        self, architecture: Architecture, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.architecture = shape = architecture
        self.filtered = False
        self.layers = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, padding=1) for inputs, outputs in pairwise(shape.widths)
        )
        inner = shape.depth - 2 if shape.batch_norm else 0
        self.norms = nn.ModuleList(nn.BatchNorm2d(shape.features) for _ in range(inner))
        if generator is not None:
            self._initialise(generator)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        for conv in self.convolutions():
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        if self.architecture.residual:
            nn.init.zeros_(self.convolutions()[-1].weight)

    def convolutions(self) -> list[nn.Conv2d]:
        """All convolutions, from the input to the output."""
        return [conv for conv in self.layers if isinstance(conv, nn.Conv2d)]

    def forward(self, degraded: Tensor) -> Tensor:
        """Restore a batch.

        Parameters
        ----------
        degraded : Tensor (B, C, H, W)
            Float, 0..1.

        Returns
        -------
        Tensor (B, C, H, W)
            float32, neither clipped nor rounded.
        """
        entered = unshuffled(degraded, self.architecture.unshuffle)
        by_kind = self.filtered and entered.shape[3] % OUTPUTS == 0
        last = self.architecture.depth - 1
        hidden = self.layer(0, entered)
        if by_kind:
            hidden = filtered.by_kind(hidden)
        for index in range(1, last):
            hidden = self.layer(index, hidden, by_kind=by_kind)
        if by_kind:
            hidden = filtered.in_order(hidden)
        return shuffled(self.restored(entered, self.layer(last, hidden)), degraded.shape)

    def layer(
        self,
        index: int,
        hidden: Tensor,
        padding: tuple[int, int] = (1, 1),
        *,
        by_kind: bool = False,
    ) -> Tensor:
        """Run one convolution with its normalisation and ReLU.

        Parameters
        ----------
        index : int
            0 for the first.
        hidden : Tensor (B, F, H, W)
            What the layer before gave, or the degraded batch, `unshuffled`.
        padding : (int, int)
            Rows and columns of zeros on either side.
        by_kind : bool
            Columns are in the order of `restore.networks.filtered`; the padding is (1, 1).

        Returns
        -------
        Tensor (B, F, H + 2 * padding[0] - 2, W + 2 * padding[1] - 2)
        """
        conv = self.layers[index]
        assert isinstance(conv, nn.Conv2d)
        if by_kind:
            hidden = filtered.convolution(hidden, conv.weight, conv.bias)
        else:
            hidden = functional.conv2d(hidden, conv.weight, conv.bias, padding=padding)
        if index == self.architecture.depth - 1:
            return hidden
        if self.norms and index > 0:
            hidden = self.norms[index - 1](hidden)
        return functional.relu(hidden, inplace=True)

    def restored(self, degraded: Tensor, output: Tensor) -> Tensor:
        """Make the restored batch of what the last layer gave, in float32; both `unshuffled`."""
        output = output.float()
        return degraded.float() - output if self.architecture.residual else output


def unshuffled(images: Tensor, side: int) -> Tensor:
    """Turn squares of pixels into the channels of one.

    Parameters
    ----------
    images : Tensor (B, C, H, W)
    side : int
        Of a square; 1 changes nothing.

    Returns
    -------
    Tensor (B, C * side², ceil(H / side), ceil(W / side))
        In channels_last. See `in_squares` for those that go beyond the end.
    """
    if side == 1:
        return images
    squares = functional.pixel_unshuffle(in_squares(images, side), side)
    return squares.contiguous(memory_format=torch.channels_last)


def in_squares(images: Tensor, side: int) -> Tensor:
    """Repeat the last row and column of images (B, C, H, W) until both sides are multiples."""
    rows, columns = (-length % side for length in images.shape[-2:])
    if rows == columns == 0:
        return images
    return functional.pad(images, (0, columns, 0, rows), mode="replicate")


def shuffled(squares: Tensor, shape: torch.Size) -> Tensor:
    """Turn channels back into squares of pixels: the images of a shape that were `unshuffled`."""
    side = math.isqrt(squares.shape[1] // shape[1])
    if side == 1:
        return squares
    return functional.pixel_shuffle(squares, side)[..., : shape[-2], : shape[-1]]


@torch.no_grad()
def folded(network: DnCNN) -> DnCNN:
    """Return an equal network whose batch normalisation is folded into the convolutions.

    Parameters
    ----------
    network : DnCNN
        Trained; its running statistics are used.

    Returns
    -------
    DnCNN
        In evaluation mode; float32 weights computed in float64.
    """
    shape = network.architecture
    if not shape.batch_norm:
        return network.eval()
    plain = DnCNN(replace(shape, batch_norm=False)).to(next(network.parameters()).device)
    for index, (source, target) in enumerate(
        zip(network.convolutions(), plain.convolutions(), strict=True)
    ):
        weight, bias = source.weight.double(), _bias(source).double()
        if 0 < index < shape.depth - 1:
            norm = network.norms[index - 1]
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
            weight = weight * gain[:, None, None, None]
            bias = (bias - norm.running_mean.double()) * gain + norm.bias.double()
        target.weight.copy_(weight)
        _bias(target).copy_(bias)
    return plain.eval()


@torch.no_grad()
def renormalised(network: DnCNN, degraded: Tensor) -> DnCNN:
    """Return an equal network with batch normalisation put back in, as it was before it was folded.

    Deep networks learn much faster with it. Equal means: with the statistics of `degraded`.

    Parameters
    ----------
    network : DnCNN
        Without batch normalisation.
    degraded : Tensor (B, C, H, W)
        A batch such as those that the network is to learn from.

    Returns
    -------
    DnCNN
        Its inner kernels have the norm of freshly drawn ones.
    """
    shape = replace(network.architecture, batch_norm=True)
    result = DnCNN(shape).to(degraded.device)
    pairs = zip(network.convolutions(), result.convolutions(), strict=True)
    hidden = unshuffled(degraded, shape.unshuffle)
    for index, (source, target) in enumerate(pairs):
        target.weight.copy_(source.weight)
        _bias(target).copy_(_bias(source))
        if 0 < index < shape.depth - 1:
            norm = result.norms[index - 1]
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            size = source.weight.flatten(1).norm(dim=1).clamp(min=1e-12) / 2**0.5
            target.weight.div_(size[:, None, None, None])
            _bias(target).zero_()
            made = functional.conv2d(hidden, target.weight, padding=1)
            variance, mean = torch.var_mean(made, dim=(0, 2, 3), correction=0)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(size * (variance + norm.eps).sqrt())
            norm.bias.copy_(size * mean + _bias(source))
        hidden = network.layer(index, hidden)
    return result


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias
