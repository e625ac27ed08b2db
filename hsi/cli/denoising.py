"""The commands that denoise and degrade scenes."""

from pathlib import Path
from typing import Annotated

import typer

from engine.command import expect_folder
from hsi.cli.arguments import Device, Overwrite, Precision, SceneSource, Seed, keep_inputs
from hsi.errors import HsiError

OUT = typer.Argument(metavar="OUT", help="ENVI .hdr, GeoTIFF .tif, or .npy.")
SWITCH = "auto (where seen), on or off."


def denoise(
    source: SceneSource,
    out: Annotated[Path, OUT],
    components: Annotated[str, typer.Option(help="auto, or how many to keep.")] = "auto",
    stripes: Annotated[str, typer.Option(help=f"Mend lines with an offset: {SWITCH}")] = "auto",
    dead_lines: Annotated[str, typer.Option(help=f"Mend lines without signal: {SWITCH}")] = "auto",
    impulses: Annotated[str, typer.Option(help=f"Mend single wrong values: {SWITCH}")] = "auto",
    restore_bad_bands: Annotated[
        bool, typer.Option("--restore-bad-bands", help="Denoise bands marked as bad, too.")
    ] = False,
    block: Annotated[str, typer.Option(help="auto, or the side of a block in pixels.")] = "auto",
    memory: Annotated[
        str, typer.Option(help="auto (half of the free), or keep within so much, such as 2GiB.")
    ] = "auto",
    overwrite: Overwrite = False,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Remove the noise of a scene; its type, scale and metadata stay.

    Noise is estimated per band. Run the same line again to resume an interrupted run.
    """
    from engine.memory import parse_bytes
    from hsi.denoising.denoise import denoise as run_denoising
    from hsi.denoising.options import DenoiseOptions
    from hsi.scenes.scene import open_scene

    expect_folder(out.parent)
    options = DenoiseOptions(
        components=_number(components, "components"),
        restore_bad_bands=restore_bad_bands,
        stripes=stripes,  # type: ignore[arg-type]
        dead_lines=dead_lines,  # type: ignore[arg-type]
        impulses=impulses,  # type: ignore[arg-type]
        block=_number(block, "block"),
        memory=None if memory == "auto" else parse_bytes(memory),
        overwrite=overwrite,
    )
    run_denoising(open_scene(source), out, options, device=device, precision=precision)


def _number(text: str, name: str) -> int | None:
    if text == "auto":
        return None
    if not (text.isdecimal() and int(text) >= 1):
        raise HsiError(f"--{name} {text}: expected auto or a number, at least 1")
    return int(text)


def degrade(
    source: SceneSource,
    out: Annotated[Path, OUT],
    degradation: Annotated[
        str,
        typer.Argument(
            help="gaussian:25, bandwise:10-70, stripes:0.05-0.15, deadlines:0.05-0.15, "
            "impulse:0.1-0.7 or mixed:1 to mixed:5."
        ),
    ],
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write a degraded copy of a scene, float32; noise levels are on 0..255 of its range."""
    from hsi.degradations.degradation import degrade as run_degradation
    from hsi.formats.writing import refuse_existing
    from hsi.scenes.scene import open_scene, write_scene

    expect_folder(out.parent)
    keep_inputs([out, out.with_suffix(".img")], source)
    refuse_existing(out, overwrite=overwrite)
    write_scene(out, run_degradation(open_scene(source), degradation, seed=seed))
