"""Small networks that teach, and the schedule of their pupils."""

from dataclasses import replace
from pathlib import Path

import torch

from engine.device import Compute
from restore.networks import denoiser
from restore.networks.dncnn import DnCNN, folded
from restore.networks.variants import Architecture, variant
from restore.training.schedules import PatchSchedule

CPU = Compute(torch.device("cpu"), "float32", "test")
SHAPE = Architecture(4, 1, 8)
BLIND = replace(variant("dncnn-b"), architecture=SHAPE)
TINY = PatchSchedule("tiny", 8, 6, learning_rate=1e-2, patch=16, ema_decay=0.8)


def weights(folder: Path, name: str, seed: int, channels: int = 1) -> str:
    """Write a small network of a variant that changes its input."""
    drawn = torch.Generator().manual_seed(seed)
    network = DnCNN(replace(SHAPE, channels=channels), drawn)
    torch.nn.init.normal_(network.convolutions()[-1].weight, std=0.1, generator=drawn)
    path = folder / f"{name}-{seed}.safetensors"
    denoiser.save(path, folded(network.eval()), name, {})
    return str(path)


def squares(folder: Path, scale: int) -> str:
    """Write a small network of one scale that changes its input."""
    drawn = torch.Generator().manual_seed(scale)
    network = DnCNN(Architecture(3, 1, 8, unshuffle=scale), drawn)
    torch.nn.init.normal_(network.convolutions()[-1].weight, std=0.1, generator=drawn)
    path = folder / f"dncnn-x{scale}.safetensors"
    denoiser.save(path, folded(network.eval()), f"dncnn-x{scale}", {})
    return str(path)
