"""DnCNN against the plain way: contiguous float32, eager, normalisation not folded; and `auto`."""

import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.goals import CHOOSING, GRADIENTS, INFERENCE, MIXED, PRECISION
from benchmarks.side_by_side import Row, machine, measure, medians
from engine.device import Compute, cpu_bf16
from engine.training.allocator import freed_memory_kept
from engine.training.loop import drawn_ahead
from restore.degradations import degradation
from restore.denoising import choose, levels, noise_level, noise_seen
from restore.denoising.choose import Seen
from restore.denoising.pixels import PixelDenoiser
from restore.evaluation import metrics, pairs
from restore.image_sets.find import image_set
from restore.networks import denoiser, filtered, shipped
from restore.networks.dncnn import DnCNN, folded
from restore.networks.variants import variant
from restore.training.losses import half_squared_error
from restore.training.patches import Patches
from restore.training.schedules import schedule
from restore.training.train import train_variant

TRAINING_STEPS = 3  # in one measurement
SHORT = 200  # training steps, where no weights are shipped: enough for errors like a network's


def rows(compute: Compute) -> Iterator[Row]:
    """Measure inference on one image, training steps, and what bfloat16 costs in accuracy."""
    network = variant("dncnn-s-25")
    plain = DnCNN(network.architecture, torch.Generator().manual_seed(0)).to(compute.device)
    torch.nn.init.normal_(plain.convolutions()[-1].weight, std=0.01)
    how = f"contiguous float32, unfolded against channels_last {compute.precision}"
    amx = compute.device.type == "cpu" and cpu_bf16() == "AMX"
    inference = _inference(plain, how, compute)
    yield inference.judged(INFERENCE, inference.ratio if amx else None)
    gradients = _training(plain, how, compute)
    yield gradients.judged(GRADIENTS, gradients.ratio if amx else None)
    yield _mixed(compute)
    yield choosing(compute)
    if compute.precision == "bf16":
        yield precisions(compute)


def _inference(plain: DnCNN, how: str, compute: Compute) -> Row:
    image = torch.rand(1, 1, 512, 512)
    plain = copy.deepcopy(plain).eval()
    fast = folded(plain).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def baseline() -> Tensor:
        with torch.inference_mode():
            restored: Tensor = plain(image.to(compute.device))
            return restored.cpu()

    ready = denoiser.Denoiser("dncnn-s-25", fast, {}, "", compute)
    pixels = 255 * image[0, 0].numpy()

    def ours() -> Tensor:
        return torch.from_numpy(ready(pixels))[None, None].float() / 255

    case = f"DnCNN-S, 512x512: {how} and folded"
    return measure("restore inference", case, baseline, ours, compute, repeats=3)


def _training(plain: DnCNN, how: str, compute: Compute) -> Row:
    clean = torch.rand(32, 1, 40, 40, device=compute.device)
    noisy = clean + 0.1 * torch.randn_like(clean)
    fast = copy.deepcopy(plain).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fast.filtered = filtered.faster(fast.architecture.features, compute)
    exact = replace(compute, precision="float32")

    def gradient(model: DnCNN, inputs: Tensor, at: Compute) -> Tensor:
        model.zero_grad(set_to_none=True)
        with at.autocast():
            loss = (model(inputs) - clean).square().sum()
        loss.backward()
        last = model.convolutions()[-1].weight.grad
        assert last is not None
        return last / last.abs().max()

    def steps(model: DnCNN, inputs: Tensor, at: Compute) -> Tensor:
        return [gradient(model, inputs, at) for _ in range(TRAINING_STEPS)][-1]

    def ours() -> Tensor:
        with freed_memory_kept():  # as in engine.loop
            return steps(fast, laid_out, compute)

    laid_out = noisy.contiguous(memory_format=torch.channels_last)
    return measure(
        "restore training",
        f"DnCNN-S, {TRAINING_STEPS} gradients of 32 patches of 40x40: {how}, freed memory kept "
        "(difference relative to the last layer's largest)",
        lambda: steps(plain, noisy, exact),
        ours,
        compute,
        repeats=3,
    )


