"""The results page: everything that a run of the workflow found, in one file."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import settings
from engine.artifacts import write_text
from engine.errors import UserError
from engine.page import accuracies, images, layers, provenance, trainings
from engine.page.document import document
from engine.page.folder import ResultsFolder
from engine.page.pictures import Pictures

log = logging.getLogger(__name__)

MOST_BYTES = 15_000_000  # of the page
# Characters that pictures, maps and spectra may take, each of its own.
PICTURES, MAPS, SPECTRA = 6_000_000, 2_200_000, 6_000_000
MOST_ROWS = 2000  # of a table on the page; the CSV beside it has all
SCRIPTS = ("charts.js", "compare.js", "scenes.js", "results.js")


def write_page(root: Path, out: Path) -> None:
    """Write the results page of a folder, from the files in it alone.

    Parameters
    ----------
    root : Path
        Results folder of the workflow. What is missing in it is named on the page.
    out : Path
        An .html file, below 15 MB.

    Raises
    ------
    UserError
        The folder is not there, or a file in it is not what its name says.
    """
    if out.suffix != ".html":
        raise UserError(f"{out}: expected a name that ends with .html")
    folder = ResultsFolder(root)
    path = folder.find("config.yaml")
    config = {} if path is None else settings.load(path)
    text, share = "", 1.0
    for share in (1.0, 0.7, 0.4, 0.2, 0.1):
        folder.missing = [] if path is not None else ["config.yaml"]
        text = page(folder, config, share)
        if len(text.encode()) < MOST_BYTES:
            break
    else:
        raise UserError(
            f"{root}: the page would be larger than {MOST_BYTES // 1_000_000} MB even with small "
            "pictures; name fewer sets, models or seeds in the config"
        )
    write_text(out, text)
    log.info("%s: %.1f MB", out, len(text.encode()) / 1e6)


def page(folder: ResultsFolder, config: Mapping[str, Any], share: float = 1.0) -> str:
    """Return the page as HTML; `share` of the usual room for pictures, maps and spectra."""
    sections = {name: config.get(name) or {} for name in ("restore", "hsi")}
    asked = {
        "restore": any(
            sections["restore"].get(key) for key in ("models", "shipped", "baselines", "pairs")
        ),
        "hsi": bool(sections["hsi"].get("classifiers")),
    }
    rows = images.read_summary(folder) if asked["restore"] or not config else []
    means = accuracies.read_summary(folder) if asked["hsi"] or not config else []
    runs = folder.table(*accuracies.OVERALL, columns=("scene", "seed")) if means else []
    pictures = Pictures()
    compared = images.comparisons(folder, rows, pictures)
    uris, said_pictures = pictures.encode(int(PICTURES * share))
    views = accuracies.views(folder, list(sections["hsi"].get("maps") or {}))
    scenes, said_maps = layers.scenes(views, int(MAPS * share), int(SPECTRA * share))
    seed = config.get("seed") or 0
    histories = trainings.curves(folder, list(sections["restore"].get("models") or {}), seed, runs)
    levels = images.curves(rows)
    scores = images.scores(rows)
    return document(
        "results.html.j2",
        scripts=SCRIPTS,
        title="Results",
        config=config,
        headlines_images=images.headlines(rows),
        headlines_scenes=accuracies.headlines(means),
        kinds=[kind for kind in images.KINDS if any(images.kind_of(row) == kind for row in rows)],
        scores=scores[:MOST_ROWS],
        scores_left=max(len(scores) - MOST_ROWS, 0),
        compared=compared,
        said_pictures=said_pictures,
        levels=levels,
        scenes=scenes,
        said_maps=said_maps,
        accuracies=accuracies.tables(means),
        histories=histories,
        settings=provenance.settings(folder, config),
        hashes=provenance.hashes(rows, runs, folder)[:MOST_ROWS],
        machine=provenance.machine(),
        files=_files(folder),
        missing=list(dict.fromkeys(folder.missing)),
        data={
            "pictures": uris,
            "compared": compared,
            "levels": levels,
            "scenes": scenes,
            "histories": histories,
        },
    )


def _files(folder: ResultsFolder) -> list[dict[str, str]]:
    """Return the tables and pages beside the page that are there: `path` and what it holds."""
    known = {
        ("report.html",): "Snakemake's report, with the workflow behind each figure",
        images.SUMMARY: "means of PSNR and SSIM over each set",
        ("restore", "psnr_ssim.csv"): "PSNR and SSIM of each image",
        accuracies.SUMMARY: "accuracies, means over seeds",
        accuracies.OVERALL: "accuracy of each run",
        accuracies.PER_CLASS: "accuracy of each class",
        ("hsi", "mcnemar.csv"): "classifiers compared by McNemar's test",
        ("config.yaml",): "every setting of the run",
    }
    return [
        {"path": "/".join(parts), "what": what}
        for parts, what in known.items()
        if folder.find(*parts, needed=False) is not None
    ]
