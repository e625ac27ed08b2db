"""`restore benchmark` and what is made of scores: tables, pictures, comparisons."""

from pathlib import Path
from typing import Annotated

import typer

from engine.command import expect_apart, expect_file, expect_folder
from restore.cli.options import Device, Images, Precision, Seed

Degradations = Annotated[
    list[str], typer.Option("--degradation", help="noise:25, jpeg:10 or bicubic:3; several.")
]
DegradedFolder = Annotated[
    Path | None,
    typer.Option("--degraded", help="Folder of `restore degrade` outputs, one per degradation."),
]


def benchmark(
    model: Annotated[list[str], typer.Option("--model", help="Weights, or a baseline (nlm).")],
    images: Images,
    degradation: Degradations,
    out: Annotated[Path, typer.Option(help="CSV to write, one row per image.")],
    degraded_folder: DegradedFolder = None,
    rounding: Annotated[
        str, typer.Option(help="Output to 8 bit before scoring: auto (not for bicubic), on, off.")
    ] = "auto",
    border: Annotated[
        str, typer.Option(help="Pixels not scored at each side: auto (bicubic's scale) or N.")
    ] = "auto",
    luma: Annotated[
        str,
        typer.Option(
            help="Grey of a colour image: auto (full for noise, else matlab), matlab (16..235), "
            "full (0..255)."
        ),
    ] = "auto",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Score models by PSNR and SSIM as the papers do; `auto` is the papers' choice."""
    from engine.tables import write_csv
    from restore.evaluation.benchmark import COLUMNS
    from restore.evaluation.benchmark import benchmark as score
    from restore.evaluation.protocol import Scoring

    expect_file(out, ".csv")
    rows = score(
        model,
        images,
        degradation,
        seed=seed,
        device=device,
        precision=precision,
        degraded_folder=degraded_folder,
        protocol=Scoring(rounding, border, luma),
    )
    write_csv(rows, out, COLUMNS)


def summary(
    scores: Annotated[list[Path], typer.Argument(help="CSV files of `restore benchmark`.")],
    out: Annotated[Path, typer.Option(help="Folder to write the tables into.")],
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Weights, to name their schedule.")
    ] = None,
) -> None:
    """Join scores into psnr_ssim.csv and psnr_ssim_summary.csv, published figures beside."""
    from engine.artifacts import load_tensors, sha256_file
    from restore.evaluation.summary import write_tables
    from restore.networks.denoiser import describe_schedule, find, is_shipped

    expect_folder(out)
    schedules = {}
    for path in map(find, model or []):
        checksum = sha256_file(path)
        came = ", shipped" if is_shipped(checksum) else ""
        schedules[checksum] = describe_schedule(load_tensors(path)[1]) + came
    write_tables(scores, schedules, out)


def compare(
    model: Annotated[list[str], typer.Option("--model", help="Weights, or a baseline (nlm).")],
    images: Annotated[str, typer.Option(help="Image set or folder.")],
    degradation: Annotated[str, typer.Option(help="noise:25, jpeg:10 or bicubic:3.")],
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    degraded_folder: DegradedFolder = None,
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Draw a before/after strip."""
    from restore.degradations.degradation import parse
    from restore.evaluation.benchmark import load_models
    from restore.evaluation.figures import strip
    from restore.image_sets.find import image_set

    expect_file(out, ".png")
    chosen = image_set(images)
    expect_apart([out], [item.path for item in chosen])
    models = load_models(model, device, precision)
    strip(models, chosen, parse(degradation), out, seed=seed, degraded_folder=degraded_folder)


def curves(
    histories: Annotated[list[Path], typer.Argument(help="CSV files of `restore train --log`.")],
    out: Annotated[Path, typer.Option(help="PNG to write.")],
) -> None:
    """Draw training curves."""
    from restore.evaluation.figures import curves as draw

    expect_file(out, ".png")
    draw(histories, out)


def ablation(
    weights: Annotated[list[Path], typer.Argument(help="Weights, their `--log` CSV beside each.")],
    scores: Annotated[list[Path], typer.Option(help="CSV of `restore benchmark`; several.")],
    out: Annotated[Path, typer.Option(help="Folder to write ablation.csv and .png into.")],
) -> None:
    """Compare trainings with and without residual learning and batch normalisation."""
    from restore.evaluation.ablation import write_comparison

    expect_folder(out)
    write_comparison(weights, scores, out)
