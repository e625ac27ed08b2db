"""`restore benchmark` and what is made of scores: tables, pictures, comparisons."""

from pathlib import Path
from typing import Annotated

import typer

from engine.command import expect_apart, expect_file, expect_folder
from restore.cli.options import Device, Images, Precision, Seed

Models = Annotated[
    list[str],
    typer.Option("--model", help="Weights, a baseline (nlm), or auto: as restore denoise."),
]
Truth = Annotated[
    Path | None, typer.Option(help="Ground truths; --images is the folder of noisy images then.")
]
Names = Annotated[
    str, typer.Option(help="How names of pairs differ: auto, same, or _noisy=_clean.")
]
Name = Annotated[str, typer.Option(help="Of the pairs in tables; the noisy folder's without.")]
DegradedFolder = Annotated[
    Path | None,
    typer.Option("--degraded", help="Folder of `restore degrade` outputs, one per degradation."),
]


def benchmark(
    model: Models,
    images: Images,
    out: Annotated[Path, typer.Option(help="CSV to write, one row an image.")],
    degradation: Annotated[
        list[str] | None,
        typer.Option(
            help="noise:25, jpeg:10, bicubic:3 or camera:1600; several; none for real noise."
        ),
    ] = None,
    truth: Truth = None,
    names: Names = "auto",
    name: Name = "",
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
    kept: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps finished tests, which a later call does not repeat."),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Score models by PSNR and SSIM as the papers do; `auto` is the papers' choice."""
    from engine.tables import write_csv
    from restore.evaluation.benchmark import benchmark as score
    from restore.evaluation.protocol import COLUMNS, Scoring

    expect_file(out, ".csv")
    if kept is not None:
        expect_folder(kept)
    rows = score(
        model,
        images,
        degradation or (),
        truth=truth,
        names=names,
        name=name,
        seed=seed,
        device=device,
        precision=precision,
        degraded_folder=degraded_folder,
        protocol=Scoring(rounding, border, luma),
        kept=kept,
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
    from engine.tensors import load_description
    from restore.evaluation.summary import write_tables
    from restore.networks.shipped import find, identity_of, is_shipped
    from restore.networks.weights_file import describe_schedule

    expect_folder(out)
    schedules = {}
    for path in map(find, model or []):
        checksum = identity_of(path)
        came = ", shipped" if is_shipped(checksum) else ""
        schedules[checksum] = describe_schedule(load_description(path)) + came
    write_tables(scores, schedules, out)


def compare(
    model: Models,
    images: Annotated[str, typer.Option(help="Image set or folder.")],
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    degradation: Annotated[
        str, typer.Option(help="noise:25, jpeg:10, bicubic:3 or camera:1600; none for real noise.")
    ] = "",
    truth: Truth = None,
    names: Names = "auto",
    name: Name = "",
    degraded_folder: DegradedFolder = None,
    panels: Annotated[
        Path | None, typer.Option(help="Folder for the pictures as files of their own, too.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Draw a before/after strip."""
    from restore.degradations.degradation import parse
    from restore.evaluation.figures import check_panels, strip
    from restore.evaluation.methods import load_methods
    from restore.evaluation.restorations import sets_of, tests_of

    expect_file(out, ".png")
    if panels is not None:
        expect_folder(panels.parent)
        check_panels(panels)
    wanted = [parse(degradation)] if degradation else []
    (chosen,) = sets_of([images], wanted, truth, names, name)
    (test,) = tests_of(chosen, wanted)
    expect_apart([out], [item.path for item in (*chosen.items, *chosen.noisy)])
    methods = load_methods(model, device, precision)
    strip(methods, chosen, test, out, seed=seed, degraded_folder=degraded_folder, panels=panels)


def curves(
    histories: Annotated[list[Path], typer.Argument(help="CSV files of `restore train --log`.")],
    out: Annotated[Path, typer.Option(help="PNG to write.")],
) -> None:
    """Draw training curves."""
    from restore.training.curves import curves as draw

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
