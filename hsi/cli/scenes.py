"""The commands that read, convert, draw, split and reduce scenes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.command import AsJson, expect_file, expect_folder, expect_own, say_json
from hsi.cli.arguments import (
    LabelSource,
    Overwrite,
    SceneSource,
    Seed,
    keep_inputs,
    labels_on,
    takes_polygons,
)
from hsi.errors import HsiError

if TYPE_CHECKING:
    from hsi.scenes.polygons import Drawing

FEATURES = ("pca", "mnf")

Quality = Annotated[
    str | None,
    typer.Option(
        metavar="WORDS",
        help="Take out what quality layers mark: usual, or some of cloud,shadow,cirrus,…",
    ),
]


def info(
    source: SceneSource,
    count: Annotated[
        bool, typer.Option("--count", help="Count pixels without data above 1 GiB, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what is known of a scene, and what its file holds that is left out."""
    from hsi.scenes.describe import describe
    from hsi.scenes.scene import open_scene

    found = describe(open_scene(source), count=count)
    if as_json:
        say_json(found)
        return
    for key, value in found.items():
        typer.echo(f"{key}: {value}")


def convert(
    source: SceneSource,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="ENVI .hdr, GeoTIFF .tif, or .npy.")],
    quality: Quality = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a scene in another format, with its metadata; .npy keeps the cube alone."""
    from hsi.formats.writing import refuse_existing
    from hsi.scenes.quality import masked
    from hsi.scenes.scene import open_scene, write_scene

    expect_folder(out.parent)
    keep_inputs([out], source)
    refuse_existing(out, overwrite=overwrite)
    write_scene(out, masked(open_scene(source), quality))


def stack(
    sources: Annotated[
        list[str], typer.Argument(metavar="FILES...", help="Files of one place, such as bands.")
    ],
    out: Annotated[Path, typer.Option(help="ENVI .hdr, GeoTIFF .tif, or .npy.")],
    repeat: Annotated[
        bool, typer.Option("--repeat", help="Repeat the pixels of coarser files.")
    ] = False,
    quality: Quality = None,
    overwrite: Overwrite = False,
) -> None:
    """Write several files, such as the bands of Sentinel-2 or Landsat, as one cube."""
    from hsi.formats.writing import refuse_existing
    from hsi.scenes.combined.stack import stack as stacked
    from hsi.scenes.scene import write_scene

    expect_folder(out.parent)
    keep_inputs([out], *sources)
    refuse_existing(out, overwrite=overwrite)
    write_scene(out, stacked(sources, repeat=repeat, quality=quality))


@takes_polygons
def append(
    sources: Annotated[
        list[str], typer.Argument(metavar="SCENES...", help="Scenes of one sensor.")
    ],
    out: Annotated[
        Path,
        typer.Option(help="ENVI .hdr or GeoTIFF .tif; NAME-scenes and NAME-labels lie beside."),
    ],
    labels: Annotated[
        list[str] | None, typer.Option(help="Of each scene, in their order; once for each.")
    ] = None,
    *,
    drawing: "Drawing",
    overwrite: Overwrite = False,
) -> None:
    """Write several scenes as one, one below another, to learn from some and test on others."""
    from hsi.formats.writing import refuse_existing
    from hsi.scenes.combined.append import append as appended
    from hsi.scenes.combined.append import append_labels
    from hsi.scenes.labels import make_labels, write_labels
    from hsi.scenes.scene import open_scene, write_scene

    if out.suffix.lower() not in (".hdr", ".tif", ".tiff"):
        raise HsiError(f"--out {out}: expected a name that ends with .hdr or .tif")
    expect_folder(out.parent)
    beside = {
        name: out.with_name(f"{out.stem}-{name}{out.suffix}") for name in ("scenes", "labels")
    }
    outputs = [out, beside["scenes"], *([beside["labels"]] if labels else [])]
    keep_inputs(outputs, *sources, *(labels or []))
    for path in outputs:
        refuse_existing(path, overwrite=overwrite)
    scenes = [open_scene(source) for source in sources]
    made, places = appended(scenes)
    truth = None
    if labels:
        if len(labels) != len(scenes):
            raise HsiError(f"--labels: expected {len(scenes)}, one per scene, found {len(labels)}")
        pairs = zip(labels, scenes, strict=True)
        truth = append_labels([labels_on(own, at, drawing) for own, at in pairs], scenes, places)
    write_scene(out, made)
    names = ["", *(f"{number} {scene.name}" for number, scene in enumerate(scenes, 1))]
    write_labels(beside["scenes"], make_labels("scenes", places, names))
    if truth is not None:
        write_labels(beside["labels"], truth)
    for number, scene in enumerate(scenes, 1):
        typer.echo(f"scene {number} {scene.name}: {scene.shape[0]} × {scene.shape[1]} pixels")
    if truth is not None:
        for number, name, count in zip(
            truth.classes, truth.class_names, truth.count(), strict=True
        ):
            typer.echo(f"class {number} {name}: {count} pixels")


def picture(
    source: SceneSource,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write (.png).")],
) -> None:
    """Draw a scene in false colour: near infrared, red and green if it has wavelengths."""
    from hsi.figures import save_scene
    from hsi.scenes.scene import open_scene

    expect_file(out, ".png")
    keep_inputs([out], source)
    save_scene(out, open_scene(source))


@takes_polygons
def split(
    source: LabelSource,
    out: Annotated[Path, typer.Option(help="File to write (.npz).")],
    how: Annotated[
        str,
        typer.Option(
            help="random:0.3, count:50, blocks:16, polygons:0.5, kfold:5,blocks:16, loso:FILE, "
            "mask:FILE, houston2013:FILE,FILE."
        ),
    ],
    place: Annotated[
        str | None,
        typer.Option("--scene", help="Polygons lie in it; pixels without data are left out."),
    ] = None,
    seed: Seed = 0,
    window: Annotated[int, typer.Option(help="Window side for guard band and leakage.")] = 25,
    name: Annotated[str | None, typer.Option(help="What tables call the split.")] = None,
    labels_of: Annotated[
        str, typer.Option(help="ground-truth or mask: whose classes a mask's pixels have.")
    ] = "ground-truth",
    *,
    drawing: "Drawing",
) -> None:
    """Split the labelled pixels, draw the split beside it, and report its leakage."""
    from hsi.figures import save_split
    from hsi.scenes.scene import open_scene
    from hsi.splits.split import make_split
    from hsi.splits.split_files import split_files

    expect_file(out, ".npz")
    keep_inputs([out, out.with_suffix(".png")], source, *split_files(how), place)
    expect_own(out.with_suffix(".png"), out)
    scene = None if place is None else open_scene(place)
    labels = labels_on(source, scene, drawing)
    if labels_of == "mask" and labels.polygons is not None:
        scene = None  # which polygons need, and a mask of its own classes does not take
    made = make_split(
        labels, how, seed=seed, window=window, name=name, labels_of=labels_of, scene=scene
    )
    made.save(out)
    save_split(out.with_suffix(".png"), made.own_labels(labels), made)
    typer.echo(f"{made.how}: {made.train.sum()} training pixels, {made.test.sum()} test pixels")
    for key, value in made.report.items():
        typer.echo(f"{key}: {value if value is not None else 'none'}")


@takes_polygons
def labels(
    polygons: Annotated[
        str, typer.Argument(metavar="POLYGONS", help="GeoPackage, GeoJSON or Shapefile[:layer].")
    ],
    source: SceneSource,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="ENVI .hdr, GeoTIFF .tif, or .npy.")],
    *,
    drawing: "Drawing",
    overwrite: Overwrite = False,
) -> None:
    """Write the classes of polygons as a raster of the scene's pixels, with names and colours."""
    from hsi.formats.writing import refuse_existing
    from hsi.scenes.labels import write_labels
    from hsi.scenes.scene import open_scene

    expect_folder(out.parent)
    keep_inputs([out], polygons, source)
    refuse_existing(out, overwrite=overwrite)
    scene = open_scene(source)
    made = labels_on(polygons, scene, drawing)
    made.check_fits(scene)  # polygons always do; a raster may be another's
    write_labels(out, made)
    for number, name, count in zip(made.classes, made.class_names, made.count(), strict=True):
        typer.echo(f"class {number} {name}: {count} pixels")


