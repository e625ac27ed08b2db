"""The `restore` command line: degrade, train, benchmark and denoise images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from engine.command import application, main

if TYPE_CHECKING:
    from engine.device import Compute
    from restore.benchmark import Baseline
    from restore.models import Denoiser
    from restore.sets import ImageSet

app = application("Denoise, deblock and upscale images with DnCNN; train and score it.")

Images = Annotated[
    list[str], typer.Option("--images", help="Image set or folder; may be given several times.")
]
Degradations = Annotated[
    list[str], typer.Option("--degradation", help="noise:25, jpeg:10 or bicubic:3; several.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bf16.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random draw.")]
Prepared = Annotated[
    Path | None,
    typer.Option("--degraded", help="Folder of `restore degrade` outputs, one per degradation."),
]


@app.command()
def degrade(
    images: Annotated[str, typer.Argument(metavar="INPUT", help="Image set or folder.")],
    out: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder to write.")],
    degradation: Annotated[str, typer.Argument(help="noise:25, jpeg:10 or bicubic:3.")],
    seed: Seed = 0,
    colour: Annotated[bool, typer.Option("--color", help="Keep three channels.")] = False,
) -> None:
    """Write degraded images as files: noise as float TIFF (never rounded), JPEG, small PNG."""
    from engine.progress import progress
    from restore.degrade import parse
    from restore.degraded import write_folder
    from restore.sets import resolve

    wanted = parse(degradation)
    chosen = resolve(images)
    with progress(len(chosen.items), f"degrade {wanted}", "images") as bar:
        write_folder(chosen.items, out, wanted, seed, colour=colour, advance=bar.advance)


@app.command()
def train(
    name: Annotated[
        str, typer.Argument(help="dncnn-s-N[-nobn][-direct], dncnn-b (both: -color) or dncnn-3.")
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
) -> None:
    """Train a denoiser; killed and started again, it goes on where it was."""
    from restore.dncnn import variant
    from restore.overlap import apart
    from restore.schedules import schedule as named
    from restore.schedules import with_optimizer
    from restore.train import train as run_training

    network = variant(name)
    plan = named(schedule, network)
    if optimizer:
        plan = with_optimizer(plan, optimizer)
    sets, left_out = apart(_sets(images), _sets(apart_from or []), overlap)
    compute = _compute(device, precision)
    run_training(
        network, sets, plan, out, seed=seed, compute=compute, history=log, left_out=left_out
    )


@app.command()
def benchmark(
    model: Annotated[list[str], typer.Option("--model", help="Weights, or a baseline (nlm).")],
    images: Images,
    degradation: Degradations,
    out: Annotated[Path, typer.Option(help="CSV to write, one row an image.")],
    prepared: Prepared = None,
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
    import pandas as pd

    from engine.tables import write_csv
    from restore.benchmark import COLUMNS, check, evaluate
    from restore.degrade import parse
    from restore.protocol import Scoring

    wanted = [parse(text) for text in degradation]
    protocol = Scoring(rounding, border, luma)
    sets = _sets(images)
    models = _models(model, device, precision)
    check(models, sets, wanted, protocol)
    rows = [
        row
        for chosen in models
        for row in evaluate(chosen, sets, wanted, seed=seed, prepared=prepared, protocol=protocol)
    ]
    write_csv(pd.DataFrame(rows), out, COLUMNS)


@app.command()
def summary(
    scores: Annotated[list[Path], typer.Argument(help="CSV files of `restore benchmark`.")],
    out: Annotated[Path, typer.Option(help="Folder to write the tables into.")],
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Weights, to name their schedule.")
    ] = None,
) -> None:
    """Join scores into psnr_ssim.csv and psnr_ssim_summary.csv, published figures beside."""
    from engine.artifacts import load_tensors, sha256_file
    from restore.models import describe_schedule, find
    from restore.summary import write_tables

    paths = [find(name) for name in model or []]
    schedules = {sha256_file(p): describe_schedule(load_tensors(p)[1]) for p in paths}
    write_tables(scores, schedules, out)


@app.command()
def compare(
    model: Annotated[list[str], typer.Option("--model", help="Weights, or a baseline (nlm).")],
    images: Annotated[str, typer.Option(help="Image set or folder.")],
    degradation: Annotated[str, typer.Option(help="noise:25, jpeg:10 or bicubic:3.")],
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    prepared: Prepared = None,
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Draw a before/after strip."""
    from restore.degrade import parse
    from restore.pictures import strip
    from restore.sets import resolve

    chosen = resolve(images)
    models = _models(model, device, precision)
    strip(models, chosen, parse(degradation), out, seed=seed, prepared=prepared)


