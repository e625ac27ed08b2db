"""The commands that score and compare maps and settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.command import AsJson, expect_file, expect_folder, say_json
from hsi.cli.arguments import (
    Device,
    LabelSource,
    Precision,
    SceneSource,
    Seed,
    SplitFile,
    expect_same_place,
    grid_of,
    keep_inputs,
    labels_on,
    takes_polygons,
)

if TYPE_CHECKING:
    from hsi.scenes.polygons import Drawing


@takes_polygons
def score(
    map_file: Annotated[str, typer.Argument(metavar="MAP", help="Map of hsi classify.")],
    label_source: LabelSource,
    split_file: SplitFile,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    model: Annotated[
        Path | None, typer.Option(help="Takes classifier, seed and seconds from it.")
    ] = None,
    name: Annotated[str, typer.Option(help="What tables call the scene.")] = "",
    *,
    drawing: "Drawing",
    as_json: AsJson = False,
) -> None:
    """Score a map on the test pixels: OA, AA, kappa, each class, the confusion matrix."""
    from hsi.evaluation.certainty import layers_beside
    from hsi.evaluation.score import made_by, score_map
    from hsi.formats.registry import read
    from hsi.maps.record import read_record
    from hsi.splits.split import load_split

    expect_folder(out)
    found = read(map_file, "labels")
    labels = labels_on(label_source, found, drawing)
    scores = score_map(
        found.array,
        labels,
        load_split(split_file),
        out,
        made_by=made_by(found.path, labels, model) | ({"scene": name} if name else {}),
        layers=layers_beside(found.path, read_record(found.path)),
    )
    if as_json:
        say_json({"oa": scores.oa, "aa": scores.aa, "kappa": scores.kappa})
        return
    typer.echo(f"OA {scores.oa:.2f} %, AA {scores.aa:.2f} %, kappa {scores.kappa:.2f}")
    if scores.unanswered is not None:
        answered = f"{scores.coverage:.2f} % of the test pixels answered"
        typer.echo(f"{answered}, {scores.oa_answered:.2f} % of them right; OA counts all")


@takes_polygons
def area(
    map_file: Annotated[str, typer.Argument(metavar="MAP", help="Map of hsi classify.")],
    label_source: LabelSource,
    split_file: SplitFile,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    *,
    drawing: "Drawing",
) -> None:
    """Estimate class areas and accuracies with 95 % intervals from the test pixels (Olofsson)."""
    from hsi.evaluation.area import write_area
    from hsi.evaluation.score import made_by
    from hsi.evaluation.test_pixels import check_unseen
    from hsi.formats.registry import read
    from hsi.splits.split import load_split

    expect_folder(out)
    found, split = read(map_file, "labels"), load_split(split_file)
    labels = labels_on(label_source, found, drawing)
    check_unseen("map", made_by(found.path, labels, None)["trained_split"], labels, split)
    hectares = grid_of(found).hectares_per_pixel()
    made = write_area(found.array, labels, split, out, hectares_per_pixel=hectares)
    typer.echo((out / "area.csv").read_text(encoding="utf-8").rstrip())
    typer.echo(f"OA {100 * made.overall:.2f} ± {100 * made.overall_ci95:.2f} %, by area")


@takes_polygons
def compare(
    first: Annotated[str, typer.Argument(metavar="MAP", help="Map of hsi classify.")],
    second: Annotated[str, typer.Argument(metavar="MAP", help="Another of the same scene.")],
    label_source: LabelSource,
    split_file: SplitFile,
    *,
    drawing: "Drawing",
) -> None:
    """Test whether two maps differ by more than chance on the test pixels (McNemar)."""
    from hsi.evaluation.compare import compare_maps
    from hsi.evaluation.score import made_by
    from hsi.evaluation.test_pixels import check_unseen
    from hsi.formats.registry import read
    from hsi.splits.split import load_split

    maps = [read(source, "labels") for source in (first, second)]
    labels, split = labels_on(label_source, maps[0], drawing), load_split(split_file)
    expect_same_place(maps[1], labels)
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
    from hsi.evaluation.summary import summarise

    expect_folder(out)
    summarise(folders, out)


def study(
    source: SceneSource,
    label_source: LabelSource,
    split_file: SplitFile,
    out: Annotated[Path, typer.Option(help="Table to write (.csv); its means lie beside it.")],
    candidates: Annotated[
        Path | None, typer.Option(help="YAML file of classifiers and settings; else our own.")
    ] = None,
    inner: Annotated[str, typer.Option(help="How the training pixels are split.")] = "blocks:8",
    window: Annotated[int, typer.Option(help="Window side for the inner guard band.")] = 25,
    folds: Annotated[int, typer.Option(min=1, help="Inner splits.")] = 1,
    schedule: Annotated[
        str, typer.Option(help="demo, paper, notebook, best or a YAML file.")
    ] = "demo",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Compare settings on inner blocks of the training pixels; test pixels are not looked at."""
    from engine.device import pick
    from hsi.evaluation.study import read_candidates
    from hsi.evaluation.study import study as compare_settings
    from hsi.scenes.labels import open_labels
    from hsi.scenes.scene import open_scene
    from hsi.splits.split import load_split

    expect_file(out, ".csv")
    keep_inputs([out], source, label_source, split_file)
    best = compare_settings(
        open_scene(source),
        open_labels(label_source),
        load_split(split_file),
        read_candidates(candidates or Path(__file__).parents[1] / "evaluation" / "study.yaml"),
        out,
        compute=pick(device, precision),
        schedule=schedule,
        inner=inner,
        window=window,
        folds=folds,
        seed=seed,
    )
    typer.echo(f"best by mean OA on inner test pixels: {best}")


