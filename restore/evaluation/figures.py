"""Pictures for the report: before/after strips and training curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import atomic
from restore.errors import RestoreError
from restore.evaluation import metrics
from restore.evaluation.methods import Method
from restore.evaluation.protocol import PUBLISHED
from restore.evaluation.real_pairs import RealPairs
from restore.evaluation.real_pairs import check as check_pairs
from restore.evaluation.restorations import Test, restorations
from restore.image_sets.find import ImageSet
from restore.networks.denoiser import Denoiser, is_shipped

CROP = 192  # pixels shown of each image, each way


def strip(
    methods: Sequence[Method],
    chosen: ImageSet,
    test: Test,
    out: Path,
    *,
    seed: int,
    degraded_folder: Path | None = None,
    images: int = 2,
) -> None:
    """Draw originals, degraded images and what each model makes of them, side by side.

    Parameters
    ----------
    methods : sequence of Denoiser, Baseline or Automatic
        One column each.
    chosen : ImageSet
        Its first `images` images are shown, the middle of each.
    test : Degradation or RealPairs
    out : Path
        A .png file. PSNR in the titles is of the whole image.
    seed : int
        Of the noise.
    degraded_folder : Path, optional
        As in `restore.evaluation.benchmark.evaluate`.
    images : int
        Rows.
    """
    from matplotlib.figure import Figure

    if not methods:
        raise RestoreError("strip: expected at least one model")
    head = ImageSet(chosen.name, chosen.items[:images], chosen.noisy[:images])
    if isinstance(test, RealPairs):
        check_pairs(head, PUBLISHED)
    made = [list(restorations(method, head, test, seed, degraded_folder)) for method in methods]
    names = [str(test), *_names(methods)]
    columns = 1 + len(names)
    figure = Figure(figsize=(2.6 * columns, 2.85 * len(head)), layout="constrained")
    axes = figure.subplots(len(head), columns, squeeze=False)
    for line, row in zip(axes, zip(*made, strict=True), strict=True):
        item, first, _ = row[0]
        scored = [(first, first.observed), *((case, output) for _, case, output in row)]
        _show(line[0], first.target, item.name)
        for axis, (case, values), name in zip(line[1:], scored, names, strict=True):
            psnr = metrics.psnr(case.target, values, case.border)
            _show(axis, values, f"{name}: {psnr:.2f} dB")
    with atomic(out) as part:
        figure.savefig(part, dpi=110)


def _names(methods: Sequence[Method]) -> list[str]:
    """Return the names of methods; those of shipped weights say so."""
    return [
        f"{method.name} (shipped)"
        if isinstance(method, Denoiser) and is_shipped(method.sha256)
        else method.name
        for method in methods
    ]


def _show(axis: Any, image: npt.NDArray[Any], title: str) -> None:
    height, width = image.shape[:2]
    top, left = max((height - CROP) // 2, 0), max((width - CROP) // 2, 0)
    shown = metrics.quantise(image)[top : top + CROP, left : left + CROP].astype(np.uint8)
    axis.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()


def curves(histories: Sequence[Path], out: Path) -> None:
    """Draw the loss of each training over its steps.

    Parameters
    ----------
    histories : sequence of Path
        CSV files of ``step,loss,learning_rate,seconds``; each is named by its folder. Squared
        errors and logarithms of them have an axis each.
    out : Path
        A .png file.

    Raises
    ------
    RestoreError
        A file is missing or holds something else.
    """
    import pandas as pd
    from matplotlib.figure import Figure

    read = {}
    for path in histories:
        try:
            frame = pd.read_csv(path)
            read[path] = frame["step"], frame["loss"]
        except (OSError, ValueError, KeyError) as error:
            raise RestoreError(f"{path}: expected a training history (step,loss,...)") from error
    # No squared error is 0 or less; the logarithm of one is.
    kinds = {path: "linear" if (loss <= 0).any() else "log" for path, (_, loss) in read.items()}
    scales = sorted(set(kinds.values()), reverse=True)
    figure = Figure(figsize=(7 if len(scales) == 1 else 11, 4), layout="constrained")
    for axis, scale in zip(figure.subplots(1, len(scales), squeeze=False)[0], scales, strict=True):
        for path in (path for path in read if kinds[path] == scale):
            steps, loss = read[path]
            (line,) = axis.plot(steps, loss, linewidth=0.6, alpha=0.35)
            smooth = loss.rolling(9, min_periods=1, center=True).mean()
            name = f"{path.parent.name}, {path.stem}"
            axis.plot(steps, smooth, color=line.get_color(), label=name)
        what = "half a patch's squared error" if scale == "log" else "logarithm of squared errors"
        axis.set(xlabel="optimizer step", ylabel=f"loss: {what}", yscale=scale)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle("Training curves")
    with atomic(out) as part:
        figure.savefig(part, dpi=110)