@app.command()
def curves(
    histories: Annotated[list[Path], typer.Argument(help="CSV files of `restore train --log`.")],
    out: Annotated[Path, typer.Option(help="PNG to write.")],
) -> None:
    """Draw training curves."""
    from restore.pictures import curves as draw

    draw(histories, out)


@app.command()
def ablation(
    weights: Annotated[list[Path], typer.Argument(help="Weights, their `--log` CSV beside each.")],
    scores: Annotated[list[Path], typer.Option(help="CSV of `restore benchmark`; several.")],
    out: Annotated[Path, typer.Option(help="Folder to write ablation.csv and .png into.")],
) -> None:
    """Compare trainings with and without residual learning and batch normalisation."""
    from restore.ablation import write_comparison

    write_comparison(weights, scores, out)


@app.command()
def denoise(
    images: Annotated[Path, typer.Argument(metavar="INPUT", help="Image or folder.")],
    out: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Image or folder to write.")],
    model: Annotated[str, typer.Option(help="auto, a shipped name or a weights file.")] = "auto",
    sigma: Annotated[str, typer.Option(help="auto, or the noise level on 0..255.")] = "auto",
    recursive: Annotated[bool, typer.Option("--recursive", help="Sub-folders too.")] = False,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Files or sub-folders to leave out; several.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs.")] = False,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="auto (the input's, PNG for a lossy one), same, png, tiff, jpeg or webp.",
        ),
    ] = "auto",
    strength: Annotated[float, typer.Option(help="Share of the noise to remove, 0..1.")] = 1.0,
    self_ensemble: Annotated[
        bool, typer.Option("--self-ensemble", help="Mean over 8 orientations; 8 times slower.")
    ] = False,
    compare: Annotated[
        Path | None, typer.Option(help="Before/after sheet to write (.png or .html).")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail images that the model does not suit.")
    ] = False,
    shard: Annotated[str, typer.Option(help="K/N: only the K-th of N parts.")] = "1/1",
    tile: Annotated[str, typer.Option(help="auto, off or a side in pixels.")] = "auto",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Denoise an image or a folder: depth, channels, alpha and metadata are kept."""
    from restore import contact
    from restore.folder import Options, denoise_folder
    from restore.listing import Shard
    from restore.pixels import How

    if compare is not None:
        contact.check(compare)
    options = Options(
        sigma=sigma,
        recursive=recursive,
        exclude=tuple(exclude or ()),
        overwrite=overwrite,
        tile=tile,
        form=form,
        strict=strict,
        how=How(strength, self_ensemble),
        shard=Shard.parse(shard),
        compare=compare,
    )
    denoise_folder(images, out, model, options, lambda: _compute(device, precision))


@app.command("import")
def import_(
    published: Annotated[Path, typer.Argument(help="MatConvNet .mat (v7.3) or PyTorch .pth.")],
    out: Annotated[Path, typer.Argument(help="Weights to write (.safetensors).")],
) -> None:
    """Import published DnCNN weights."""
    from restore.models import import_published

    typer.echo(f"{out}: {import_published(published, out)}")


@app.command()
def models() -> None:
    """List the shipped weights."""
    from engine.artifacts import load_tensors
    from restore.models import describe_schedule, shipped

    found = shipped()
    for name, path in found.items():
        typer.echo(f"{name:16} {describe_schedule(load_tensors(path)[1])}")
    if not found:
        typer.echo("no weights are shipped yet; `restore train` or `make demo` makes some")


@app.command()
def sets() -> None:
    """List the image sets that can be named."""
    from restore.sets import describe

    for info in describe():
        typer.echo(
            f"{info.name:16} {info.images:4} images {info.megabytes:7.1f} MB  {info.state:10} "
            f"{info.origin}; {info.terms}"
        )


def _sets(names: list[str]) -> "list[ImageSet]":
    from restore.sets import resolve

    return [resolve(name) for name in names]


def _compute(device: str, precision: str) -> "Compute":
    from engine.device import pick

    return pick(device, precision)


def _models(names: list[str], device: str, precision: str) -> "list[Denoiser | Baseline]":
    from restore.baselines import available
    from restore.benchmark import Baseline
    from restore.models import load

    compute = _compute(device, precision)
    return [Baseline(name) if name in available() else load(name, compute) for name in names]


def run() -> NoReturn:
    """Entry point of the console script."""
    main(app, "restore")
