"""Splits of pixels that are drawn at random, class by class."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.labels import Labels

log = logging.getLogger(__name__)

Mask = npt.NDArray[np.bool_]
DRAWN = 2**20  # pixels that are marked together


def drawn_share(
    labels: Labels, value: str, window: int, seed: int
) -> tuple[Mask, Mask, dict[str, Any]]:
    """Return a split that trains on a share of each class's pixels, drawn at random."""
    del window
    share = parsed(value, float)
    if share is None or not 0 < share < 1:
        raise HsiError(f"`how` random:{value}: expected a share between 0 and 1, such as 0.3")
    rng = np.random.default_rng(seed)
    train = _drawn(labels, rng, lambda size: max(1, min(round(share * size), size - 1)))
    notes = {"minimum": "at least 1 training pixel a class, and 1 test pixel where it has two"}
    return train, (labels.ground_truth > 0) & ~train, notes


def drawn_count(
    labels: Labels, value: str, window: int, seed: int
) -> tuple[Mask, Mask, dict[str, Any]]:
    """Return a split that trains on as many pixels of each class, drawn at random."""
    del window
    wanted = parsed(value, int)
    if wanted is None or wanted < 1:
        raise HsiError(f"`how` count:{value}: expected a number of pixels per class, such as 50")
    counts = [max(1, min(wanted, size // 2)) for size in labels.count().tolist()]
    fewer = {
        str(number): count
        for number, count in zip(labels.classes, counts, strict=True)
        if count < wanted
    }
    rng = np.random.default_rng(seed)
    train = _drawn(labels, rng, lambda size: max(1, min(wanted, size // 2)))
    if fewer:
        drawn = ", ".join(f"class {number}: {count}" for number, count in fewer.items())
        log.warning("fewer than 2 × %d pixels, so half is trained on: %s", wanted, drawn)
    notes = {
        "minimum": f"{wanted} training pixels a class, or half of a class of fewer than twice that",
        "fewer_than_asked": fewer,
    }
    return train, (labels.ground_truth > 0) & ~train, notes


def _drawn(labels: Labels, rng: np.random.Generator, wanted: Callable[[int], int]) -> Mask:
    """Return pixels drawn at random, of each class as many as `wanted` says of its size."""
    train = np.zeros(labels.ground_truth.shape, bool)
    flat = train.reshape(-1)
    _, width = labels.ground_truth.shape
    kind = np.uint32 if train.size <= np.iinfo(np.uint32).max else np.uint64
    for index, size in enumerate(labels.count().tolist()):
        pixels = np.empty(size, kind)
        filled = 0
        for rows in labels.strips():
            found = np.flatnonzero(labels.indices[rows] == index) + rows.start * width
            pixels[filled : filled + len(found)] = found
            filled += len(found)
        rng.shuffle(pixels)
        count = wanted(size)
        for start in range(0, count, DRAWN):
            flat[pixels[start : min(start + DRAWN, count)]] = True
    return train


def parsed(text: str, kind: type[Any]) -> Any:
    """Return a text as a number of a type, or None."""
    try:
        return kind(text)
    except ValueError:
        return None
