"""The `hsi` command line: read, split, reduce, train, classify and score scenes."""

from typing import NoReturn

from engine.command import application, main
from hsi.cli import denoising, evaluation, maps, retrieval, scenes, training
from hsi.cli.arguments import naming_options

app = application("Classify hyperspectral scenes: honest splits, HybridSN, whole maps, scores.")

for command in (
    scenes.info,
    scenes.split,
    scenes.labels,
    scenes.reduce,
    training.train,
    training.calibrate,
    evaluation.study,
    evaluation.benchmark,
    evaluation.benchmark_summary,
    maps.classify,
    maps.join,
    maps.export,
    evaluation.score,
    evaluation.area,
    evaluation.compare,
    evaluation.summary,
    scenes.picture,
    maps.look,
    scenes.convert,
    scenes.stack,
    scenes.append,
    denoising.denoise,
    denoising.degrade,
    denoising.denoise_benchmark,
    denoising.denoise_summary,
    denoising.denoise_arms,
    evaluation.classify_arms,
    evaluation.arms_summary,
    retrieval.retrieve,
):
    app.command()(naming_options(command))


def run() -> NoReturn:
    """Run the command line and end the process."""
    main(app, "hsi")


if __name__ == "__main__":
    run()
