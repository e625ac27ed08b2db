"""The command that retrieves pixels from one view by the other."""

from pathlib import Path
from typing import Annotated

import typer

from engine.command import expect_folder
from hsi.cli.arguments import Device, LabelSource, SceneSource, Seed, keep_inputs


def retrieve(
    source: SceneSource,
    label_source: LabelSource,
    split_files: Annotated[
        list[Path], typer.Option("--split", help="File of hsi split; several give intervals.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    window: Annotated[int, typer.Option(help="Side of a patch, in pixels.")] = 7,
    features: Annotated[str, typer.Option(help="mnf (noise-whitened) or pca.")] = "mnf",
    components: Annotated[int, typer.Option(min=1, help="Of each spectrum.")] = 20,
    epochs: Annotated[int, typer.Option(help="Among which one is chosen.")] = 30,
    encoders: Annotated[
        str, typer.Option(help="auto (validation pixels choose), published or anchored.")
    ] = "auto",
    inner: Annotated[
        str, typer.Option(help="How validation pixels are split off [random:0.8 or blocks:8].")
    ] = "",
    queries: Annotated[
        int | None, typer.Option(min=1, help="Let so many test pixels query, not all.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Retrieve patches by spectra and the reverse (DSCMR), with its ablation, CCA and chance."""
    from engine.device import pick
    from hsi.retrieval.draws import Setting
    from hsi.retrieval.retrieve import retrieve as run_retrieval
    from hsi.retrieval.training import Course
    from hsi.scenes.labels import open_labels
    from hsi.scenes.scene import open_scene
    from hsi.splits.split import load_split

    expect_folder(out)
    names = ("retrieval.csv", "retrieval_means.csv", "retrieval.html")
    keep_inputs([out / name for name in names], source, label_source, *split_files)
    scene = open_scene(source)
    setting = Setting(
        window=window,
        features=features,
        components=components,
        inner=inner,
        course=Course(epochs=epochs),
        encoders=encoders,
        queries=queries,
        seed=seed,
        device=str(pick(device, "float32").device),
    )
    means = run_retrieval(
        scene,
        open_labels(label_source, scene=scene),
        [load_split(path) for path in split_files],
        out,
        setting,
    )
    for row in means.to_dict("records"):
        spread = f" ({row['map_from']} to {row['map_to']})" if row["map_from"] else ""
        typer.echo(f"{row['split']} {row['method']}: mAP {row['map']} %{spread}")
