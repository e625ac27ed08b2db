"""Whether denoising helps to classify: one classifier on several versions of a scene.

Each version (an arm of the study) is learned from alike: the same training pixels, the same search
of settings, the same schedule and seed. The same test pixels are scored, so that each arm can be
tested against the first one (McNemar).
"""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from engine.device import Compute
from engine.tables import two_decimals, write_csv
from engine.tensors import load_description
from hsi.classifiers.catalogue import entry
from hsi.classifiers.model import load_model, make_classifier
from hsi.classifiers.protocol import Application
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.evaluation.compare import mcnemar
from hsi.evaluation.metrics import scores_of
from hsi.maps.blocks import classify_whole
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split

log = logging.getLogger(__name__)

COLUMNS = (
    "scene", "noise", "split", "classifier", "schedule", "draw", "arm", "train_pixels",
    "test_pixels", "oa", "aa", "kappa", "oa_gain", "only_first_right", "only_arm_right", "p_value",
    "seconds_train",
)  # fmt: skip


def compare_arms(
    versions: Mapping[str, Scene],
    labels: Labels,
    split: Split,
    classifier: str,
    out: Path,
    *,
    compute: Compute,
    schedule: str = "demo",
    window: int | None = None,
    components: int | None = None,
    seed: int = 0,
    about: Mapping[str, str] | None = None,
) -> None:
    """Train a classifier on each version of a scene, score it, and write the table.

    Parameters
    ----------
    versions : mapping of str to Scene
        By what the table calls them; the others are tested against the first.
    labels, split
        Of the size of the versions; `split` made from `labels`.
    classifier : str
        Name of the classifier.
    out : Path
        CSV of one row per version. Models are kept in a folder of its name until it is written: a
        run that was interrupted resumes.
    compute : Compute
    schedule : str
        See `hsi.classifiers.schedules.schedule`; counts for networks alone.
    window, components : int, optional
        Of a network whose name stands for none.
    seed : int
        Of every training.
    about : mapping, optional
        Further cells of each row: `scene`, `noise`, `split`.

    Raises
    ------
    HsiError
        Fewer than two versions, of different sizes; labels or split are of another scene; no such
        classifier.
    """
    if len(versions) < 2:
        raise HsiError(f"`arm`: expected at least two versions of a scene, found {len(versions)}")
    listed = entry(classifier)
    sizes: dict[str, Any] = {
        "window": window if listed.takes_window else None,
        "components": components if listed.shares_components else None,
    }
    labels = split.own_labels(labels)
    for scene in versions.values():
        labels.check_fits(scene)
    folder, rows = out.with_suffix(""), []
    truth = labels.ground_truth[split.test]
    first: Any = None
    for arm, scene in versions.items():
        path = folder / f"{arm}.safetensors"
        learner, known = make_classifier(classifier, **sizes), path.is_file()
        train(
            learner, scene, labels, split, path, compute=compute, schedule=schedule, seed=seed
        )  # fmt: skip
        if known:  # of an interrupted run
            learner = load_model(path).classifier
        if not learner.halo:  # each pixel by itself: no others need be classified
            scene = replace(scene, mask=split.test)
        found = classify_whole(learner, scene, Application(compute))
        mapped = found.numbers(labels.classes)[split.test]
        scores, right = scores_of(truth, mapped, labels.classes), mapped == truth
        first = (scores, right) if first is None else first
        tested = mcnemar(first[1], right)
        log.info("%s on %s: OA %.2f %%, AA %.2f %%", classifier, arm, scores.oa, scores.aa)
        rows.append(
            {
                "scene": scene.name,
                "noise": "",
                "split": split.how,
                **(about or {}),
                "classifier": classifier,
                "schedule": Path(schedule).stem if listed.network else "",
                "draw": seed,
                "arm": arm,
                "train_pixels": int(split.train.sum()),
                "test_pixels": int(split.test.sum()),
                **{key: two_decimals(getattr(scores, key)) for key in ("oa", "aa", "kappa")},
                "oa_gain": f"{scores.oa - first[0].oa:+.2f}",
                "only_first_right": tested.first,
                "only_arm_right": tested.second,
                "p_value": f"{tested.p_value:.3g}",
                "seconds_train": two_decimals(load_description(path)["seconds_train"]),
            }
        )
    write_csv(pd.DataFrame(rows), out, COLUMNS)
    shutil.rmtree(folder)