def benchmark(
    source: SceneSource,
    label_source: LabelSource,
    split_file: SplitFile,
    out: Annotated[Path, typer.Option(help="Table to write (.csv).")],
    candidates: Annotated[
        Path | None, typer.Option(help="YAML file of classifiers and settings; else backbones.")
    ] = None,
    schedule: Annotated[
        str, typer.Option(help="demo, paper, notebook, best or a YAML file.")
    ] = "demo",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Train classifiers on a split, score them on its test pixels: accuracy, size and cost."""
    from engine.device import pick
    from hsi.evaluation.benchmark import benchmark as score_all
    from hsi.evaluation.study import read_candidates
    from hsi.scenes.labels import open_labels
    from hsi.scenes.scene import open_scene
    from hsi.splits.split import load_split

    expect_file(out, ".csv")
    keep_inputs([out], source, label_source, split_file, candidates)
    own = Path(__file__).parents[1] / "evaluation" / "backbones.yaml"
    score_all(
        open_scene(source),
        open_labels(label_source),
        load_split(split_file),
        read_candidates(candidates or own),
        out,
        compute=pick(device, precision),
        schedule=schedule,
    )


def benchmark_summary(
    tables: Annotated[list[Path], typer.Argument(metavar="TABLE...", help="Of hsi benchmark.")],
    out: Annotated[
        Path, typer.Option(help="Table to write (.csv); means and a picture lie beside it.")
    ],
) -> None:
    """Join tables of hsi benchmark, with means over draws and a picture of accuracy and cost."""
    from hsi.evaluation.benchmark import join_benchmarks

    expect_file(out, ".csv")
    join_benchmarks(tables, out)


def classify_arms(
    sources: Annotated[
        list[str], typer.Argument(metavar="SCENE...", help="Versions of a scene, named by file.")
    ],
    label_source: Annotated[str, typer.Option("--labels", help="IndianPines or a file.")],
    split_file: SplitFile,
    classifier: Annotated[str, typer.Option(help="hybridsn, best, svm, …")],
    out: Annotated[Path, typer.Option(help="Table to write (.csv).")],
    name: Annotated[str, typer.Option(help="What the table calls the scene.")] = "",
    noise: Annotated[str, typer.Option(help="What the table calls its noise.")] = "",
    schedule: Annotated[
        str, typer.Option(help="demo, paper, notebook, best or a YAML file.")
    ] = "demo",
    window: Annotated[int | None, typer.Option(help="Of a network, in pixels [25].")] = None,
    components: Annotated[int | None, typer.Option(help="Of a network's PCA [30].")] = None,
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Train a classifier on versions of a scene, and test each against the first (McNemar)."""
    from engine.device import pick
    from hsi.errors import HsiError
    from hsi.evaluation.arms import compare_arms
    from hsi.scenes.labels import open_labels
    from hsi.scenes.scene import open_scene
    from hsi.splits.split import load_split

    expect_file(out, ".csv")
    for source in sources:
        keep_inputs([out], source)
    keep_inputs([out], label_source, split_file)
    versions = {Path(source).stem: open_scene(source) for source in sources}
    if len(versions) < len(sources):
        raise HsiError("expected versions of a scene with names of their own, found one twice")
    compare_arms(
        versions,
        open_labels(label_source),
        load_split(split_file),
        classifier,
        out,
        compute=pick(device, precision),
        schedule=schedule,
        window=window,
        components=components,
        seed=seed,
        about={"noise": noise} | ({"scene": name} if name else {}),
    )


def arms_summary(
    tables: Annotated[list[Path], typer.Argument(metavar="TABLE...", help="Of hsi classify-arms.")],
    out: Annotated[
        Path, typer.Option(help="Table to write (.csv); means and pictures lie beside it.")
    ],
) -> None:
    """Join tables of arms, with means over draws and a picture of each scene beside."""
    from hsi.evaluation.gains import join_arms

    expect_file(out, ".csv")
    join_arms(tables, out)
