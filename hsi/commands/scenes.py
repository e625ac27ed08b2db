"""`hsi info` and `hsi convert`: what a scene's file says, and the same in another format."""

from pathlib import Path
from typing import Annotated

import typer

from hsi.commands.arguments import Overwrite, SceneSource


def info(source: SceneSource) -> None:
    """Print what is understood of a scene."""
    from hsi.describe import describe
    from hsi.scene import open_scene

    for key, value in describe(open_scene(source)).items():
        typer.echo(f"{key}: {value}")


def convert(
    source: SceneSource,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="ENVI .hdr, GeoTIFF .tif, or .npy.")],
    overwrite: Overwrite = False,
) -> None:
    """Write a scene in another format, with all that is known of it; .npy keeps the cube alone."""
    from hsi.formats.writing import refuse_existing
    from hsi.scene import open_scene, write_scene

    refuse_existing(out, overwrite=overwrite)
    write_scene(out, open_scene(source))
