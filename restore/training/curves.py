"""Training curves as a picture. It does not import torch."""

from collections.abc import Sequence
from pathlib import Path

from engine.artifacts import atomic
from restore.errors import RestoreError


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
