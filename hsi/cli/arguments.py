"""Arguments that several commands share, and errors that name options."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from engine.command import expect_apart
from hsi.errors import HsiError

if TYPE_CHECKING:
    from hsi.features.components import ComponentsFile
    from hsi.formats.contents import Contents
    from hsi.scenes.grid import Grid
    from hsi.scenes.labels import Labels
    from hsi.scenes.polygons import Drawing
    from hsi.scenes.scene import Scene

SceneSource = Annotated[
    str, typer.Argument(metavar="SCENE", help="IndianPines or a file; FILE:variable names one.")
]
LabelSource = Annotated[
    str, typer.Argument(metavar="LABELS", help="IndianPines or a file; FILE:variable names one.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
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


Given = ParamSpec("Given")

# Options that are not called as the library's argument is, dashes aside.
OPTIONS = {"settings": "--set", "history": "--log"}


def naming_options(command: Callable[Given, None]) -> Callable[Given, None]:
    """Return a command whose errors name its options where the library names arguments.

    The library writes an argument in backticks: '`window` 24: expected an odd number'.
    """

    @functools.wraps(command)
    def named(*args: Given.args, **kwargs: Given.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except HsiError as error:
            error.args = (re.sub(r"`(\w+)`", _option, str(error)),)
            raise

    return named


def _option(argument: re.Match[str]) -> str:
    return OPTIONS.get(argument[1], f"--{argument[1].replace('_', '-')}")


def prepared_scene(path: Path | None) -> "ComponentsFile | None":
    """Return the components that `--reduced` names."""
    from hsi.features.components import load_components

    return None if path is None else load_components(path)


def drawing_of(
    class_field: Annotated[
        str | None,
        typer.Option(help="Of polygons: the field of the class [class, or the only one]."),
    ] = None,
    class_names: Annotated[
        str | None, typer.Option(help="Of polygons: Water,Wood,… by class number, from 1.")
    ] = None,
    all_touched: Annotated[
        bool, typer.Option("--all-touched", help="Of polygons: take all pixels that they touch.")
    ] = False,
    radius: Annotated[
        float | None,
        typer.Option(help="Of points: radius of the disc, in units of the projection."),
    ] = None,
    crs: Annotated[
        str | None, typer.Option(help="Of polygons that state none, such as EPSG:32616.")
    ] = None,
) -> "Drawing":
    """Return how polygons become labels, of the options that say so."""
    from hsi.scenes.polygons import Drawing

    names = None if class_names is None else [name.strip() for name in class_names.split(",")]
    return Drawing(class_field, names, all_touched, radius, crs)


def takes_polygons(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the options of `drawing_of` in the place of its argument `drawing`."""
    options = inspect.signature(drawing_of).parameters
    signature = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        if name == "drawing":
            parameters += [one.replace(kind=parameter.kind) for one in options.values()]
        else:
            parameters.append(parameter)
    own = signature.replace(parameters=parameters)

    @functools.wraps(command)
    def drawn(*args: Any, **kwargs: Any) -> None:
        given = own.bind(*args, **kwargs)
        given.apply_defaults()
        arguments = dict(given.arguments)
        drawing = drawing_of(**{option: arguments.pop(option) for option in options})
        command(**arguments, drawing=drawing)

    drawn.__signature__ = own  # type: ignore[attr-defined]
    drawn.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": None}
    return drawn


def labels_on(source: str, place: "Scene | Contents | None", drawing: "Drawing") -> "Labels":
    """Return labels on the grid of a scene or of a map, if they are polygons."""
    from hsi.scenes.labels import open_labels
    from hsi.scenes.scene import Scene

    if place is None or isinstance(place, Scene):
        return open_labels(source, scene=place, drawing=drawing)
    labels = open_labels(source, scene=grid_of(place), drawing=drawing)
    expect_same_place(place, labels)
    return labels


def grid_of(found: "Contents") -> "Grid":
    """Return the pixels of a map on the ground."""
    from hsi.scenes.grid import Grid

    rows, columns = found.array.shape[:2]
    return Grid(str(found.path), (rows, columns), found.georeference)


def expect_same_place(found: "Contents", labels: "Labels") -> None:
    """Raise an error where a map and labels of one size lie elsewhere."""
    grid = grid_of(found)
    if labels.ground_truth.shape == grid.shape:  # else who scores the map says that
        grid.expect_here(f"labels {labels.name}", labels.georeference)


def keep_inputs(outputs: Iterable[Path], *read: str | Path | None) -> None:
    """Raise an error where an output would replace an input: a scene (str) or a file (Path).

    An ENVI header among the outputs stands for its data, too.
    """
    from hsi.formats.registry import files
    from hsi.formats.writing import written_with
    from hsi.scenes.embedded import EMBEDDED

    sources = [source for source in read if isinstance(source, str) and source != EMBEDDED]
    own = [path for path in read if isinstance(path, Path)]
    written = [path for out in outputs for path in written_with(out)]
    expect_apart(written, own + [file for source in sources for file in files(source)])


def settings_of(given: list[str] | None) -> dict[str, str]:
    """Return the pairs of `--set` as a mapping."""
    pairs = [text.partition("=") for text in given or []]
    for key, equals, value in pairs:
        if not (key and equals and value):
            raise HsiError(f"--set {key}: expected KEY=VALUE, such as dihedral=true")
    return {key: value for key, _, value in pairs}
