"""Intervals of accuracies over several runs: groups of neighbouring test pixels are drawn again.

Pixels of one block or polygon are alike. Drawn one by one, they would count as that many trials,
and the interval would be far too narrow; so blocks and polygons are drawn as a whole, the same ones
in every run and for both classifiers that are compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import parsing
from hsi.errors import HsiError

Floats = npt.NDArray[np.float64]

DRAWS = 2000
CHUNK = 100  # draws that are held together
SEED = 0
PERCENTILES = (2.5, 97.5)
DIFFERENCE_COLUMNS = (
    "scene",
    "split",
    "first",
    "second",
    "runs",
    "groups",
    "oa_difference",
    "low",
    "high",
    "differ",
)


@dataclass(frozen=True)
class Counts:
    """Test pixels of some runs by group.

    Attributes
    ----------
    right, tested : ndarray (runs, groups), float64
        Pixels that are right, and all test pixels.
    """

    right: Floats
    tested: Floats

    def oa(self, weights: Floats | None = None) -> Floats:
        """Return the mean overall accuracy of the runs in per cent, (draws,) or ().

        Parameters
        ----------
        weights : ndarray (draws, groups), optional
            How often each group is drawn.
        """
        if weights is None:
            weights = np.ones((1, self.right.shape[1]))
        with np.errstate(invalid="ignore"):
            of_runs = weights @ self.right.T / (weights @ self.tested.T)
        found: Floats = 100 * np.nanmean(of_runs, axis=1)
        return found


def count_groups(runs: Sequence[tuple[npt.NDArray[np.bool_], npt.NDArray[Any]]]) -> Counts:
    """Return the pixels by group of some runs.

    Parameters
    ----------
    runs : sequence of pairs
        Whether each test pixel is right, (n,) bool, and its group, (n,) int.

    Raises
    ------
    HsiError
        The two of a run are not of one length.
    """
    for right, group in runs:
        if right.shape != group.shape:
            raise HsiError(
                f"expected a group for each test pixel, found {len(group)} for {len(right)}; run "
                "hsi score again"
            )
    numbers = np.unique(np.concatenate([np.unique(group) for _, group in runs]))
    both = np.zeros((2, len(runs), len(numbers)))
    for run, (right, group) in enumerate(runs):
        place = np.searchsorted(numbers, group)
        both[0, run] = np.bincount(place, weights=right, minlength=len(numbers))
        both[1, run] = np.bincount(place, minlength=len(numbers))
    return Counts(both[0], both[1])


def interval(*counts: Counts) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean overall accuracy, or of the difference of two.

    Parameters
    ----------
    *counts : Counts
        One, or two of the same runs and groups.

    Returns
    -------
    low, high : float
        In per cent; None with fewer than two groups.
    """
    groups = counts[0].right.shape[1]
    if groups < 2:
        return None
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS // CHUNK):
        weights = rng.multinomial(groups, np.full(groups, 1 / groups), size=CHUNK).astype(float)
        values = [one.oa(weights) for one in counts]
        found.append(values[0] - values[1] if len(values) == 2 else values[0])
    low, high = np.nanpercentile(np.concatenate(found), PERCENTILES)
    return float(low), float(high)


def differences(
    runs: Sequence[Mapping[str, Any]], folders: Sequence[Path]
) -> Iterator[dict[str, Any]]:
    """Yield, for any two classifiers of one scene and split, whether their mean OA differs.

    Only runs that both have (of one seed, on the same test pixels) count.

    Parameters
    ----------
    runs : sequence of mapping
        Contents of the `scores.json` of each run.
    folders : sequence of Path
        Where `right.npy` and `groups.npy` of each lie.

    Yields
    ------
    dict
        Of `DIFFERENCE_COLUMNS`.
    """
    cases: dict[tuple[str, str], dict[str, dict[tuple[Any, ...], Path]]] = {}
    for run, folder in zip(runs, folders, strict=True):
        named = cases.setdefault((run["scene"], run["split"]), {})
        key = (run["seed"], run.get("split_seed"), run.get("test_sha256"))
        named.setdefault(name_of(run), {})[key] = folder
    for (scene, split), named in cases.items():
        for (first, one), (second, two) in combinations(named.items(), 2):
            shared = [key for key in one if key in two]
            read = [[read_run(found[key]) for key in shared] for found in (one, two)]
            if not shared or any(item is None for side in read for item in side):
                continue
            counts = [count_groups([item for item in side if item is not None]) for side in read]
            found = interval(*counts)
            if found is None:
                continue
            apart = found[0] > 0 or found[1] < 0
            yield {
                "scene": scene,
                "split": split,
                "first": first,
                "second": second,
                "runs": len(shared),
                "groups": counts[0].right.shape[1],
                "oa_difference": f"{(counts[0].oa() - counts[1].oa())[0]:+.2f}",
                "low": f"{found[0]:+.2f}",
                "high": f"{found[1]:+.2f}",
                "differ": "yes" if apart else "no",
            }


def name_of(run: Mapping[str, Any]) -> str:
    """Return a classifier's name, with its window where networks of one name differ by it."""
    window = run.get("window")
    return str(run["classifier"]) + (f" (window {window})" if window else "")


def read_run(folder: Path) -> tuple[npt.NDArray[np.bool_], npt.NDArray[Any]] | None:
    """Return `right.npy` and `groups.npy` of a folder; None where it has no groups.

    Raises
    ------
    HsiError
        One of them is damaged.
    """
    if not (folder / "groups.npy").is_file():
        return None
    arrays = []
    for name in ("right.npy", "groups.npy"):
        path = folder / name
        with parsing(path, "expected the test pixels of hsi score", HsiError, "score again"):
            arrays.append(np.load(path, allow_pickle=False))
    return arrays[0], arrays[1]
