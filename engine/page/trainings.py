"""Training curves of a results folder."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.page.folder import ResultsFolder, Row, number

MOST_POINTS = 400  # of a curve, each the mean of as many steps as it takes


def curves(
    folder: ResultsFolder, models: Sequence[str], seed: int, runs: Sequence[Row]
) -> list[dict[str, Any]]:
    """Return the loss over the steps of each training.

    Parameters
    ----------
    folder : ResultsFolder
    models : sequence of str
        Denoisers that were trained.
    seed : int
        Theirs.
    runs : sequence of Row
        Of the table of accuracies, a row a run: networks have a curve, controls none.

    Returns
    -------
    list of dict
        `group`, `name`, `x` (steps), `y` (loss), and whether a `log` axis can show them.
    """
    places: list[tuple[str, str, tuple[str, ...]]] = [
        ("Images", model, ("restore", "models", model, f"seed{seed}.csv")) for model in models
    ]
    for row in runs:
        home = ("hsi", row["scene"], row["split"], row["classifier"], f"seed{row['seed']}")
        if folder.find(*home, "train.csv", needed=False) is not None:
            name = f"{row['classifier']}, {row['split']}, seed {row['seed']}"
            places.append((f"Scene {row['scene']}", name, (*home, "train.csv")))
    made = []
    for group, name, place in places:
        rows = folder.table(*place, columns=("step", "loss"))
        pairs = [(number(row["step"]), number(row["loss"])) for row in rows]
        known = np.array([pair for pair in pairs if None not in pair], np.float64).reshape(-1, 2)
        if not len(known):
            continue
        positive = bool((known[:, 1] > 0).all())  # no logarithm of a squared error always is
        parts = np.array_split(known, min(MOST_POINTS, len(known)))
        thinned = [part.mean(axis=0) for part in parts]
        made.append(
            {
                "group": f"{group}, {_loss(group, positive=positive)}",
                "name": name,
                "x": [round(float(step), 1) for step, _ in thinned],
                "y": [float(f"{loss:.5g}") for _, loss in thinned],
                "log": positive,
                "steps": int(known[-1, 0]),
                "last": f"{known[-1, 1]:.4g}",
            }
        )
    return made


def _loss(group: str, *, positive: bool) -> str:
    """Return what a loss is of: no squared error is negative, the logarithm of one is."""
    if group != "Images":
        return "cross-entropy"
    return "half a patch's squared error" if positive else "logarithm of squared errors"
