"""Choose a classifier's settings on the training pixels of a split alone.

The training pixels are split once more, by blocks with a guard band, as separated test pixels are.
Every candidate learns from the same inner training pixels and is scored on the same inner test
pixels; the test pixels of the split itself are never looked at.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.device import Compute
from engine.settings import load
from engine.tables import two_decimals, write_csv
from hsi.classifiers.model import load_model, make_classifier
from hsi.classifiers.protocol import Application, Classifier
from hsi.classifiers.recipe import setting_text
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.evaluation.metrics import scores_of
from hsi.maps.blocks import classify_whole
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split, make_split

log = logging.getLogger(__name__)

COLUMNS = (
    "candidate",
    "classifier",
    "settings",
    "schedule",
    "seed",
    "fold",
    "train_pixels",
    "test_pixels",
    "oa",
    "aa",
    "kappa",
    "seconds_train",
)
MEANS = ("rank", "candidate", "classifier", "settings", "schedule", "folds", "oa", "aa", "kappa")


@dataclass(frozen=True)
class Candidate:
    """One classifier to try.

    Attributes
    ----------
    name : str
    classifier : str
        Name of the classifier.
    window, components : int, optional
    settings : mapping of str to str
        Others of a network, as `hsi train --set` takes them.
    """

    name: str
    classifier: str
    window: int | None
    components: int | None
    settings: Mapping[str, str]

    def make(self) -> Classifier:
        """Return the classifier, untrained."""
        return make_classifier(
            self.classifier,
            window=self.window,
            components=self.components,
            settings=self.settings,
        )

    @property
    def in_words(self) -> str:
        """The settings that are not the classifier's defaults, as text."""
        stated = {"window": self.window, "components": self.components, **self.settings}
        return " ".join(f"{key}={value}" for key, value in stated.items() if value is not None)


def read_candidates(path: Path) -> list[Candidate]:
    """Return the candidates in a YAML file: by name, each with `classifier` and settings.

    Raises
    ------
    UserError
        There is no such file, or it has a mistake; every candidate is made once to find out.
    """
    candidates = []
    if not (listed := load(path)):
        raise HsiError(f"{path}: expected candidates, found none")
    for name, found in listed.items():
        if Path(str(name)).name != str(name):
            raise HsiError(f"{path}: {name}: expected a name for files, without '/'")
        if not isinstance(found, Mapping) or "classifier" not in found:
            raise HsiError(f"{path}: {name}: expected keys with values, 'classifier' among them")
        stated = {str(key): value for key, value in found.items()}
        classifier = str(stated.pop("classifier"))
        window, components = (stated.pop(key, None) for key in ("window", "components"))
        for key, value in (("window", window), ("components", components)):
            if value is not None and not isinstance(value, int):
                raise HsiError(f"{path}: {name}: {key}: expected a whole number, found {value!r}")
        settings = {key: setting_text(value) for key, value in stated.items()}
        candidate = Candidate(str(name), classifier, window, components, settings)
        try:
            candidate.make()
        except HsiError as error:
            raise HsiError(f"{path}: {name}: {error}") from error
        candidates.append(candidate)
    return candidates


def study(
    scene: Scene,
    labels: Labels,
    split: Split,
    candidates: Sequence[Candidate],
    out: Path,
    *,
    compute: Compute,
    schedule: str,
    inner: str = "blocks:8",
    window: int = 25,
    folds: int = 1,
    seed: int = 0,
) -> str:
    """Score candidates on inner splits of the training pixels, and write the tables.

    Parameters
    ----------
    scene, labels, split
        Of one size; `split` made from `labels`.
    candidates : sequence of Candidate
    out : Path
        CSV of all runs; their means, best first, are written beside it (`…_means.csv`), and the
        models in a folder of its name. A study that was interrupted resumes.
    compute : Compute
    schedule : str
        See `hsi.classifiers.schedules.schedule`.
    inner : str
        How the training pixels are split (see `hsi.splits.split.make_split`).
    window : int
        Side of the window that the inner guard band assumes, in pixels.
    folds : int
        Inner splits, of the seeds `seed`, `seed + 1`, ….
    seed : int
        Of the first inner split, and of every training.

    Returns
    -------
    str
        Name of the candidate with the best mean overall accuracy.
    """
    labels.check_fits(scene)
    labels = split.own_labels(labels)
    known = training_labels(labels, split)
    for candidate in candidates:
        components = candidate.components or 0
        if components > len(scene.good_bands):
            raise HsiError(
                f"candidate {candidate.name}: components: expected at most "
                f"{len(scene.good_bands)}, the usable bands of {scene.name}, found {components}; "
                "give other `candidates`"
            )
    rows: list[dict[str, Any]] = []
    for fold in range(folds):
        inside = make_split(known, inner, seed=seed + fold, window=window)
        log.info("fold %d: %d to %d pixels", fold, inside.train.sum(), inside.test.sum())
        for candidate in candidates:
            path = out.with_suffix("") / f"{candidate.name}_fold{fold}.safetensors"
            train(
                candidate.make(), scene, known, inside, path,
                compute=compute, schedule=schedule, seed=seed,
            )  # fmt: skip
            model = load_model(path)
            found = classify_whole(model.classifier, scene, Application(compute))
            named = found.numbers(known.classes)
            truth = known.ground_truth[inside.test]
            scores = scores_of(truth, named[inside.test], known.classes)
            log.info("%s: OA %.2f %%, AA %.2f %%", candidate.name, scores.oa, scores.aa)
            rows.append(
                {
                    "candidate": candidate.name,
                    "classifier": candidate.classifier,
                    "settings": candidate.in_words,
                    "schedule": Path(schedule).stem,
                    "seed": seed,
                    "fold": fold,
                    "train_pixels": int(inside.train.sum()),
                    "test_pixels": int(inside.test.sum()),
                    **{key: two_decimals(getattr(scores, key)) for key in ("oa", "aa", "kappa")},
                    "seconds_train": two_decimals(model.description["seconds_train"]),
                }
            )
            write_csv(pd.DataFrame(rows), out, COLUMNS)
    means = _means(rows)
    write_csv(means, out.with_name(f"{out.stem}_means.csv"), MEANS)
    return str(means.iloc[0]["candidate"])


def training_labels(labels: Labels, split: Split) -> Labels:
    """Return the labels of the training pixels alone."""
    truth = np.where(split.train, labels.ground_truth, 0)
    there = labels.count(split.train) > 0
    names = tuple(
        name for name, kept in zip(labels.class_names, there.tolist(), strict=True) if kept
    )
    return Labels(labels.name, truth, names, labels.colours[there])


def _means(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows))
    figures = ["oa", "aa", "kappa"]
    table[figures] = table[figures].apply(pd.to_numeric)
    stated = ["candidate", "classifier", "settings", "schedule"]
    grouped = table.groupby(stated, sort=False)
    means = grouped[figures].mean().round(2).reset_index()
    means["folds"] = grouped.size().to_numpy()
    means = means.sort_values("oa", ascending=False, kind="stable").reset_index(drop=True)
    means["rank"] = np.arange(1, len(means) + 1)
    return means
