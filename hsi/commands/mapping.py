"""`hsi classify` and what is made of maps: scores, comparisons, tables."""

from pathlib import Path
from typing import Annotated

import typer

from engine.command import expect_folder
from hsi.commands.arguments import (
    Device,
    LabelSource,
    Precision,
    Prepared,
    SceneSource,
    SplitFile,
    prepared_scene,
)
from hsi.errors import HsiError


def classify(
    source: SceneSource,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File of hsi train.")],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="ENVI .hdr, GeoTIFF .tif, .npy, or a folder.")
    ],
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Write them too.")] = False,
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Write the highest probability of each pixel.")
    ] = False,
    block: Annotated[str, typer.Option(help="auto, or the side of a block in pixels.")] = "auto",
    memory: Annotated[
        str, typer.Option(help="auto (half of the free), or keep within so much, such as 2GiB.")
    ] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    resample: Annotated[
        bool, typer.Option("--resample-bands", help="Interpolate where no band is equal.")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit-scaling", help="Mean and deviation of this scene's pixels.")
    ] = False,
    strip: Annotated[
        str | None, typer.Option(help="K/N: the K-th of N parts alone, as .npy; see hsi join.")
    ] = None,
    reduced: Prepared = None,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Name the class of every pixel; write the map, a picture with a legend, and a record.

    The scene is read block by block; the same line goes on where a killed run was.
    """
    from engine.device import pick
    from engine.memory import parse_bytes
    from hsi.classify import classify as run_model
    from hsi.map_files import Options
    from hsi.scene import open_scene
    from hsi.strips import Strip

    if block != "auto" and not (block.isdecimal() and int(block) >= 1):
        raise HsiError(f"--block {block}: expected auto or a number of pixels, at least 1")
    options = Options(
        probabilities=probabilities,
        confidence=confidence,
        block=None if block == "auto" else int(block),
        memory=None if memory == "auto" else parse_bytes(memory),
        overwrite=overwrite,
        resample_bands=resample,
        refit_scaling=refit,
        strip=None if strip is None else Strip.parse(strip),
    )
    compute = pick(device, precision)
    run_model(
        open_scene(source), model, out, options, compute=compute, reduced=prepared_scene(reduced)
    )


def join(
    source: SceneSource,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="What mapped the strips.")],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="ENVI .hdr, GeoTIFF .tif, .npy, or a folder.")
    ],
    strips: Annotated[
        list[Path], typer.Argument(metavar="STRIP...", help="Of hsi classify --strip, all.")
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Join the strips of a scene to its map, as a single run would have written it."""
    from hsi.join import join as run_join
    from hsi.scene import open_scene

    run_join(open_scene(source), model, strips, out, overwrite=overwrite)


def score(
    map_file: Annotated[str, typer.Argument(metavar="MAP", help="Map of hsi classify.")],
    label_source: LabelSource,
    split_file: SplitFile,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    model: Annotated[
        Path | None, typer.Option(help="Takes classifier, seed and seconds from it.")
    ] = None,
    name: Annotated[str, typer.Option(help="What tables call the scene.")] = "",
) -> None:
    """Score a map on the test pixels: OA, AA, kappa, each class, the confusion matrix."""
    from hsi.formats import read
    from hsi.labels import open_labels
    from hsi.score import made_by, score_map
    from hsi.splits import load_split

    expect_folder(out)
    labels = open_labels(label_source)
    found = read(map_file, "labels")
    scores = score_map(
        found.array,
        labels,
        load_split(split_file),
        out,
        made_by=made_by(found.path, labels, model) | ({"scene": name} if name else {}),
    )
    typer.echo(f"OA {scores.oa:.2f} %, AA {scores.aa:.2f} %, kappa {scores.kappa:.2f}")


def compare(
    first: Annotated[str, typer.Argument(metavar="MAP", help="Map of hsi classify.")],
    second: Annotated[str, typer.Argument(metavar="MAP", help="Another of the same scene.")],
    label_source: LabelSource,
    split_file: SplitFile,
) -> None:
    """Test whether two maps differ by more than chance on the test pixels (McNemar)."""
    from hsi.compare import compare_maps
    from hsi.formats import read
    from hsi.labels import open_labels
    from hsi.score import made_by
    from hsi.splits import load_split
    from hsi.tested import check_unseen

    labels, split = open_labels(label_source), load_split(split_file)
    maps = [read(source, "labels") for source in (first, second)]
    for order, map_ in zip(("first", "second"), maps, strict=True):
        trained = made_by(map_.path, labels, None)["trained_split"]
        check_unseen(f"{order} map", trained, labels, split)
    found = compare_maps(maps[0].array, maps[1].array, labels, split)
    right = f"right in both {found.both}, in neither {found.neither}"
    typer.echo(f"{right}, in the first alone {found.first}, in the second alone {found.second}")
    chance = f"p = {found.p_value:.3g}" if found.p_value > 0 else "p < 1e-300"
    typer.echo(f"McNemar: chi-squared {found.statistic:.3f}, {chance}")


def summary(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Of hsi score.")],
    out: Annotated[Path, typer.Option(help="Folder for the tables.")],
) -> None:
    """Collect scored runs into tables, with means over seeds beside the published figures."""
    from hsi.summary import summarise

    expect_folder(out)
    summarise(folders, out)
