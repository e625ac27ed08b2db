"""Draws: the views of a split's pixels, and of the validation pixels inside its training pixels."""

import logging
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.evaluation.study import training_labels
from hsi.retrieval.average_precision import MeanPrecision
from hsi.retrieval.baselines import Embedded
from hsi.retrieval.network import KINDS
from hsi.retrieval.training import Course, both_ways
from hsi.retrieval.views import ViewMaker, Views, components
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split, make_split

log = logging.getLogger(__name__)

AUTO = "auto"


@dataclass(frozen=True)
class Setting:
    """How both views are made and learned from.

    Attributes
    ----------
    window : int
        Side of a patch, in pixels.
    features : {'mnf', 'pca'}
    components : int
        Of each spectrum; in both views.
    inner : str
        How validation pixels are split off the training pixels; by default `random:0.8`, or
        `blocks:8` where the split keeps test pixels apart.
    course : Course
    encoders : {'auto', 'published', 'anchored'}
        See `hsi.retrieval.network`; by default validation pixels choose, draw by draw.
    queries : int, optional
        So many test pixels query, drawn by the seed; by default all. All of them are answers.
    seed : int
    device : str
        'cpu', 'cuda' or 'cuda:N'.
    """

    window: int = 7
    features: str = "mnf"
    components: int = 20
    inner: str = ""
    course: Course = field(default_factory=Course)
    encoders: str = AUTO
    queries: int | None = None
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.encoders not in (AUTO, *KINDS):
            expected = ", ".join((AUTO, *KINDS))
            raise HsiError(f"`encoders` {self.encoders}: expected one of {expected}")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The encoders to choose among."""
        return KINDS if self.encoders == AUTO else (self.encoders,)

    def inside(self, labels: Labels, split: Split) -> Split:
        """Return the split of the training pixels into those to learn from and to choose by.

        Raises
        ------
        HsiError
            They cannot be split so.
        """
        how = self.inner or ("blocks:8" if "guard" in split.report else "random:0.8")
        known = training_labels(labels, split)
        try:
            return make_split(known, how, seed=split.seed, window=self.window)
        except HsiError as error:
            reason = str(error).replace("`how`", "`inner`")
            raise HsiError(f"validation pixels: {reason}; choose another `inner`") from error


@dataclass(frozen=True)
class Draw:
    """The views of one split.

    Attributes
    ----------
    learning, validation : Views
        Parts of the training pixels.
    training, test : Views
    half : int
        Half a patch's side.
    classes : int
    asking : ndarray (Q,), int64
        Which test pixels query.
    setting : Setting
    """

    learning: Views
    validation: Views
    training: Views
    test: Views
    half: int
    classes: int
    asking: npt.NDArray[np.int64]
    setting: Setting

    def reached(self, embedded: Embedded) -> tuple[MeanPrecision, MeanPrecision]:
        """Return the mAP of test pixels, both ways."""
        return both_ways(embedded, self.test, self.half, self.asking)


def draw_of(scene: Scene, labels: Labels, split: Split, setting: Setting) -> Draw:
    """Return the views of a split.

    Raises
    ------
    HsiError
        They do not belong together; fewer than two classes to learn or to retrieve; what
        `ViewMaker` and `Setting.inside` raise.
    """
    labels.check_fits(scene)
    labels = split.own_labels(labels)
    check_classes(labels, split)
    maker = ViewMaker(
        scene,
        components(scene, setting.features, setting.components, split.train),
        setting.window,
    )
    if "guard" in split.report and setting.window > split.window:
        log.warning(
            "the split guards windows of %d pixels and patches have %d: they overlap",
            split.window, setting.window,
        )  # fmt: skip
    inside = setting.inside(labels, split)
    test = maker.views(labels, split.test)
    asking = np.arange(len(test))
    if setting.queries is not None and setting.queries < len(test):
        rng = np.random.default_rng([setting.seed, split.seed])
        asking = np.sort(rng.choice(len(test), setting.queries, replace=False))
    learning, validation, training = (
        maker.views(labels, pixels) for pixels in (inside.train, inside.test, split.train)
    )
    return Draw(
        learning, validation, training, test, maker.half, len(labels.classes), asking, setting
    )  # fmt: skip


def check_classes(labels: Labels, split: Split) -> None:
    """Raise HsiError where there are fewer than two classes; warn of those that one side lacks."""
    train, test = (labels.count(side) > 0 for side in (split.train, split.test))
    for has, what in ((train, "train on"), (test, "retrieve")):
        if has.sum() < 2:
            named = ", ".join(_named(labels, has)) or "none"
            raise HsiError(
                f"split {split.how}: expected at least two classes with pixels to {what}, found "
                f"{named}; split again with other labels or another `how`"
            )
    for has, other, what in (
        (train, test, "classes without test pixels are not retrieved"),
        (test, train, "classes without training pixels are retrieved unlearned"),
    ):
        if (lacking := has & ~other).any():
            log.warning("%s: %s", what, ", ".join(_named(labels, lacking)))


def _named(labels: Labels, which: npt.NDArray[np.bool_]) -> list[str]:
    listed = zip(labels.classes.tolist(), labels.class_names, which, strict=True)
    return [f"{number} {name}" for number, name, asked in listed if asked]
