"""The `hsi` command line: read, split, reduce, train, classify and score scenes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from engine.command import application, main
from hsi.commands import scenes
from hsi.commands.arguments import LabelSource, SceneSource
from hsi.errors import HsiError

if TYPE_CHECKING:
    from hsi.reduced import Reduced

app = application("Classify hyperspectral scenes: honest splits, HybridSN, whole maps, scores.")

SplitFile = Annotated[Path, typer.Option("--split", help="File of hsi split.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random draw.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bf16.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Of a network, such as dihedral=true."),
]
Prepared = Annotated[
    Path | None, typer.Option("--reduced", help="File of hsi reduce, instead of doing it again.")
]


app.command()(scenes.info)


@app.command()
def split(
    source: LabelSource,
    out: Annotated[Path, typer.Option(help="File to write (.npz).")],
    how: Annotated[str, typer.Option(help="random:0.3, count:50, blocks:16 or mask:FILE.")],
    seed: Seed = 0,
    window: Annotated[int, typer.Option(help="Window side for guard band and leakage.")] = 25,
    name: Annotated[str | None, typer.Option(help="What tables call the split.")] = None,
) -> None:
    """Split the labelled pixels, draw the split beside it, and report its leakage."""
    from hsi.labels import open_labels
    from hsi.maps import save_split
    from hsi.splits import make_split

    _suffix(out, ".npz")
    labels = open_labels(source)
    made = make_split(labels, how, seed=seed, window=window, name=name)
    made.save(out)
    save_split(out.with_suffix(".png"), labels, made)
    typer.echo(f"{made.how}: {made.train.sum()} training pixels, {made.test.sum()} test pixels")
    for key, value in made.report.items():
        typer.echo(f"{key}: {value if value is not None else 'none'}")


@app.command()
def reduce(
    source: SceneSource,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write (.npz).")],
    components: Annotated[int, typer.Option(min=1, help="Principal components.")] = 30,
    whiten: Annotated[bool, typer.Option(help="Divide each by its deviation.")] = True,
    split_file: Annotated[
        Path | None, typer.Option("--split", help="Fit on this split's training pixels only.")
    ] = None,
) -> None:
    """Write the principal components of a scene, fitted on all its pixels."""
    from hsi.reduce import fit_pca
    from hsi.reduced import Reduced
    from hsi.scene import open_scene
    from hsi.splits import load_split

    _suffix(out, ".npz")
    scene = open_scene(source)
    training = None if split_file is None else load_split(split_file).train
    pca = fit_pca(scene, components, whiten=whiten, training=training)
    Reduced(pca.reduce(scene), pca, scene.name, scene.checksum()).save(out)


@app.command()
def train(
    source: SceneSource,
    label_source: LabelSource,
    classifier: Annotated[str, typer.Option(help="hybridsn, coordinates, svm, forest, …")],
    split_file: SplitFile,
    out: Annotated[Path, typer.Option(help="Model to write (.safetensors).")],
    schedule: Annotated[str, typer.Option(help="demo, paper or a YAML file.")] = "paper",
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
) -> None:
    """Train a classifier on the training pixels of a split; a killed run goes on where it was."""
    from engine.device import pick
    from hsi.labels import open_labels
    from hsi.maps import save_curve
    from hsi.model import make_classifier
    from hsi.scene import open_scene
    from hsi.splits import load_split
    from hsi.train import train as fit

    _suffix(out, ".safetensors")
    chosen = make_classifier(
        classifier, window=window, components=components, settings=_settings(settings)
    )
    made = load_split(split_file)
    fit(
        chosen,
        open_scene(source),
        open_labels(label_source),
        made,
        out,
        compute=pick(device, precision),
        schedule_name=schedule,
        seed=seed,
        reduced=_prepared(reduced),
        history=history,
    )
    if history is not None and history.is_file():
        save_curve(history.with_suffix(".png"), history, f"{classifier}, {made.how}, seed {seed}")


@app.command()
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
    schedule: Annotated[str, typer.Option(help="demo, paper or a YAML file.")] = "demo",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Compare settings on inner blocks of the training pixels; test pixels are not looked at."""
    from engine.device import pick
    from hsi.labels import open_labels
    from hsi.scene import open_scene
    from hsi.splits import load_split
    from hsi.study import read_candidates
    from hsi.study import study as compare_settings

    _suffix(out, ".csv")
    best = compare_settings(
        open_scene(source),
        open_labels(label_source),
        load_split(split_file),
        read_candidates(candidates or Path(__file__).with_name("study.yaml")),
        out,
        compute=pick(device, precision),
        schedule_name=schedule,
        inner=inner,
        window=window,
        folds=folds,
        seed=seed,
    )
    typer.echo(f"best by mean OA on inner test pixels: {best}")


@app.command()
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
        str | None, typer.Option(help="Keep within so much, such as 2GiB; else half of the free.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    resample: Annotated[
        bool, typer.Option("--resample-bands", help="Interpolate where no band is equal.")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit-scaling", help="Mean and deviation of this scene's pixels.")
    ] = False,
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

    if block != "auto" and not (block.isdecimal() and int(block) >= 1):
        raise HsiError(f"--block {block}: expected auto or a number of pixels, at least 1")
    options = Options(
        probabilities=probabilities,
        confidence=confidence,
        block=None if block == "auto" else int(block),
        memory=None if memory is None else parse_bytes(memory),
        overwrite=overwrite,
        resample_bands=resample,
        refit_scaling=refit,
    )
    compute = pick(device, precision)
    run_model(open_scene(source), model, out, options, compute=compute, reduced=_prepared(reduced))


@app.command()
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


@app.command()
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
    from hsi.splits import load_split

    maps = [read(source, "labels").array for source in (first, second)]
    found = compare_maps(maps[0], maps[1], open_labels(label_source), load_split(split_file))
    right = f"right in both {found.both}, in neither {found.neither}"
    typer.echo(f"{right}, in the first alone {found.first}, in the second alone {found.second}")
    typer.echo(f"McNemar: chi-squared {found.statistic:.3f}, p = {found.p_value:.3g}")


@app.command()
def summary(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Of hsi score.")],
    out: Annotated[Path, typer.Option(help="Folder for the three tables.")],
) -> None:
    """Collect scored runs into tables, with means over seeds beside the published figures."""
    from hsi.summary import summarise

    summarise(folders, out)


app.command()(scenes.convert)


def _prepared(path: Path | None) -> "Reduced | None":
    from hsi.reduced import load_reduced

    return None if path is None else load_reduced(path)


def _settings(given: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in given or []]
    for key, equals, value in pairs:
        if not (key and equals and value):
            raise HsiError(f"--set {key}: expected KEY=VALUE, such as dihedral=true")
    return {key: value for key, _, value in pairs}


def _suffix(path: Path, expected: str) -> None:
    """Refuse a wrong output name before any work."""
    if path.suffix != expected:
        raise HsiError(f"{path}: expected a name that ends with {expected}")


def run() -> NoReturn:
    """Run the command line and end the process."""
    main(app, "hsi")
