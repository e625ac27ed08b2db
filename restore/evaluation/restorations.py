"""What a method makes of each image of a set, after a made degradation or of real noise."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from restore.degradations.degradation import Degradation
from restore.errors import RestoreError
from restore.evaluation import metrics, pairs, real_pairs
from restore.evaluation.degraded_files import manifest, read_observed, write_folder
from restore.evaluation.methods import Automatic, Baseline, Method
from restore.evaluation.pairs import Pair
from restore.evaluation.protocol import PUBLISHED, Scoring
from restore.evaluation.real_pairs import RealPairs
from restore.image_sets.find import ImageSet, Item, image_set, paired

log = logging.getLogger(__name__)

Test = Degradation | RealPairs


def sets_of(
    images: Sequence[str],
    degradations: Sequence[Degradation],
    truth: str | Path | None,
    names: str,
    name: str,
) -> list[ImageSet]:
    """Find the image sets; without degradations, those must be pairs."""
    if truth is None:
        if names != "auto" or name:
            raise RestoreError(
                f"`{'name' if name else 'names'}` {name or names}: it is for pairs of folders; "
                "name the folder of ground truths as `truth`, or leave it out"
            )
        sets = [image_set(chosen) for chosen in images]
        for chosen in sets:
            if not (degradations or chosen.noisy):
                raise RestoreError(
                    f"image set {chosen.name}: expected a `degradation` such as noise:25, or the "
                    "folder of ground truths as `truth`, found neither"
                )
        return sets
    if degradations:
        raise RestoreError(
            f"`degradation` {degradations[0]}: pairs bring their noise with them; leave it out, or "
            "leave out `truth`"
        )
    if len(images) != 1:
        raise RestoreError(
            f"`images`: expected one folder of noisy images beside `truth`, found {len(images)}; "
            "score the others by themselves"
        )
    return [paired(images[0], truth, names, name)]


def tests_of(chosen: ImageSet, degradations: Sequence[Degradation]) -> list[Test]:
    """Return the made degradations; where there are none, the pairs of the set."""
    return [*degradations] or [RealPairs(chosen.name)]


def restorations(
    method: Method,
    chosen: ImageSet,
    test: Test,
    seed: int,
    degraded_folder: Path | None = None,
    protocol: Scoring = PUBLISHED,
) -> Iterator[tuple[Item, Pair, npt.NDArray[np.float64]]]:
    """Yield each image of a set, its target with its degraded form, and what a method makes of it.

    The output is clipped and rounded to 8 bit where the papers do so.
    """
    if isinstance(test, RealPairs):
        yield from real_pairs.restorations(method, chosen, protocol)
    elif isinstance(method, Automatic):
        yield from _through_files(method, chosen, test, seed, protocol)
    else:
        for item, case in cases(chosen, test, method.channels, seed, degraded_folder, protocol):
            if isinstance(method, Baseline):
                output = method.restore(case.observed, test)
            else:
                output = method(case.observed)
            yield item, case, metrics.quantise(output) if case.quantised else output


def _through_files(
    method: Automatic, chosen: ImageSet, degradation: Degradation, seed: int, protocol: Scoring
) -> Iterator[tuple[Item, Pair, npt.NDArray[np.float64]]]:
    """Write degraded files as `restore degrade` does, grey ones first, and denoise those."""
    for colour in (False, True):
        items = [item for item in chosen if in_colour(method, item.load()) == colour]
        if not items:
            continue
        with TemporaryDirectory(prefix="restore-degraded-") as folder:
            made = manifest(
                write_folder(items, Path(folder), degradation, seed, colour=colour).parent
            )
            paths = [Path(folder) / made["files"][item.name]["file"] for item in items]
            for item, output in zip(items, method.denoised(paths), strict=True):
                image, name = item.load(), item.name
                case = pairs.pair(
                    image, degradation, seed=seed, name=name, colour=colour, protocol=protocol
                )
                yield item, case, metrics.quantise(output) if case.quantised else output


def cases(
    chosen: ImageSet,
    degradation: Degradation,
    channels: int,
    seed: int,
    degraded_folder: Path | None,
    protocol: Scoring = PUBLISHED,
) -> Iterator[tuple[Item, Pair]]:
    """Yield each image of a set with its target and its degraded form."""
    colour = channels == 3
    for item in chosen.items:
        image = item.load()
        if degraded_folder is None:
            case = pairs.pair(
                image, degradation, seed=seed, name=item.name, colour=colour, protocol=protocol
            )
        else:
            case = read_observed(
                degraded_folder / str(degradation),
                item.name,
                image,
                degradation,
                colour=colour,
                seed=seed,
                protocol=protocol,
            )
        yield item, case


def in_colour(method: Method, image: npt.NDArray[np.uint8]) -> bool:
    """Return whether an image is scored in colour."""
    return image.ndim == 3 if isinstance(method, Automatic) else method.channels == 3


def check(
    methods: Sequence[Method],
    sets: Sequence[ImageSet],
    degradations: Sequence[Degradation],
    protocol: Scoring = PUBLISHED,
) -> None:
    """Look at every image before any work, so that none stops a run of hours.

    A set that a model learned from, by its name, is logged: scores there say nothing of others.

    Raises
    ------
    RestoreError
        A method cannot do a degradation, or an image cannot be read or is too small to be scored,
        or belongs to no pair.
    """
    for method in methods:
        for degradation in degradations:
            _expect_able(method, degradation)
        for name in (chosen.name for chosen in sets if chosen.name in method.learned_from):
            log.warning(
                "%s learned from %s: its scores there say nothing of others", method.name, name
            )
    if not degradations:
        for chosen in sets:
            real_pairs.check(chosen, protocol)
    for item in (item for chosen in sets for item in chosen.items if degradations):
        image = item.load()
        colours = {in_colour(method, image) for method in methods}
        try:
            for degradation in degradations:
                for colour in colours:
                    reference = pairs.prepared(image, degradation, colour=colour)
                    metrics.check_size(reference.shape, protocol.shaved(degradation))
        except RestoreError as error:
            raise RestoreError(f"{item.path}: {error}; take it out of the set") from error


def _expect_able(method: Method, degradation: Degradation) -> None:
    if isinstance(method, Baseline) and degradation.kind != "noise":
        raise RestoreError(f"model {method.name}: expected noise, found {degradation}")
    if isinstance(method, Automatic) and degradation.kind == "bicubic":
        raise RestoreError(
            f"model auto: expected noise, jpeg or camera, found {degradation}; name a model"
        )
