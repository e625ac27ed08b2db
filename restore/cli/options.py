"""Options that several commands have, and what they stand for."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.device import Compute
    from restore.evaluation.benchmark import Baseline
    from restore.image_sets.find import ImageSet
    from restore.networks.denoiser import Denoiser

Images = Annotated[
    list[str], typer.Option("--images", help="Image set or folder; may be given several times.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bf16.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random draw.")]


def image_sets(names: list[str]) -> "list[ImageSet]":
    """Find image sets by their names or folders."""
    from restore.image_sets.find import resolve

    return [resolve(name) for name in names]


def pick_compute(device: str, precision: str) -> "Compute":
    """Pick the device and the precision."""
    from engine.device import pick

    return pick(device, precision)


def scored_models(names: list[str], device: str, precision: str) -> "list[Denoiser | Baseline]":
    """Load weights, by name or file, and baselines."""
    from restore.evaluation.baselines import BASELINES
    from restore.evaluation.benchmark import Baseline
    from restore.networks.denoiser import load

    compute = pick_compute(device, precision)
    return [Baseline(name) if name in BASELINES else load(name, compute) for name in names]
