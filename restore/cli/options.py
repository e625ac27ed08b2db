"""Options that several commands have, and what they stand for."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.device import Compute

Images = Annotated[
    list[str], typer.Option("--images", help="Image set or folder; may be given several times.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bf16.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random draw.")]


def noise_level(text: str) -> float | None:
    """Return the noise level that an option gives; None for 'auto'.

    Raises
    ------
    RestoreError
        Neither 'auto' nor a number from 0 to 255.
    """
    from restore.errors import RestoreError

    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 255:
        raise RestoreError(f"`sigma` {text}: expected auto or a number from 0 to 255")
    return value


def pick_compute(device: str, precision: str) -> "Compute":
    """Pick the device and the precision."""
    from engine.device import pick

    return pick(device, precision)
