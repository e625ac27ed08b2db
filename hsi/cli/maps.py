"""The commands that make maps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.command import expect_folder
from hsi.cli.arguments import (
    Device,
    Overwrite,
    Precision,
    Prepared,
    SceneSource,
    keep_inputs,
    labels_on,
    prepared_scene,
    takes_polygons,
)
from hsi.errors import HsiError

if TYPE_CHECKING:
    from hsi.scenes.polygons import Drawing

Majority = Annotated[
    int | None, typer.Option(help="Take the most frequent class in a square of so many pixels.")
]
Sieve = Annotated[
    int | None, typer.Option(help="Merge regions of fewer pixels into their largest neighbour.")
]


def classify(
    source: SceneSource,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File of hsi train.")],
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="ENVI .hdr, GeoTIFF .tif, .npy, or a folder/.")
    ],
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Write them too.")] = False,
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Write the highest probability of each pixel.")
    ] = False,
    abstain: Annotated[
        float | None, typer.Option(help="Leave pixels open (0) below this highest probability.")
    ] = None,
    entropy: Annotated[
        bool, typer.Option("--entropy", help="Write the entropy of the probabilities, in bits.")
    ] = False,
    margin: Annotated[
        bool, typer.Option("--margin", help="Write the highest less the second probability.")
    ] = False,
    sets: Annotated[
        float | None,
        typer.Option(help="Write sets that hold the true class this often, such as 0.9."),
    ] = None,
    majority: Majority = None,
    sieve: Sieve = None,
    block: Annotated[str, typer.Option(help="auto, or the side of a block in pixels.")] = "auto",
    memory: Annotated[
        str, typer.Option(help="auto (half of the free), or keep within so much, such as 2GiB.")
    ] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
    resample: Annotated[
        bool, typer.Option("--resample-bands", help="Interpolate where no band is equal.")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit-scaling", help="Mean and deviation of this scene's pixels.")
    ] = False,
    strip: Annotated[
        str | None, typer.Option(help="K/N: the K-th of N parts alone, as .npy; see hsi join.")
    ] = None,
    smooth: Annotated[
        str | None,
        typer.Option(help="box:R, guided:R[,EPS] or potts:BETA[,ROUNDS]: smooth probabilities."),
    ] = None,
    reduced: Prepared = None,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Name the class of every pixel; write the map, a picture with a legend, and a record.

    The scene is read block by block. Run the same line again to resume an interrupted run.
    """
    from engine.device import pick
    from engine.memory import parse_bytes
    from hsi.features.smoothing import Smoothing
    from hsi.maps.classify import classify as run_model
    from hsi.maps.options import MapOptions, Strip
    from hsi.scenes.scene import open_scene

    if block != "auto" and not (block.isdecimal() and int(block) >= 1):
        raise HsiError(f"--block {block}: expected auto or a number of pixels, at least 1")
    options = MapOptions(
        probabilities=probabilities,
        confidence=confidence,
        abstain=abstain,
        entropy=entropy,
        margin=margin,
        sets=sets,
        majority=majority,
        sieve=sieve,
        block=None if block == "auto" else int(block),
        memory=None if memory == "auto" else parse_bytes(memory),
        overwrite=overwrite,
        resample_bands=resample,
        refit_scaling=refit,
        strip=None if strip is None else Strip.parse(strip),
        smooth=None if smooth is None else Smoothing.parse(smooth),
    )
    compute = pick(device, precision)
    run_model(
        open_scene(source), model, out, options, compute=compute, reduced=prepared_scene(reduced)
    )


def join(
    source: SceneSource,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="What mapped the strips.")],
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="ENVI .hdr, GeoTIFF .tif, .npy, or a folder/.")
    ],
    strips: Annotated[
        list[Path], typer.Argument(metavar="STRIP...", help="Of hsi classify --strip, all.")
    ],
    majority: Majority = None,
    sieve: Sieve = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
) -> None:
    """Join the strips of a scene to its map, as a single run would have written it."""
    from hsi.maps.join import join as run_join
    from hsi.scenes.scene import open_scene

    run_join(
        open_scene(source), model, strips, out, majority=majority, sieve=sieve, overwrite=overwrite
    )


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A network of hsi train.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="ONNX file to write (.onnx).")],
    opset: Annotated[int, typer.Option(help="Of ONNX, 14 to 25.")] = 17,
) -> None:
    """Write a network as ONNX: spectra in, probabilities of every pixel out."""
    from engine.command import expect_apart, expect_file
    from hsi.maps.export import export as run_export

    expect_file(out, ".onnx")
    expect_apart([out], [model])
    for key, value in run_export(model, out, opset=opset).items():
        typer.echo(f"{key}: {value}")


@takes_polygons
def look(
    source: SceneSource,
    map_sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MAP...]", help="Maps of hsi classify, or their folders."),
    ] = None,
    label_source: Annotated[
        str | None, typer.Option("--labels", help="Ground truth, shown beside the maps.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Page (.html), or its data (.npz) [SCENE.html].")
    ] = None,
    *,
    drawing: "Drawing",
    overwrite: Overwrite = False,
) -> None:
    """Write a page that shows a scene: layers, classes, and the spectrum of any pixel.

    The page is one file, which opens in a browser without a network.
    """
    from hsi.formats.writing import refuse_existing
    from hsi.scenes.scene import open_scene
    from hsi.views.scene_page import write_page
    from hsi.views.scene_view import make_view

    scene, maps = open_scene(source), map_sources or []
    path = Path(f"{scene.name}.html") if out is None else out
    if path.suffix not in (".html", ".npz"):
        raise HsiError(f"--out {path}: expected a name that ends with .html or .npz")
    expect_folder(path.parent)
    keep_inputs([path], source, label_source, *(one for one in maps if not Path(one).is_dir()))
    refuse_existing(path, overwrite=overwrite)
    labels = None if label_source is None else labels_on(label_source, scene, drawing)
    view = make_view(scene, labels, maps)
    if path.suffix == ".npz":
        view.save(path)
    else:
        write_page(view, path, scene)
    typer.echo(str(path))
