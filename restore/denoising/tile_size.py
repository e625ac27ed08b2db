"""How large a tile the free memory allows."""

import torch

from engine.device import Compute
from engine.memory import free_bytes
from restore.networks import winograd
from restore.networks.inference.streaming import STRIP_PIXELS
from restore.networks.tiles import SMALLEST
from restore.networks.variants import Architecture

# On a CPU larger tiles save little: the halo of 768 pixels costs a tenth more pixels than none.
LARGEST = {"cpu": 768, "cuda": 2048}
_LIVE = 3  # sets of features that a layer holds at once: what it reads, what it writes, its own
_SUMS = 3  # more of them with Winograd's filtering
_PLANES = 8  # float32 copies of a tile on its way into the network and out of it


def tile_side(architecture: Architecture, compute: Compute) -> int:
    """Choose the side of a tile, in pixels, so that a pass fits in half of the free memory."""
    room = free_bytes(compute.device) / 2
    per_pixel = 4 * _PLANES * architecture.channels
    features = architecture.features * (2 if compute.precision == "bf16" else 4)
    squares = architecture.unshuffle**2  # pixels that share their features
    if compute.device.type == "cpu":
        strip = STRIP_PIXELS + 2 * architecture.depth * LARGEST["cpu"]  # with the rows beyond
        summed = compute.precision == "float32" and winograd.faster(architecture.features)
        sets = _LIVE + summed * _SUMS
        room -= features * sets * strip * torch.get_num_threads()
    else:
        per_pixel += -(-features * _LIVE // squares)
    fits = int((max(room, 0) / per_pixel) ** 0.5)
    return max(SMALLEST, min(fits // 32 * 32, LARGEST.get(compute.device.type, 768)))