def reduce(
    source: SceneSource,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write (.npz).")],
    components: Annotated[int, typer.Option(min=1, help="Principal components.")] = 30,
    whiten: Annotated[bool, typer.Option(help="Divide each by its deviation.")] = True,
    features: Annotated[
        str, typer.Option(help="pca, or mnf: components in units of the noise.")
    ] = "pca",
    split_file: Annotated[
        Path | None, typer.Option("--split", help="Fit on this split's training pixels only.")
    ] = None,
) -> None:
    """Write the principal (or noise-whitened) components of a scene, fitted on all its pixels."""
    from hsi.features.components import ComponentsFile
    from hsi.features.mnf import fit_mnf
    from hsi.features.pca import fit_pca
    from hsi.scenes.scene import open_scene
    from hsi.splits.split import load_split

    expect_file(out, ".npz")
    keep_inputs([out], source, split_file)
    scene = open_scene(source)
    training = None if split_file is None else load_split(split_file).train
    if features not in FEATURES:
        raise HsiError(f"--features {features}: expected one of {', '.join(FEATURES)}")
    if features == "mnf" and training is not None:
        raise HsiError("--split: MNF is fitted on all pixels, without labels; leave it out")
    if features == "mnf":
        fitted = fit_mnf(scene, components, whiten=whiten)
    else:
        fitted = fit_pca(scene, components, whiten=whiten, training=training)
    ComponentsFile(fitted.reduce(scene), fitted, scene.name, scene.checksum()).save(out)