def _mixed(compute: Compute, rounds: int = 5) -> Row:
    """Compare steps on noise alone and on all three degradations, drawing included."""
    batch, side = (128, 50) if compute.device.type == "cuda" else (18, 32)
    seconds: dict[str, list[float]] = {"dncnn-b": [], "dncnn-3": []}
    for _ in range(rounds):
        for name, spent in seconds.items():
            spent.append(_step_seconds(name, batch, side, compute))
    blind, general = (statistics.median(spent) for spent in seconds.values())
    more = 100 * (general / blind - 1)
    row = Row(
        "restore batches",
        f"a step of DnCNN-B against one of DnCNN-3, {batch} patches of {side}x{side} drawn ahead: "
        f"{more:+.0f} % time for noise, bicubic and JPEG",
        round(blind, 5),
        round(general, 5),
        round(blind / general, 2),
        None,
        machine(compute),
    )
    return row.judged(MIXED, more)


def _step_seconds(name: str, batch: int, side: int, compute: Compute, steps: int = 3) -> float:
    """Time training steps once the drawing thread is ahead, as it is in `engine.training.loop`."""
    network = variant(name)
    images = [item.load() for item in image_set("embedded-train").items]
    patches = Patches(
        images, network, patch=side, batch_size=batch, scales=(1.0,), device=compute.device
    )
    model = DnCNN(network.architecture, torch.Generator().manual_seed(0)).to(compute.device)
    model = model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    if compute.device.type == "cuda":
        steps *= 10
    with closing(drawn_ahead(patches.draw, 0, 0, 1 + steps)) as batches:
        for step in range(1 + steps):
            if step == 1:
                began = time.perf_counter()
            drawn = next(batches)
            model.zero_grad(set_to_none=True)
            with compute.autocast():
                loss = half_squared_error(model, drawn)
            loss.backward()  # type: ignore[no-untyped-call]
            loss.item()  # waits for the device
        return (time.perf_counter() - began) / steps


def choosing(compute: Compute, side: int = 512, repeats: int = 3) -> Row:
    """Compare what `auto` takes to choose a model with what the network takes."""
    camera = next(iter(image_set("embedded-test"))).load()[:side, :side]
    image = pairs.degrade(camera, "noise:25").clip(0, 255).astype(np.uint8)
    known = choose.candidates("auto")  # read once for a folder

    def choice() -> choose.Choice:
        white = levels.white(image)
        sigma, noise = noise_level.estimate(image, white), noise_seen.look(image, white)
        return choose.choose(known, Seen(channels=1, jpeg=False, sigma=sigma, noise=noise))

    chosen = choice().candidate
    assert chosen is not None  # there is noise to remove
    network = PixelDenoiser(denoiser.load(str(chosen.path), compute))
    ways: dict[str, Callable[[], object]] = {
        "network": lambda: network([image.copy()]),
        "choice": choice,
    }
    for way in ways.values():
        way()
    slow, fast = medians(ways, repeats).values()
    share = 100 * fast / slow
    row = Row(
        "restore auto",
        f"denoising a grey 8-bit image of {side}x{side} by {chosen.name} against "
        f"choosing that model: {1e9 * fast / image.size:.0f} ms per megapixel, "
        f"{share:.1f} % of the network's time",
        round(slow, 5),
        round(fast, 5),
        round(slow / fast, 2),
        None,
        machine(compute),
    )
    return row.judged(CHOOSING, share)


def precisions(compute: Compute, steps: int = SHORT, images: str = "embedded-test") -> Row:
    """Compare the PSNR of one network in float32 and in bfloat16, image by image."""
    exact = replace(compute, precision="float32")
    noise = degradation.parse("noise:25")
    made = [
        pairs.pair(item.load(), noise, seed=0, name=item.name) for item in image_set(images).items
    ]
    with tempfile.TemporaryDirectory() as folder:
        weights = shipped.shipped_models().get("dncnn-s-25")
        source = "shipped weights"
        if weights is None:
            weights, source = Path(folder) / "short.safetensors", f"trained for {steps} steps"
            network = variant("dncnn-s-25")
            plan = replace(schedule("demo", network), steps=steps)
            train_variant(
                network, [image_set("embedded-train")], plan, weights, seed=0, compute=compute
            )
        slow, fast = (denoiser.load(str(weights), at) for at in (exact, compute))

    def scores(model: denoiser.Denoiser) -> Tensor:
        restored = [metrics.quantise(model(pair.observed)) for pair in made]
        found = zip(made, restored, strict=True)
        return torch.tensor(
            [metrics.psnr(pair.target, image, white=metrics.WHITE) for pair, image in found]
        )

    row = measure(
        "restore precision",
        f"DnCNN-S ({source}), {images}, noise:25: float32 against {compute.precision}; the "
        "difference is the largest of an image's PSNR in dB",
        lambda: scores(slow),
        lambda: scores(fast),
        compute,
        repeats=1,
    )
    return row.judged(PRECISION, row.max_difference)
