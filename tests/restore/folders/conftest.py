"""A folder of images of all depths, denoised by a network that changes nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine.device import Compute
from restore.folders.folder import denoise_files
from restore.folders.journal import JOURNAL
from restore.folders.options import FolderOptions

CPU = Compute(torch.device("cpu"), "float32", "test")


@pytest.fixture
def weights(make_weights) -> str:
    """An untrained network: it changes nothing, so every output can be checked exactly."""
    return str(make_weights())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (9, 7), np.uint8)).save(folder / "grey.png")
    Image.fromarray(rng.integers(0, 256, (9, 7, 4), np.uint8)).save(folder / "alpha ä.png")
    Image.fromarray(rng.integers(0, 65536, (9, 7), np.uint16)).save(folder / "deep.png")
    Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8)).save(folder / "trip" / "sea.tif")
    return folder


def lines(out: Path) -> dict[str, dict[str, Any]]:
    """Give the journal by file; there is one line a file."""
    records = [json.loads(x) for x in (out / JOURNAL).read_text().splitlines()]
    return {record["file"]: record for record in records}


def run(photos: Path, out: Path, weights: str, **options: object) -> None:
    denoise_files(photos, out, weights, FolderOptions(**options), lambda: CPU)  # type: ignore[arg-type]
