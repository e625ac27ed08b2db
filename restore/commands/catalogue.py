"""`restore import`, `restore models` and `restore sets`: what there is to work with."""

from pathlib import Path
from typing import Annotated

import typer


def import_(
    published: Annotated[Path, typer.Argument(help="MatConvNet .mat (v7.3) or PyTorch .pth.")],
    out: Annotated[Path, typer.Argument(help="Weights to write (.safetensors).")],
) -> None:
    """Import published DnCNN weights."""
    from restore.models import import_published

    typer.echo(f"{out}: {import_published(published, out)}")


def models() -> None:
    """List the shipped weights."""
    from engine.artifacts import load_tensors
    from restore.models import describe_schedule, shipped

    found = shipped()
    for name, path in found.items():
        typer.echo(f"{name:16} {describe_schedule(load_tensors(path)[1])}")
    if not found:
        typer.echo("no weights are shipped yet; `restore train` or `make demo` makes some")


def sets() -> None:
    """List the image sets that can be named."""
    from restore.sets import describe

    for info in describe():
        typer.echo(
            f"{info.name:16} {info.images:4} images {info.megabytes:7.1f} MB  {info.state:10} "
            f"{info.origin}; {info.terms}"
        )
