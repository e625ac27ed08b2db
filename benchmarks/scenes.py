"""HybridSN densely and with shared features, against patch by patch."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from benchmarks.side_by_side import Row, measure
from engine.device import Compute
from hsi.dense import WindowNetwork, Windows, classify_scene, padded
from hsi.hybridsn import HybridSN

ROWS, COLUMNS, COMPONENTS, CLASSES = 145, 145, 30, 16  # Indian Pines, reduced
TIMED_ROWS = 2  # of the scene, patch by patch: all of it would take minutes


def rows(compute: Compute) -> Iterator[Row]:
    """Measure the map of a scene and one training batch."""
    network = HybridSN(CLASSES, components=COMPONENTS).build(torch.Generator().manual_seed(0))
    network = network.to(compute.device).eval()
    scene = np.random.default_rng(0).standard_normal((ROWS, COLUMNS, COMPONENTS), np.float32)
    yield _map(network, scene, compute)
    yield _training(network, scene, compute)


def _map(network: WindowNetwork, scene: np.ndarray, compute: Compute) -> Row:
    around = padded(scene, network.window).to(compute.device)
    windows = around.unfold(1, network.window, 1).unfold(2, network.window, 1)

    def patches() -> Tensor:
        """Classify the first rows, one window for each pixel."""
        with torch.inference_mode():
            return torch.stack(
                [network(windows[:, r].transpose(0, 1)).T for r in range(TIMED_ROWS)], dim=1
            ).cpu()

    def dense() -> Tensor:
        blocks = classify_scene(network, scene, device=compute.device)
        logits = torch.empty(CLASSES, ROWS, COLUMNS)
        for row, column, block in blocks:
            logits[:, row, column] = block.cpu()
        return logits[:, :TIMED_ROWS]

    case = f"HybridSN, {ROWS}x{COLUMNS}x{COMPONENTS}: patch by patch against dense, float32"
    case += f" ({TIMED_ROWS} rows timed patch by patch, scaled to {ROWS})"
    # Patch by patch the cost grows with the number of pixels, and with nothing else.
    return measure(
        "hsi map",
        case,
        patches,
        dense,
        compute,
        precision="float32",
        repeats=3,
        part=TIMED_ROWS / ROWS,
    )


def _training(network: WindowNetwork, scene: np.ndarray, compute: Compute) -> Row:
    around = padded(scene, network.window).to(compute.device)
    rng = np.random.default_rng(0)
    batch = Windows(rng.integers(0, ROWS, 256), rng.integers(0, COLUMNS, 256))
    labels = torch.from_numpy(rng.integers(0, CLASSES, 256)).to(compute.device)

    def gradient(shared: bool) -> Tensor:
        network.zero_grad(set_to_none=True)
        logits = batch.logits(network, around, shared=shared)
        torch.nn.functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
        first = next(network.trunk.parameters()).grad
        assert first is not None
        return (first / first.abs().max()).cpu()

    return measure(
        "hsi training",
        "HybridSN, gradient of 256 windows: patch by patch against one shared pass, float32 "
        "(difference relative to the first layer's largest)",
        lambda: gradient(shared=False),
        lambda: gradient(shared=True),
        compute,
        precision="float32",
        repeats=2,
    )
