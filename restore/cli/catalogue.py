"""What there is to work with: models, image sets, published weights, and cards of our own."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from engine.command import AsJson, expect_apart, expect_file, expect_folder, say_json
from restore.cli.options import Device, Precision, pick_compute


def import_(
    published: Annotated[Path, typer.Argument(help="MatConvNet .mat (v7.3) or PyTorch .pth.")],
    out: Annotated[Path, typer.Argument(help="Weights to write (.safetensors).")],
) -> None:
    """Import published DnCNN weights."""
    from restore.networks.denoiser import import_published

    expect_file(out, ".safetensors")
    typer.echo(f"{out}: {import_published(published, out)}")


def export(
    model: Annotated[str, typer.Argument(help="Shipped weights or a .safetensors file.")],
    out: Annotated[
        Path,
        typer.Argument(help=".onnx, or .pth or .safetensors with the names of KAIR's DnCNN."),
    ],
    opset: Annotated[int, typer.Option(help="Of ONNX.")] = 17,
) -> None:
    """Write weights in a form that other programs read."""
    from restore.networks.export import export as write
    from restore.networks.shipped import find

    expect_folder(out.parent)
    expect_apart([out], [find(model)])
    about = write(model, out, opset=opset)
    typer.echo("\n".join(f"{key}: {value}" for key, value in about.items()))


def models(as_json: AsJson = False) -> None:
    """List the shipped weights with the scores of their cards."""
    from engine.tensors import load_description
    from restore.evaluation.cards import read_scores
    from restore.networks.shipped import shipped_models
    from restore.networks.weights_file import describe_schedule

    found = [
        (name, describe_schedule(load_description(path)), read_scores(path.with_suffix(".md")))
        for name, path in shipped_models().items()
    ]
    if as_json:
        say_json(
            [
                {"name": name, "schedule": schedule, "scores": [asdict(score) for score in scores]}
                for name, schedule, scores in found
            ]
        )
        return
    for name, schedule, scores in found:
        typer.echo(f"{name:16} {schedule}")
        for score in scores:
            test = f"{score.images}, {score.degradation}"
            typer.echo(f"  {test:24} {score.psnr_db:.2f} dB  SSIM {score.ssim:.4f}")
    if not found:
        typer.echo("no weights are shipped yet; `restore train` or `make demo` makes some")


def ship(
    weights: Annotated[Path, typer.Argument(help="Weights of `restore train`.")],
    test: Annotated[list[str], typer.Option(help="SET,DEGRADATION: Set12,noise:25; several.")],
    out: Annotated[Path, typer.Option(help="Folder for the weights and their card.")],
    device: Device = "auto",
    precision: Precision = "float32",
) -> None:
    """Write weights as float16 where that costs next to nothing, with a model card beside."""
    from restore.evaluation.shipping import ship as write

    expect_folder(out)
    typer.echo(write(weights, test, out, pick_compute(device, precision)))


def verify(
    out: Annotated[Path, typer.Option(help="Folder for the tables.")],
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Shipped weights; all by default.")
    ] = None,
    device: Device = "auto",
    precision: Precision = "float32",
) -> None:
    """Score the shipped weights anew; fails where one is 0.02 dB or more from its card."""
    from restore.evaluation.shipping import verify as check
    from restore.networks.shipped import shipped_models

    expect_folder(out)
    apart = check(model or list(shipped_models()), out, pick_compute(device, precision))
    for line in apart:
        typer.echo(line, err=True)
    if apart:
        raise typer.Exit(1)


def sets(as_json: AsJson = False) -> None:
    """List the image sets that can be named."""
    from restore.image_sets.inventory import describe

    found = describe()
    if as_json:
        say_json([asdict(info) for info in found])
        return
    for info in found:
        typer.echo(
            f"{info.name:16} {info.images:4} images {info.megabytes:7.1f} MB  {info.state:10} "
            f"{info.origin}; {info.terms}"
        )
