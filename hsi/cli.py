"""The `hsi` command line: read, split, reduce, train, classify and score scenes."""

from typing import NoReturn

from engine.command import application, main
from hsi.commands import mapping, scenes, training

app = application("Classify hyperspectral scenes: honest splits, HybridSN, whole maps, scores.")

for command in (
    scenes.info,
    scenes.split,
    scenes.reduce,
    training.train,
    training.study,
    mapping.classify,
    mapping.join,
    mapping.score,
    mapping.compare,
    mapping.summary,
    scenes.picture,
    scenes.convert,
):
    app.command()(command)


def run() -> NoReturn:
    """Run the command line and end the process."""
    main(app, "hsi")
