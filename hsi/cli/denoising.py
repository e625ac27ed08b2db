"""The commands that denoise and degrade scenes."""

from pathlib import Path
from typing import Annotated

import typer

from engine.command import expect_file, expect_folder
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


def denoise_benchmark(
    source: SceneSource,
    degradation: Annotated[str, typer.Argument(help="As for hsi degrade.")],
    out: Annotated[Path, typer.Option(help="Table to write (.csv); a picture lies beside it.")],
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", help="One to compare; by default all that need nothing more."),
    ] = None,
    rank: Annotated[int, typer.Option(min=1, help="Components of the clean scene.")] = 12,
    name: Annotated[str, typer.Option(help="What the table calls the scene.")] = "",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Degrade a clean version of a scene, denoise it by several methods, and score them."""
    from hsi.denoising.comparison.benchmark import benchmark
    from hsi.denoising.comparison.methods import METHODS, OPTIONAL, Setting
    from hsi.scenes.scene import open_scene

    expect_file(out, ".csv")
    keep_inputs([out], source)
    chosen = methods or [method for method in METHODS if method not in OPTIONAL]
    benchmark(
        open_scene(source), degradation, chosen, out,
        seed=seed, rank=rank, name=name, setting=Setting(device, precision),
    )  # fmt: skip


def denoise_summary(
    tables: Annotated[
        list[Path], typer.Argument(metavar="TABLE...", help="Of hsi denoise-benchmark.")
    ],
    out: Annotated[Path, typer.Option(help="Table to write (.csv); its means lie beside it.")],
) -> None:
    """Join tables of denoising, with means over seeds beside."""
    from hsi.denoising.comparison.benchmark import join

    expect_file(out, ".csv")
    join(tables, out)


def denoise_arms(
    source: SceneSource,
    out: Annotated[Path, typer.Option(help="Folder for the versions, each an ENVI file.")],
    noise: Annotated[str, typer.Option(help="clean, or as for hsi degrade.")] = "clean",
    methods: Annotated[
        list[str] | None, typer.Option("--method", help="As for hsi denoise-benchmark.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Write a scene with noise as it is (raw), and denoised by several methods."""
    from hsi.denoising.comparison.arms import arms
    from hsi.denoising.comparison.methods import Setting
    from hsi.scenes.scene import open_scene

    expect_folder(out)
    arms(
        open_scene(source), out, noise, methods or ["denoise"],
        seed=seed, setting=Setting(device, precision),
    )  # fmt: skip
