"""HybridSN densely and with shared features, against patch by patch; maps of larger scenes."""

import copy
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.goals import DENSE, GROWING, SHARED
from benchmarks.side_by_side import Row, machine, measure
from engine.device import Compute
from engine.training.checkpoint import Checkpoint
from hsi.classifiers.model import make_classifier
from hsi.classifiers.protocol import Application, Training
from hsi.classifiers.schedules import PAPER_EPOCHS, schedule
from hsi.classifiers.window import NetworkClassifier
from hsi.features.pca import fit_pca
from hsi.maps.blocks import classify_whole
from hsi.networks.hybridsn import HybridSN
from hsi.networks.window_network import WindowNetwork
from hsi.networks.windows import Windows, padded
from hsi.scenes.labels import Labels, open_labels
from hsi.scenes.scene import Scene, open_scene
from hsi.splits.split import make_split

ROWS, COLUMNS, COMPONENTS, CLASSES = 145, 145, 30, 16  # Indian Pines, reduced
TIMED_ROWS = 2  # of the scene, patch by patch: all of it would take minutes
TIMED_EPOCHS = 2


def rows(compute: Compute) -> Iterator[Row]:
    """Measure the map of a scene, one batch, a training, and maps of larger and larger scenes."""
    network = HybridSN(CLASSES, components=COMPONENTS).build(torch.Generator().manual_seed(0))
    network = network.to(compute.device).eval()
    scene = np.random.default_rng(0).standard_normal((ROWS, COLUMNS, COMPONENTS), np.float32)
    dense = _map(network, scene, compute)
    yield dense.judged(DENSE, dense.ratio)
    training = _training(network, scene, compute)
    yield training.judged(SHARED, training.ratio)
    indian_pines = open_scene("IndianPines"), open_labels("IndianPines")
    yield published(_network("hybridsn"), *indian_pines, compute, training.baseline_seconds)
    yield from growing(replace(compute, precision="float32"), indian_pines[0])


def _network(name: str) -> NetworkClassifier:
    made = make_classifier(name, components=COMPONENTS)
    assert isinstance(made, NetworkClassifier)
    return made


def plain(network: WindowNetwork) -> WindowNetwork:
    """HybridSN of the published widths with PyTorch's own layers and layout, and these weights."""
    trunk = nn.Sequential(
        nn.Unflatten(1, (1, network.bands)),
        nn.Conv3d(1, 8, (7, 3, 3)),
        nn.ReLU(inplace=True),
        nn.Conv3d(8, 16, (5, 3, 3)),
        nn.ReLU(inplace=True),
        nn.Conv3d(16, 32, (3, 3, 3)),
        nn.ReLU(inplace=True),
        nn.Flatten(1, 2),
        nn.Conv2d(32 * (network.bands - 12), 64, 3),
        nn.ReLU(inplace=True),
    )
    same = WindowNetwork(network.window, network.bands, trunk, copy.deepcopy(network.head))
    same.load_state_dict(network.state_dict())
    return same.to(next(network.parameters())).train(network.training)


def _map(network: WindowNetwork, scene: np.ndarray, compute: Compute) -> Row:
    baseline = plain(network)
    around = padded(scene, network.window).to(compute.device)
    windows = around.unfold(1, network.window, 1).unfold(2, network.window, 1)

    def patches() -> Tensor:
        """Classify the first rows, one window for each pixel."""
        with torch.inference_mode():
            return torch.stack(
                [baseline(windows[:, r].transpose(0, 1)).T for r in range(TIMED_ROWS)], dim=1
            ).cpu()

    def dense() -> Tensor:
        with torch.inference_mode():
            around = padded(scene, network.window).to(compute.device)
            return network.dense(around).cpu()[:, :TIMED_ROWS]

    case = f"HybridSN, {ROWS}x{COLUMNS}x{COMPONENTS}: plain layers patch by patch against dense, "
    case += f"float32 ({TIMED_ROWS} rows timed patch by patch, scaled to {ROWS})"
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
    baseline = plain(network)
    around = padded(scene, network.window).to(compute.device)
    rng = np.random.default_rng(0)
    batch = Windows(rng.integers(0, ROWS, 256), rng.integers(0, COLUMNS, 256))
    labels = torch.from_numpy(rng.integers(0, CLASSES, 256)).to(compute.device)

    def gradient(trained: WindowNetwork, *, shared: bool) -> Tensor:
        trained.zero_grad(set_to_none=True)
        logits = batch.logits(trained, around, shared=shared)
        nn.functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
        first = next(trained.trunk.parameters()).grad
        assert first is not None
        return (first / first.abs().max()).cpu()

    return measure(
        "hsi training",
        "HybridSN, gradient of 256 windows: plain layers patch by patch against one shared pass, "
        "float32 (difference relative to the first layer's largest)",
        lambda: gradient(baseline, shared=False),
        lambda: gradient(network, shared=True),
        compute,
        precision="float32",
        repeats=3,
    )


def published(
    classifier: NetworkClassifier, scene: Scene, labels: Labels, compute: Compute, slow: float
) -> Row:
    """Train for some epochs of the published hundred, and scale to all of them.

    The baseline is the time of a gradient patch by patch, `slow`, times the number of steps.
    """
    split = make_split(labels, "random:0.3", seed=0, window=classifier.window)
    paper = schedule("paper", int(split.train.sum()))
    share = TIMED_EPOCHS / PAPER_EPOCHS
    short = replace(paper, steps=round(paper.steps * share))
    with (
        tempfile.TemporaryDirectory() as folder,
        Checkpoint(Path(folder) / "model.safetensors", {}) as checkpoint,
    ):
        training = Training(scene, labels, split, 0, short, compute, checkpoint)
        seconds = classifier.fit(training) / share
    return Row(
        "hsi schedule",
        f"{classifier.name}, {PAPER_EPOCHS} epochs of random:0.3 of {scene.name}, {paper.steps} "
        "steps: gradients of 256 windows patch by patch in float32 against hsi train "
        f"({TIMED_EPOCHS} epochs timed, scaled)",
        round(slow * paper.steps, 5),
        round(seconds, 5),
        round(slow * paper.steps / seconds, 2),
        None,
        machine(compute),
    )


def growing(compute: Compute, scene: Scene, repeats: tuple[int, ...] = (2, 4)) -> Iterator[Row]:
    """Map a scene, and the same tiled, block by block from the spectra on: is the cost linear?

    The baseline is the time of the scene alone, times the number of its tiles.
    """
    classifier = _network("hybridsn-11")
    classifier.pca = fit_pca(scene, COMPONENTS)
    settings = HybridSN(CLASSES, window=11, components=COMPONENTS)
    classifier.network = settings.build(torch.Generator().manual_seed(0))

    def seconds(times: int) -> float:
        tiled = Scene(scene.name, np.tile(scene.cube, (times, times, 1)))
        began = time.perf_counter()
        classify_whole(classifier, tiled, Application(compute))
        return time.perf_counter() - began

    seconds(1)  # loads what is loaded once
    one = min(seconds(1) for _ in range(3))
    height, width = scene.shape
    for times in repeats:
        spent, tiles = seconds(times), times * times
        rate = tiles * height * width / spent
        row = Row(
            "hsi growing",
            f"HybridSN-11, map of {times * height}x{times * width}: {rate:.3g} pixels/s, against "
            f"{height * width / one:.3g} for {height}x{width}, float32",
            round(one * tiles, 5),
            round(spent, 5),
            round(one * tiles / spent, 2),
            None,
            machine(compute),
        )
        yield row.judged(GROWING)
