"""Which labelled pixels a classifier learns from and which it is tested on."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import atomic, read_npz, sha256_arrays
from engine.errors import expect_seed, parsing
from hsi.errors import HsiError, expect_kind
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.drawn import drawn_count, drawn_share
from hsi.splits.guarded import block_fold, blocks, whole_polygons
from hsi.splits.leakage import leakage_report
from hsi.splits.masks import LABELS_OF, MASKS, mask_split
from hsi.splits.own_classes import relabelled, with_data
from hsi.splits.scenes_apart import leave_one_out
from hsi.splits.split_files import split_name

log = logging.getLogger(__name__)

_BOOL = np.dtype(np.bool_)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """Training and test pixels, and how they were chosen.

    Attributes
    ----------
    train, test : ndarray (H, W), bool
        Disjoint.
    how : str
        What tables call the split, such as 'random:0.1'.
    seed : int
    window : int
        Side of the window that the guard band and the leakage report assume, in pixels.
    labels_checksum : str
        Of the ground truth that was split.
    report : mapping
        `train_pixels` and `test_pixels` by class number, `absent_from_train`, `absent_from_test`,
        what the making dropped, and the leakage (see `leakage_report`); of a mask also
        `labels_of`, and how its classes differ from the ground truth's (see `hsi.splits.masks`).
    classes : ndarray (H, W), int32, optional
        Class numbers where they are a mask's own: the mask's on its pixels, else the ground
        truth's.

    Examples
    --------
    >>> import hsi
    >>> split = hsi.make_split(hsi.open_labels("IndianPines"), "random:0.1")
    >>> bool((split.train & split.test).any()), split.report["train_pixels"]["11"]
    (False, 246)
    """

    train: Mask
    test: Mask
    how: str
    seed: int
    window: int
    labels_checksum: str
    report: Mapping[str, Any]
    classes: npt.NDArray[np.int32] | None = None

    def save(self, path: Path | str) -> None:
        """Write masks and description to one .npz without pickles."""
        description = np.array(json.dumps(self.describe()))
        own: dict[str, Any] = {} if self.classes is None else {"classes": self.classes}
        with atomic(path) as part, part.open("wb") as file:
            np.savez_compressed(
                file, train=self.train, test=self.test, description=description, **own
            )

    def describe(self) -> dict[str, Any]:
        """Return all but the masks, JSON-serialisable."""
        return {
            "how": self.how,
            "seed": self.seed,
            "window": self.window,
            "labels_checksum": self.labels_checksum,
            "train_sha256": sha256_arrays(self.train),
            "report": dict(self.report),
        }

    def check_fits(self, labels: Labels) -> None:
        """Raise HsiError if the split was made from other labels."""
        if self.labels_checksum != labels.checksum() and not self._are_own(labels):
            raise HsiError(
                f"split {self.how}: expected to find it made from the labels {labels.name}, found "
                "it made from others; run hsi split again"
            )

    def own_labels(self, labels: Labels) -> Labels:
        """Return the classes to learn and to test: those of the labels, or of the mask.

        Raises
        ------
        HsiError
            The split was made from other labels.
        """
        self.check_fits(labels)
        if self.classes is None or self._are_own(labels):
            return labels
        return relabelled(labels, self.classes)

    def _are_own(self, labels: Labels) -> bool:
        """Return whether labels are already those of `own_labels`."""
        return self.classes is not None and np.array_equal(self.classes, labels.ground_truth)


def load_split(path: Path | str) -> Split:
    """Read a split.

    Parameters
    ----------
    path : Path or str
        A .npz file that `Split.save` or `hsi split` wrote.

    Returns
    -------
    Split

    Raises
    ------
    HsiError
        There is no such file, or it holds something else.

    Examples
    --------
    >>> import hsi, tempfile
    >>> split = hsi.make_split(hsi.open_labels("IndianPines"), "random:0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     split.save(f"{folder}/split.npz")
    ...     hsi.load_split(f"{folder}/split.npz").how
    'random:0.1'
    """
    path = Path(path)
    found = read_npz(path, ("train", "test", "description"), "hsi split", HsiError)
    with parsing(path, "expected a file of hsi split", HsiError), np.load(path) as arrays:
        own = "classes" in arrays.files
    classes = read_npz(path, ("classes",), "hsi split", HsiError)["classes"] if own else None
    with parsing(path, "expected a file of hsi split", HsiError):
        described = json.loads(str(found["description"]))
        kinds = {"how": str, "seed": int, "window": int, "labels_checksum": str, "report": dict}
        for key, kind in kinds.items():
            if type(described[key]) is not kind:
                raise HsiError(f"{key}: expected {kind.__name__}, found {described[key]!r:.40}")
        train, test = found["train"], found["test"]
        if train.shape != test.shape or train.ndim != 2 or {train.dtype, test.dtype} != {_BOOL}:
            raise HsiError("expected two masks of one size, found others")
        if classes is not None and (classes.shape != train.shape or classes.dtype != np.int32):
            raise HsiError("expected classes of the masks' size, int32, found others")
        return Split(train, test, **{key: described[key] for key in kinds}, classes=classes)


def make_split(
    labels: Labels,
    how: str,
    *,
    seed: int = 0,
    window: int = 25,
    name: str | None = None,
    labels_of: str = "ground-truth",
    scene: Scene | None = None,
) -> Split:
    """Split the labelled pixels.

    Parameters
    ----------
    labels : Labels
    how : str
        'random:F' draws the share F of every class for training, at least one pixel per class, and
        leaves at least one to test. 'count:N' draws N pixels of every class, or half of a class
        that has fewer than 2 N. 'blocks:N' assigns whole blocks of N × N pixels and drops the
        training pixels within half a window of a test pixel (see `hsi.splits.separated`).
        'polygons:F' draws whole polygons, the share F of every class's pixels, with the same band
        (see `hsi.splits.polygons`). 'kfold:K,blocks:N' tests one of K parts of the blocks, with
        the same band: the seeds 0 to K − 1 are the folds of one partition and test every labelled
        pixel once, the seeds K to 2 K − 1 those of the next (see `hsi.splits.folds`).
        'loso:FILE' tests one scene of several and learns from the others (see
        `hsi.splits.scenes_apart`); the seed says which.
        'mask:FILE' takes published masks (see `hsi.splits.masks`); 'mask:FILE:TRAIN,TEST' names
        their variables, 'mask:FILE,FILE' two files. 'houston2013:FILE,FILE' also checks that they
        hold the published pixels of each class.
    seed : int
    window : int
        Odd side of the classifier's window, in pixels.
    name : str, optional
        What tables call the split; else `how`, with a mask's file shortened to its stem.
    labels_of : {'ground-truth', 'mask'}
        Whose classes the pixels of a mask have. By default those of `labels`, and pixels that these
        leave unlabelled are left out; else the mask's own, of all its pixels.
    scene : Scene, optional
        Labelled pixels where it holds no data are left out, from training and test.

    Returns
    -------
    Split
        The same for the same labels, `how`, `seed` and `window`.

    Raises
    ------
    HsiError
        `how` names no kind of split or holds a number out of range; a mask does not fit, or its
        two sides overlap; `labels_of` 'mask' without a mask of class numbers.

    Examples
    --------
    >>> import hsi
    >>> labels = hsi.open_labels("IndianPines")
    >>> split = hsi.make_split(labels, "random:0.1", seed=0, window=25)
    >>> int(split.train.sum()), split.report["test_in_training_window"]
    (1025, 100.0)
    """
    expect_kind(labels, Labels, "labels", "open them with hsi.open_labels")
    expect_kind(window, Integral, "window", "give a whole number of pixels")
    if window < 1 or window % 2 == 0:
        raise HsiError(f"`window` {window}: expected an odd number of pixels, such as 25")
    expect_seed(seed, HsiError)
    kind, colon, value = how.partition(":")
    if labels_of not in LABELS_OF:
        raise HsiError(f"`labels_of` {labels_of}: expected {' or '.join(LABELS_OF)}")
    if kind not in (*SPLITTERS, *MASKS) or not colon:
        raise HsiError(
            f"`how` {how}: expected random:0.3, count:50, blocks:16, "
            "polygons:0.5, kfold:5,blocks:16, loso:FILE, mask:FILE or houston2013:FILE,FILE"
        )
    if labels_of == "mask" and scene is not None:
        raise HsiError("`labels_of` mask: takes all pixels of the mask; leave out `scene`")
    own = labels if scene is None else with_data(labels, scene)
    classes = None if own is labels else own.ground_truth.astype(np.int32)
    if kind in MASKS:
        train, test, notes, masks_own = mask_split(own, kind, value, labels_of)
        if masks_own is not None:
            classes, own = masks_own, relabelled(own, masks_own)
    elif labels_of == "mask":
        raise HsiError(f"`labels_of` mask: expected `how` mask:FILE, found {how}; leave it out")
    else:
        train, test, notes = SPLITTERS[kind](own, value, window, seed)
    for side, pixels in (("train on", train), ("test", test)):
        if not pixels.any():
            raise HsiError(
                f"`how` {how}: expected pixels to train on and to test, found none to {side}"
            )
    report = {
        **_counts(own, train, test),
        **notes,
        **leakage_report(train, test, window),
    }
    called = name or split_name(how)
    return Split(train, test, called, seed, window, labels.checksum(), report, classes)


Splitter = Callable[[Labels, str, int, int], tuple[Mask, Mask, dict[str, Any]]]
SPLITTERS: dict[str, Splitter] = {
    "random": drawn_share,
    "count": drawn_count,
    "blocks": blocks,
    "polygons": whole_polygons,
    "kfold": block_fold,
    "loso": leave_one_out,
}


def _counts(labels: Labels, train: Mask, test: Mask) -> dict[str, Any]:
    """Return the pixels of each class, and the names of classes that one side lacks."""
    counts: dict[str, Any] = {"train_pixels": {}, "test_pixels": {}}
    absent: dict[str, list[str]] = {"train": [], "test": []}
    sides = {side: labels.count(mask).tolist() for side, mask in (("train", train), ("test", test))}
    labelled = labels.count().tolist()
    for index, (number, name) in enumerate(zip(labels.classes, labels.class_names, strict=True)):
        for side, pixels in sides.items():
            counts[f"{side}_pixels"][str(number)] = pixels[index]
            if not pixels[index]:
                absent[side].append(f"{number} {name}")
        trained, tested = (sides[side][index] for side in ("train", "test"))
        if not trained or not tested:
            log.warning(
                "class %d %s cannot be split: of %d labelled pixels %d to train on, %d to test",
                number, name, labelled[index], trained, tested,
            )  # fmt: skip
    return counts | {f"absent_from_{side}": names for side, names in absent.items()}
