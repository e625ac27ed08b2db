"""DSCMR and its parts on the test pixels of several splits, beside CCA, plain cosines and chance.

Every method learns from the same training pixels. The kind of the encoders and their epoch, and the
size of the canonical correlation, are chosen on validation pixels inside the training pixels; then
each learns once more from all training pixels. Test pixels are looked at once, at the end.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hsi.retrieval.average_precision import MeanPrecision, chance
from hsi.retrieval.baselines import Correlated, Embedded, cca_sizes, cosine
from hsi.retrieval.draws import Draw
from hsi.retrieval.losses import HALF, PUBLISHED, Losses
from hsi.retrieval.network import PUBLISHED as PUBLISHED_ENCODERS
from hsi.retrieval.training import Training, best_epoch, both_ways, mean_of_ways
from hsi.retrieval.views import ViewMaker, Views, components
from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.splits.split import Split

J1, J2, J3 = PUBLISHED
SHARP = 0.1  # a temperature at which the cosine decides
DSCMR = "J1+J2+J3"
# What a table calls it, and its losses.
ABLATION: dict[str, Losses] = {
    "J1": Losses(J1, 0, 0),
    "J1+J2": Losses(J1, J2, 0),
    "J1+J3": Losses(J1, 0, J3),
    DSCMR: Losses(),
    f"{DSCMR}, J2 temperature {SHARP}": Losses(temperature=SHARP),
    f"{DSCMR}, J2 weight 1": Losses(likelihood=1),
    f"{DSCMR}, J2 weight 1, temperature {SHARP}": Losses(likelihood=1, temperature=SHARP),
    f"{DSCMR}, norms by row": Losses(norm="rows"),
}
COLUMNS = (
    "scene", "split", "draw", "window", "features", "method", "map_spectrum_to_patch",
    "map_patch_to_spectrum", "map", "apart_spectrum_to_patch", "apart_patch_to_spectrum", "apart",
    "chosen", "j1", "j2", "j3", "train_pixels", "validation_pixels", "test_pixels", "queries",
    "seconds_train",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a method reached on the test pixels of a split.

    Attributes
    ----------
    reached : tuple of 2 MeanPrecision
        Spectra that query patches, patches that query spectra.
    chosen : str
        What was chosen on validation pixels.
    terms : tuple of 3 float, or empty
        J1, J2, J3 of the training pixels at the end, without weights.
    seconds : float
    embed : callable, optional
        From views to the shared space.
    validation : float
        The mAP on validation pixels that chose, in per cent.
    """

    reached: tuple[MeanPrecision, MeanPrecision]
    chosen: str = ""
    terms: tuple[float, ...] = ()
    seconds: float = 0.0
    embed: Callable[[Views], Embedded] | None = None
    validation: float = 0.0


def methods(
    scene: Scene, labels: Labels, split: Split, draw: Draw, ablation: Mapping[str, Losses]
) -> Iterator[tuple[str, Found]]:
    """Yield what each method reaches on a draw, by name.

    The kind of encoders that is better on validation pixels, with the published losses, serves the
    whole ablation; the rows of both kinds follow.
    """
    of_kind = {kind: dscmr(draw, Losses(), kind) for kind in draw.setting.kinds}
    best = max(of_kind, key=lambda kind: of_kind[kind].validation)
    for name, losses in ablation.items():
        yield name, of_kind[best] if losses == Losses() else dscmr(draw, losses, best)
    if len(of_kind) > 1:
        for kind, found in of_kind.items():
            yield f"{DSCMR}, {kind} encoders", found
    yield "cca", canonical(draw)
    yield f"cosine of {draw.setting.features}", Found(draw.reached(cosine(draw.test)))
    if draw.setting.features != "pca":
        count = draw.setting.components
        other = ViewMaker(
            scene, components(scene, "pca", count, split.train), draw.setting.window
        ).views(split.own_labels(labels), split.test)
        yield "cosine of pca", Found(draw.reached(cosine(other)))
    counts = np.bincount(draw.test.classes)
    expected = {
        number: chance(count, len(draw.test)) for number, count in enumerate(counts) if count
    }
    mean = 100 * float(np.mean([expected[number] for number in draw.test.classes[draw.asking]]))
    either = MeanPrecision(mean, float("nan"))
    yield "chance", Found((either, either))


def dscmr(draw: Draw, losses: Losses, encoders: str = PUBLISHED_ENCODERS) -> Found:
    """Return what encoders of a kind reach that were trained with some losses."""
    setting, began = draw.setting, time.monotonic()
    given: dict[str, Any] = {
        "course": setting.course,
        "seed": setting.seed,
        "device": torch.device(setting.device),
        "encoders": encoders,
    }
    learning = Training(draw.learning, losses, draw.classes, **given)
    epochs, validation = best_epoch(learning, draw.validation)
    final = Training(draw.training, losses, draw.classes, **given)
    for _ in range(epochs):
        final.learn()
    seconds = time.monotonic() - began
    reached = draw.reached(final.embed(draw.test))
    chosen = f"epoch {epochs}, {encoders} encoders"
    return Found(reached, chosen, final.terms(), seconds, final.embed, validation)


def canonical(draw: Draw) -> Found:
    """Return what canonical correlation reaches, of the size that validation pixels choose."""
    began, seed = time.monotonic(), draw.setting.seed
    scored = {
        size: mean_of_ways(
            both_ways(Correlated(draw.learning, *size, seed)(draw.validation), draw.validation)
        )
        for size in cca_sizes(draw.learning)
    }
    dimensions, pairs = max(scored, key=lambda size: scored[size])
    final = Correlated(draw.training, dimensions, pairs, seed)
    seconds = time.monotonic() - began
    chosen = f"{pairs} pairs of {dimensions} dimensions"
    return Found(draw.reached(final(draw.test)), chosen, (), seconds, final)


def row_of(scene: str, split: Split, draw: Draw, name: str, found: Found) -> dict[str, Any]:
    """Return a row of the table, of `COLUMNS`; mAP in per cent."""
    first, second = found.reached
    setting = draw.setting

    def text(value: float, form: str = ".2f") -> str:
        return "" if np.isnan(value) else f"{value:{form}}"

    terms = found.terms or (float("nan"),) * 3
    return {
        "scene": scene,
        "split": split.how,
        "draw": split.seed,
        "window": setting.window,
        "features": setting.features,
        "method": name,
        "map_spectrum_to_patch": text(first.everywhere),
        "map_patch_to_spectrum": text(second.everywhere),
        "map": text((first.everywhere + second.everywhere) / 2),
        "apart_spectrum_to_patch": text(first.apart),
        "apart_patch_to_spectrum": text(second.apart),
        "apart": text((first.apart + second.apart) / 2),
        "chosen": found.chosen,
        **{key: text(value, ".4f") for key, value in zip(("j1", "j2", "j3"), terms, strict=True)},
        "train_pixels": len(draw.training),
        "validation_pixels": len(draw.validation),
        "test_pixels": len(draw.test),
        "queries": len(draw.asking),
        "seconds_train": f"{found.seconds:.1f}" if found.seconds else "",
    }


def likelihood_range(temperature: float = HALF) -> tuple[float, float]:
    """Return the least and the greatest value of J2's sigmoid, for cosines of −1 and 1.

    Examples
    --------
    >>> [round(value, 3) for value in likelihood_range()]
    [0.378, 0.622]
    """
    low, high = (1 / (1 + np.exp(-cosine / temperature)) for cosine in (-1.0, 1.0))
    return float(low), float(high)
