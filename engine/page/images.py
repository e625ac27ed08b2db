"""Images of a results folder: headline figures, curves over levels, and before/after pictures."""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.errors import UserError, parsing
from engine.page.folder import ResultsFolder, Row, number
from engine.page.pictures import Pictures

SUMMARY = ("restore", "psnr_ssim_summary.csv")
COLUMNS = ("model", "schedule", "set", "degradation", "level", "psnr_db", "psnr_input_db")
PANELS = "panels.json"
# What a level is of, by the kind of degradation.
LEVELS = {
    "noise": "σ of the noise",
    "jpeg": "JPEG quality",
    "bicubic": "scale of the reduction",
    "camera": "ISO of the camera",
}
KINDS = ("trained here", "shipped", "classical")


def read_summary(folder: ResultsFolder) -> list[Row]:
    """Return the rows of the means over each set, in the order of the table."""
    return folder.table(*SUMMARY, columns=COLUMNS)


def kind_of(row: Row) -> str:
    """Return what a row's method is, one of `KINDS`."""
    if row["schedule"].endswith("shipped"):
        return "shipped"
    return "classical" if row["schedule"] in ("", "none") else "trained here"


def method_of(row: Row) -> str:
    """Return what the page calls a row's method."""
    return f"{row['model']} (shipped)" if kind_of(row) == "shipped" else row["model"]


def case_of(row: Row) -> str:
    """Return a degradation as users write it; real noise has no level."""
    return f"{row['degradation']}:{row['level']}" if row["level"] else row["degradation"]


def headlines(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return one line a set and degradation: the best method of each kind, and a published figure.

    Returns
    -------
    list of dict
        `set`, `case`, `input`, `images`; `best`: by kind the row's `method`, `psnr` and `gain`;
        `published`: `method`, `psnr` and `difference` of the best method with a published figure,
        or None.
    """
    made = []
    for (name, case), group in _cases(rows):
        scored = [row for row in group if number(row["psnr_db"]) is not None]
        scored.sort(key=lambda row: -(number(row["psnr_db"]) or 0))
        best = {}
        for kind in KINDS:
            first = next((row for row in scored if kind_of(row) == kind), None)
            best[kind] = None if first is None else _figure(first)
        known = next((row for row in scored if row.get("psnr_published_db")), None)
        made.append(
            {
                "set": name,
                "case": case,
                "input": group[0]["psnr_input_db"],
                "images": group[0].get("images", ""),
                "best": best,
                "published": None
                if known is None
                else {
                    "method": method_of(known),
                    "psnr": known["psnr_published_db"],
                    "difference": _signed(known.get("psnr_difference_db", "")),
                },
            }
        )
    return made


def _figure(row: Row) -> dict[str, str]:
    # Not the difference of the two means as they are shown, whose last digit is another.
    gain = _signed(row.get("psnr_gain_db", ""))
    return {"method": row["model"], "psnr": row["psnr_db"], "gain": gain}


def _signed(cell: str) -> str:
    value = number(cell)
    return "" if value is None else f"{value:+.2f}".replace("-", "−")


def scores(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return every row of the means as the page's table has it."""
    return [
        {
            "set": row["set"],
            "case": case_of(row),
            "method": row["model"],
            "kind": kind_of(row),
            "schedule": row["schedule"].removesuffix(", shipped"),
            "psnr": row["psnr_db"],
            "ssim": row.get("ssim", ""),
            "gain": _figure(row)["gain"],
            "published": row.get("psnr_published_db", ""),
            "difference": _signed(row.get("psnr_difference_db", "")),
        }
        for row in rows
    ]


def curves(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return PSNR over levels, a curve a method, for each set and kind with two levels or more.

    Returns
    -------
    list of dict
        `title`, `label` of the level, `x`: levels, ascending; `series`: `name` and `y`, None where
        a method was not scored; the first is the input, and `plain`.
    """
    made = []
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["set"], row["degradation"]), []).append(row)
    for (name, kind), group in groups.items():
        levels = sorted({level for row in group if (level := number(row["level"])) is not None})
        if len(levels) < 2:
            continue
        before = {number(row["level"]): number(row["psnr_input_db"]) for row in group}
        inputs = [before.get(level) for level in levels]
        series: list[dict[str, Any]] = [{"name": "input", "y": inputs, "plain": True}]
        for method in dict.fromkeys(map(method_of, group)):
            found = {
                number(row["level"]): number(row["psnr_db"])
                for row in group
                if method_of(row) == method
            }
            series.append({"name": method, "y": [found.get(level) for level in levels]})
        label = LEVELS.get(kind, f"level of {kind}")
        made.append({"title": f"{name}: {kind}", "label": label, "x": levels, "series": series})
    return made


def comparisons(
    folder: ResultsFolder, rows: Sequence[Row], pictures: Pictures
) -> list[dict[str, Any]]:
    """Return the before/after pictures of each set and degradation.

    Returns
    -------
    list of dict
        `title` and `images`: of each its `name` and `panels`: `name`, `kind` ('original', 'input'
        or 'method'), `psnr` and the index of the `picture`.
    """
    made = []
    for (name, case), _ in _cases(rows):
        real = case.split(":")[0] == "pairs"
        places = (
            [("restore", "pairs", f"{name}.panels")]
            if real
            else [
                ("restore", f"strips{colour}", name, f"{case}.panels") for colour in ("", "-color")
            ]
        )
        found = [place for place in places if folder.find(*place, needed=False) is not None]
        if not found:
            folder.missing.append("/".join(places[0]))
        for place in found:
            colour = ", in colour" if "strips-color" in place else ""
            images = _panels(folder.root.joinpath(*place), pictures)
            made.append({"title": f"{name}, {case}{colour}", "images": images})
    return made


def _panels(folder: Path, pictures: Pictures) -> list[dict[str, Any]]:
    """Return the pictures that `restore compare --panels` wrote into a folder."""
    with parsing(folder / PANELS, "expected the list of `restore compare --panels`"):
        listed = json.loads((folder / PANELS).read_text(encoding="utf-8"))
        images = []
        for image in listed["images"]:
            panels = [
                {
                    "name": str(panel["name"]),
                    "kind": str(panel["kind"]),
                    "psnr": None if panel["psnr_db"] is None else float(panel["psnr_db"]),
                    "picture": pictures.add(_pixels(folder / Path(panel["file"]).name)),
                }
                for panel in image["panels"]
            ]
            images.append({"name": str(image["name"]), "panels": panels})
        return images


def _pixels(path: Path) -> Any:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L" if picture.mode == "L" else "RGB"))
    except OSError as error:
        raise UserError(f"{path}: expected a PNG ({error}); make the strip again") from error


def _cases(rows: Sequence[Row]) -> Iterable[tuple[tuple[str, str], list[Row]]]:
    """Yield set and degradation with their rows, in the order in which they first occur."""
    order = {key: place for place, key in enumerate(dict.fromkeys(map(_key, rows)))}
    ordered = sorted(rows, key=lambda row: order[_key(row)])
    for key, group in groupby(ordered, _key):
        yield key, list(group)


def _key(row: Row) -> tuple[str, str]:
    return row["set"], case_of(row)
