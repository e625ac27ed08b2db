"""The command that trains a classifier."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.command import expect_file, expect_own
from hsi.cli.arguments import (
    Device,
    LabelSource,
    Precision,
    Prepared,
    SceneSource,
    Seed,
    Settings,
    SplitFile,
    keep_inputs,
    labels_on,
    prepared_scene,
    settings_of,
    takes_polygons,
)
from hsi.errors import HsiError

if TYPE_CHECKING:
    from hsi.scenes.polygons import Drawing


@takes_polygons
def train(
    source: SceneSource,
    label_source: LabelSource,
    classifier: Annotated[str, typer.Option(help="hybridsn, coordinates, svm, forest, …")],
    split_file: SplitFile,
    out: Annotated[Path, typer.Option(help="Model to write (.safetensors).")],
    schedule: Annotated[
        str, typer.Option(help="demo, paper, notebook, best or a YAML file.")
    ] = "paper",
    seed: Seed = 0,
    reduced: Prepared = None,
    window: Annotated[int | None, typer.Option(help="Of a network, in pixels [25].")] = None,
    components: Annotated[int | None, typer.Option(help="Of a network's PCA [30].")] = None,
    settings: Settings = None,
    device: Device = "auto",
    precision: Precision = "auto",
    history: Annotated[
        Path | None, typer.Option("--log", help="CSV of the loss; its curve is drawn beside it.")
    ] = None,
    *,
    drawing: "Drawing",
) -> None:
    """Train a classifier on the training pixels of a split; an interrupted run resumes."""
    from engine.device import pick
    from hsi.classifiers.model import make_classifier
    from hsi.classifiers.train import train as fit
    from hsi.figures import save_curve
    from hsi.scenes.scene import open_scene
    from hsi.splits.split import load_split

    expect_file(out, ".safetensors")
    if history is not None:
        expect_file(history, ".csv")
    written = [out] if history is None else [out, history, history.with_suffix(".png")]
    keep_inputs(written, source, label_source, split_file, reduced)
    if history is not None:
        expect_own(history.with_suffix(".png"), history)
    chosen = make_classifier(
        classifier, window=window, components=components, settings=settings_of(settings)
    )
    made, prepared = load_split(split_file), prepared_scene(reduced)
    if prepared is not None and components not in (None, prepared.cube.shape[2]):
        raise HsiError(
            f"--components {components}: expected those of {reduced}, {prepared.cube.shape[2]}; "
            "leave one of the two out"
        )
    scene = open_scene(source)
    fit(
        chosen,
        scene,
        labels_on(label_source, scene, drawing),
        made,
        out,
        compute=pick(device, precision),
        schedule=schedule,
        seed=seed,
        reduced=prepared,
        history=history,
    )
    if history is not None and history.is_file():
        save_curve(history.with_suffix(".png"), history, f"{classifier}, {made.how}, seed {seed}")


@takes_polygons
def calibrate(
    source: SceneSource,
    label_source: LabelSource,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File of hsi train.")],
    split_file: SplitFile,
    out: Annotated[Path, typer.Option(help="Calibrated model to write (.safetensors).")],
    folds: Annotated[int, typer.Option(help="Parts of the training pixels, 2 to 20.")] = 5,
    block: Annotated[
        int | None, typer.Option(help="Fold by blocks of so many pixels, not by single pixels.")
    ] = None,
    hold_out: Annotated[
        bool, typer.Option("--hold-out", help="Write the model that never saw the first fold.")
    ] = False,
    device: Device = "auto",
    precision: Precision = "auto",
    *,
    drawing: "Drawing",
) -> None:
    """Learn temperature and class sets of a model on held-out folds of its training pixels."""
    from engine.device import pick
    from hsi.evaluation.calibrate import calibrate as learn
    from hsi.scenes.scene import open_scene
    from hsi.splits.split import load_split

    expect_file(out, ".safetensors")
    keep_inputs([out], source, label_source, split_file, model)
    scene = open_scene(source)
    made = learn(
        scene,
        labels_on(label_source, scene, drawing),
        load_split(split_file),
        model,
        out,
        folds=folds,
        block=block,
        hold_out=hold_out,
        compute=pick(device, precision),
    )
    typer.echo(
        f"temperature {made['temperature']:.3f} from {made['pixels']} held-out pixels; expected "
        f"calibration error {made['ece_before']:.2f} % before, {made['ece']:.2f} % after"
    )
