"""`restore degrade` and `restore train`."""

from pathlib import Path
from typing import Annotated

import typer

from engine.command import expect_apart, expect_file, expect_folder
from restore.cli.options import Device, Images, Precision, Seed


def degrade(
    images: Annotated[str, typer.Argument(metavar="INPUT", help="Image set or folder.")],
    out: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder to write.")],
    degradation: Annotated[
        str, typer.Argument(help="noise:25, jpeg:10, bicubic:3 or camera:1600.")
    ],
    seed: Seed = 0,
    colour: Annotated[bool, typer.Option("--color", help="Keep three channels.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that restore degrade did not make.")
    ] = False,
) -> None:
    """Write degraded images as files: noise as float TIFF (never rounded), JPEG, small PNG."""
    from engine.progress import progress
    from restore.degradations.degradation import parse
    from restore.evaluation.degraded_files import write_folder
    from restore.image_sets.find import image_set

    expect_folder(out)
    wanted = parse(degradation)
    chosen = image_set(images)
    with progress(len(chosen.items), f"degrade {wanted}", "images") as bar:
        write_folder(
            *(chosen.items, out, wanted, seed),
            colour=colour,
            overwrite=overwrite,
            advance=bar.advance,
        )


def train(
    name: Annotated[
        str,
        typer.Argument(help="dncnn-s-N[-nobn][-direct], dncnn-b (both: -color), dncnn-3, -r, -xN."),
    ],
    images: Images,
    out: Annotated[Path, typer.Option(help="Weights to write (.safetensors).")],
    schedule: Annotated[str, typer.Option(help="demo, paper, best or a YAML file.")] = "paper",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
    log: Annotated[Path | None, typer.Option(help="CSV of the loss.")] = None,
    apart_from: Annotated[
        list[str] | None,
        typer.Option(help="Test set whose pictures no training image may show; several."),
    ] = None,
    overlap: Annotated[
        str, typer.Option(help="refuse, or drop training images that show a test image.")
    ] = "refuse",
    optimizer: Annotated[
        str | None, typer.Option(help="adam or sgd in place of the schedule's.")
    ] = None,
    start_from: Annotated[
        str, typer.Option(help="Shipped name or file of the first weights; random without.")
    ] = "",
    until: Annotated[
        str,
        typer.Option(help="Pause after 90s, 150min or 2h, with exit status 75."),
    ] = "",
    state: Annotated[
        Path | None, typer.Option(help="Folder for the state of an unfinished training.")
    ] = None,
) -> None:
    """Train a denoiser; run again after an interruption, it resumes where it was."""
    from restore.training.train import train as run_training

    expect_file(out, ".safetensors")
    if log is not None:
        expect_file(log, ".csv")
    if state is not None:
        expect_folder(state)
    expect_apart([out], [Path(start_from)] if start_from else [])
    run_training(
        name,
        images,
        out,
        schedule=schedule,
        seed=seed,
        device=device,
        precision=precision,
        optimizer=optimizer,
        start_from=start_from,
        apart_from=apart_from or [],
        overlap=overlap,
        log=log,
        until=until,
        state=state,
    )
