"""Pictures for the report: before/after strips and training curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import atomic
from restore.degradations.degradation import Degradation
from restore.errors import RestoreError
from restore.evaluation import metrics
from restore.evaluation.benchmark import Baseline, cases, restored
from restore.image_sets.find import ImageSet
from restore.networks.denoiser import Denoiser, is_shipped

CROP = 192  # pixels shown of each image, each way


def strip(
    models: Sequence[Denoiser | Baseline],
    chosen: ImageSet,
    degradation: Degradation,
    out: Path,
    *,
    seed: int,
    degraded_folder: Path | None = None,
    images: int = 2,
) -> None:
    """Draw originals, degraded images and what each model makes of them, side by side.

    Parameters
    ----------
    models : sequence of Denoiser or Baseline
        One column each.
    chosen : ImageSet
        Its first `images` images are shown, the middle of each.
    degradation : Degradation
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

    if not models:
        raise RestoreError("strip: expected at least one model")
    head = ImageSet(chosen.name, chosen.items[:images])
    rows = list(cases(head, degradation, models[0].channels, seed, degraded_folder))
    columns = 2 + len(models)
    figure = Figure(figsize=(2.6 * columns, 2.85 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (item, case) in zip(axes, rows, strict=True):
        scored = [case.observed, *(restored(model, case, degradation) for model in models)]
        names = [str(degradation), *_names(models)]
        _show(line[0], case.target, item.name)
        for axis, values, name in zip(line[1:], scored, names, strict=True):
            psnr = metrics.psnr(case.target, values, case.border)
            _show(axis, values, f"{name}: {psnr:.2f} dB")
    with atomic(out) as part:
        figure.savefig(part, dpi=110)


def _names(models: Sequence[Denoiser | Baseline]) -> list[str]:
    """Return the names of models, with "(shipped)" after those of shipped weights."""
    return [
        f"{model.name} (shipped)"
        if isinstance(model, Denoiser) and is_shipped(model.sha256)
        else model.name
        for model in models
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
