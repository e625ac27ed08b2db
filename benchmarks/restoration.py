"""DnCNN against the plain way: contiguous float32, eager, normalisation not folded."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.side_by_side import Row, measure
from engine.device import Compute
from restore import tiles
from restore.dncnn import DnCNN, folded, variant


def rows(compute: Compute) -> Iterator[Row]:
    """Measure inference on one image and one training step."""
    network = variant("dncnn-s-25")
    plain = DnCNN(network.architecture, torch.Generator().manual_seed(0)).to(compute.device)
    torch.nn.init.normal_(plain.convolutions()[-1].weight, std=0.01)
    how = f"contiguous float32, unfolded against channels_last {compute.precision}"
    yield _inference(plain, how, compute)
    yield _training(plain, how, compute)


def _inference(plain: DnCNN, how: str, compute: Compute) -> Row:
    image = torch.rand(1, 1, 512, 512)
    plain = copy.deepcopy(plain).eval()
    fast = folded(plain).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def baseline() -> Tensor:
        with torch.inference_mode():
            restored: Tensor = plain(image.to(compute.device))
            return restored.cpu()

    def ours() -> Tensor:
        return tiles.restore(fast, image, compute)

    case = f"DnCNN-S, 512x512: {how} and folded"
    return measure("restore inference", case, baseline, ours, compute, repeats=3)


def _training(plain: DnCNN, how: str, compute: Compute) -> Row:
    clean = torch.rand(32, 1, 40, 40, device=compute.device)
    noisy = clean + 0.1 * torch.randn_like(clean)
    fast = copy.deepcopy(plain).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def step(model: DnCNN, inputs: Tensor, at: Compute | None) -> Tensor:
        model.zero_grad(set_to_none=True)
        if at is None:
            loss: Tensor = (model(inputs) - clean).square().sum()
        else:
            with at.autocast():
                loss = (model(inputs) - clean).square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    case = f"DnCNN-S, forward and backward of 32 patches of 40x40: {how}"
    laid_out = noisy.contiguous(memory_format=torch.channels_last)
    return measure(
        "restore training",
        case,
        lambda: step(plain, noisy, None),
        lambda: step(fast, laid_out, compute),
        compute,
        repeats=3,
    )
