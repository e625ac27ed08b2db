"""The `restore` command line: degrade, train, benchmark and denoise images."""

from typing import NoReturn

from engine.command import application, main
from restore.cli import catalogue, denoise, scoring, training

app = application("Denoise, deblock and upscale images with DnCNN; train and score it.")

for command in (
    training.degrade,
    training.train,
    scoring.benchmark,
    scoring.summary,
    scoring.compare,
    scoring.curves,
    scoring.ablation,
    denoise.denoise,
    denoise.join,
):
    app.command()(command)
app.command("import")(catalogue.import_)
app.command()(catalogue.export)
app.command()(catalogue.models)
app.command()(catalogue.ship)
app.command()(catalogue.verify)
app.command()(catalogue.sets)


def run() -> NoReturn:
    """Entry point of the console script."""
    main(app, "restore")


if __name__ == "__main__":
    run()
