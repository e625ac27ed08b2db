"""Model cards: what made weights, and their scores, for people to read and for us to check.

Every row of a card's table names an image set and a degradation as `restore benchmark` does, so
that `restore verify` can compute it again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from engine.errors import why
from restore.errors import RestoreError
from restore.networks.variants import Variant, variant
from restore.training import schedules

_ROW = re.compile(r"^\| (\S+), (\S+:\S+) \|[^|]*\| ([\d.]+) / ([\d.]+) \|", re.MULTILINE)


@dataclass(frozen=True)
class Score:
    """One row of a card's table.

    Attributes
    ----------
    images : str
        Name of the image set.
    degradation : str
        As 'noise:25'.
    psnr_db, ssim : float
    """

    images: str
    degradation: str
    psnr_db: float
    ssim: float


def read_scores(card: Path) -> list[Score]:
    """Read the scores of a model card.

    Raises
    ------
    RestoreError
        No such file, or no row of scores in it.
    """
    try:
        rows = _ROW.findall(card.read_text(encoding="utf-8"))
    except OSError as error:
        raise RestoreError(f"{card}: expected a model card ({why(error)})") from error
    if not rows:
        raise RestoreError(
            f"{card}: expected rows such as '| Set12, noise:25 | … | 30.44 / 0.8620 |', found none"
        )
    return [Score(images, how, float(psnr), float(ssim)) for images, how, psnr, ssim in rows]


def write_card(description: Mapping[str, Any], form: str, summary: pd.DataFrame) -> str:
    """Describe weights that `restore train` made.

    Parameters
    ----------
    description : mapping
        Of the weights file, with `variant`, `training` and `versions`.
    form : str
        How the weights are stored, and what that costs.
    summary : DataFrame
        Of `restore.evaluation.summary.summarise`, a row per test.

    Returns
    -------
    str
        Markdown.
    """
    training: Mapping[str, Any] = description["training"]
    trained, schedule = variant(description["variant"]), training["schedule"]
    share = 100 * _pixels(schedule) / _pixels(schedules.schedule("paper", trained).describe())
    data = f"{', '.join(training['sets'])}: {training['images']} images"
    if training["left_out"]:
        data += f"; left out, as they show test images: {', '.join(training['left_out'])}"
    rows = {
        "data": data,
        "first weights": _first(training.get("start")),
        **_teachers(training),
        "schedule": f"`{schedule['name']}`: {schedule['steps']} steps of "
        f"{schedule['batch_size']} patches of {schedule['patch']}×{schedule['patch']} pixels"
        f"{_ghosts(schedule)}, "
        f"{schedule['optimizer']} at {schedule['learning_rate']:g}, {schedule['decay']}, "
        f"{schedule.get('loss', 'squared')} loss; "
        f"{share:.2g} % of the pixels of `paper`",
        "seed": training["seed"],
        "time and machine": f"{training['seconds']:.0f} s on {_machine(training)}, "
        f"{training['precision']}, torch {description['versions']['torch']}",
        "code": f"revision {training['code_revision']} of `restore.training.train` and its imports",
        "form": f"normalisation folded, {form}",
    }
    lines = [f"# {trained.name}", "", f"{_in_words(trained)}.", ""]
    if share < 100:
        lines[2] += " **Reduced schedule**: the network can do better."
    lines += ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items()), ""]
    lines += [
        "| test (PSNR in dB / SSIM) | input | these weights | published |",
        "|---|---|---|---|",
    ]
    lines += [_row(test) for _, test in summary.iterrows()]
    return "\n".join(lines) + "\n"


def _ghosts(schedule: Mapping[str, Any]) -> str:
    count = schedule.get("ghost_batches", 1)
    return f" in {count} ghost batches" if count > 1 else ""


def _machine(training: Mapping[str, Any]) -> str:
    """Return what trained, from sitting to sitting."""
    found: list[str] = training.get("kernels", [training["device"]])
    return "; then on ".join(found) + ", so that the last digits are of neither" * (len(found) > 1)


def _first(start: Mapping[str, Any] | None) -> str:
    """Return where a training started, back to random weights."""
    if start is None:
        return "random"
    made = f"`{start['weights']}`, {start['schedule']} (SHA-256 {start['sha256'][:12]}…)"
    return f"{made}; before these: {_first(start.get('start'))}"


def _teachers(training: Mapping[str, Any]) -> dict[str, str]:
    """Return which networks taught this one, of which noise; nothing where none did."""
    schedule, origins = training["schedule"], training.get("teachers", [])
    if not origins:
        return {}
    named = [
        f"`{origin['weights']}`, {origin['schedule']} (SHA-256 {origin['sha256'][:12]}…), "
        f"{_lesson(teacher)}"
        for origin, teacher in zip(origins, schedule["teachers"], strict=True)
    ]
    share = f"{100 * schedule['taught']:g} % of what it learned there is theirs"
    return {"teachers": "; ".join([*named, share])}


def _lesson(teacher: Mapping[str, Any]) -> str:
    """Return what a teacher teaches."""
    lessons = ["what is not white noise alone"] if teacher.get("other") else []
    if teacher.get("jpeg"):
        lessons.insert(0, "JPEG")
    if teacher.get("scale") is not None:
        lessons.insert(0, f"bicubic ×{teacher['scale']}")
    if teacher["sigma"] is not None:
        lessons.insert(0, "noise σ {:g} to {:g}".format(*teacher["sigma"]))
    return " and ".join(lessons)


def _row(test: "pd.Series[Any]") -> str:
    known = test["psnr_published_db"]
    published = " / ".join(filter(None, (known, test["ssim_published"]))) or "none"
    return (
        f"| {test['set']}, {test['degradation']}:{test['level']} | {test['psnr_input_db']} / "
        f"{test['ssim_input']} | {test['psnr_db']} / {test['ssim']} | {published} |"
    )


def _pixels(schedule: Mapping[str, Any]) -> int:
    return int(schedule["steps"] * schedule["batch_size"] * schedule["patch"] ** 2)


def _in_words(variant: Variant) -> str:
    colour = "colour" if variant.architecture.channels == 3 else "grey"
    task = {
        "gaussian": f"DnCNN-S, {colour}, noise σ {variant.sigma:g}",
        "blind": f"DnCNN-B, {colour}, blind noise σ 0..{variant.sigma:g}",
        "general": "DnCNN-3, grey or luma: noise σ 0..55, JPEG quality 5..99, bicubic ×2, ×3, ×4",
        "bicubic": f"DnCNN on squares of pixels, grey or luma: bicubic ×{variant.scale}",
        "real": f"DnCNN-R, {colour}: the noise of photographs, and white noise σ 0..55",
    }
    return task[variant.task]
