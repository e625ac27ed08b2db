"""`restore denoise`: an image, or a folder of them; `restore join`: after its shards."""

from pathlib import Path
from typing import Annotated

import typer

from restore.cli.options import Device, Precision, noise_level


def denoise(
    images: Annotated[
        str, typer.Argument(metavar="INPUT", help="Image or folder; - for standard input.")
    ],
    out: Annotated[
        str,
        typer.Argument(metavar="OUTPUT", help="Image or folder/ to write; - for standard output."),
    ],
    model: Annotated[str, typer.Option(help="auto, a shipped name or a weights file.")] = "auto",
    sigma: Annotated[str, typer.Option(help="auto, or the noise level on 0..255.")] = "auto",
    white: Annotated[
        float | None, typer.Option(help="White of images of fewer bits: 4095 for 12 in 16.")
    ] = None,
    noise: Annotated[
        str, typer.Option(help="What to remove: auto (as seen), gaussian, camera or jpeg.")
    ] = "auto",
    recursive: Annotated[bool, typer.Option("--recursive", help="Sub-folders too.")] = False,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Files or sub-folders to leave out; several.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs.")] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Replace outputs of earlier runs, and no others.")
    ] = False,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="auto (the input's; in a file, PNG for a lossy one), same, png, tiff, jpeg, webp.",
        ),
    ] = "auto",
    strength: Annotated[
        float, typer.Option(help="Share of the noise to remove, above 0, to 1.")
    ] = 1.0,
    self_ensemble: Annotated[
        bool, typer.Option("--self-ensemble", help="Mean over 8 orientations; 8 times slower.")
    ] = False,
    compare: Annotated[
        Path | None, typer.Option(help="Before/after sheet to write (.png or .html).")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="An unsuitable image is an error, not a warning.")
    ] = False,
    shard: Annotated[str, typer.Option(help="K/N: only the K-th of N parts.")] = "1/1",
    tile: Annotated[str, typer.Option(help="auto, off or a side in pixels.")] = "auto",
    engine: Annotated[
        str, typer.Option(help="torch, onnx, openvino, or auto: the fastest as measured here.")
    ] = "torch",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Denoise an image or a folder: depth, channels, alpha and metadata are kept."""
    from restore.folders.folder import denoise_folder
    from restore.folders.pipes import PIPE, denoise_piped

    run = denoise_piped if PIPE in (images, out) else denoise_folder
    run(
        images,
        out,
        model,
        sigma=noise_level(sigma),
        white=white,
        noise=noise,
        strength=strength,
        self_ensemble=self_ensemble,
        recursive=recursive,
        exclude=exclude or (),
        overwrite=overwrite,
        refresh=refresh,
        strict=strict,
        form=form,
        shard=shard,
        compare=compare,
        tile=tile,
        engine=engine,
        device=device,
        precision=precision,
    )


def join(
    out: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Output folder of the shards.")],
) -> None:
    """Join the journals of `restore denoise --shard` into denoise.jsonl."""
    from restore.folders.journal import join as join_journals

    join_journals(out)
