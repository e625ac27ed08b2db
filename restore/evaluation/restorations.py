"""What a method makes of each image of a set, after a made degradation or of real noise."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from restore.degradations.degradation import Degradation
from restore.evaluation import metrics, pairs, real_pairs
from restore.evaluation.degraded_files import manifest, read_observed, write_folder
from restore.evaluation.methods import Automatic, Baseline, Method
from restore.evaluation.pairs import Pair
from restore.evaluation.protocol import PUBLISHED, Scoring
from restore.evaluation.real_pairs import RealPairs
from restore.image_sets.find import ImageSet, Item

Test = Degradation | RealPairs


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
