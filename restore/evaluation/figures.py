"""Pictures for the report: before/after strips."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.artifacts import atomic, atomic_folder, remove_folder, write_json
from restore.errors import RestoreError
from restore.evaluation import metrics
from restore.evaluation.methods import Method
from restore.evaluation.protocol import PUBLISHED
from restore.evaluation.real_pairs import RealPairs
from restore.evaluation.real_pairs import check as check_pairs
from restore.evaluation.restorations import Test, restorations
from restore.image_sets.find import ImageSet
from restore.networks.denoiser import Denoiser
from restore.networks.shipped import is_shipped

CROP = 192  # pixels shown of each image, each way
PANEL = 256  # pixels of a picture of its own, each way
PANELS = "panels.json"


class Panel(NamedTuple):
    """One picture of a strip; `kind` is 'original', 'input' or 'method'."""

    name: str
    kind: str
    pixels: npt.NDArray[Any]
    psnr: float | None


def strip(
    methods: Sequence[Method],
    chosen: ImageSet,
    test: Test,
    out: Path,
    *,
    seed: int,
    degraded_folder: Path | None = None,
    images: int = 2,
    panels: Path | None = None,
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
    panels : Path, optional
        Folder for the same pictures as files of their own, larger and without titles: the middle
        of each at its own size as PNG, and `panels.json`, which lists them. An earlier one is
        replaced.

    Raises
    ------
    RestoreError
        There is no method, or `panels` is there and holds something else.
    """
    from matplotlib.figure import Figure

    if panels is not None:
        check_panels(panels)
    if not methods:
        raise RestoreError("strip: expected at least one model")
    head = ImageSet(chosen.name, chosen.items[:images], chosen.noisy[:images])
    if isinstance(test, RealPairs):
        check_pairs(head, PUBLISHED)
    made = [list(restorations(method, head, test, seed, degraded_folder)) for method in methods]
    names = [str(test), *_names(methods)]
    rows: dict[str, list[Panel]] = {}
    for row in zip(*made, strict=True):
        item, first, _ = row[0]
        scored = [(first, first.observed), *((case, output) for _, case, output in row)]
        rows[item.name] = [Panel(item.name, "original", first.target, None)]
        for (case, values), name in zip(scored, names, strict=True):
            kind = "method" if len(rows[item.name]) > 1 else "input"
            psnr = metrics.psnr(case.target, values, case.border, white=metrics.WHITE)
            rows[item.name].append(Panel(name, kind, values, psnr))
    columns = 1 + len(names)
    figure = Figure(figsize=(2.6 * columns, 2.85 * len(head)), layout="constrained")
    axes = figure.subplots(len(head), columns, squeeze=False)
    for line, row_panels in zip(axes, rows.values(), strict=True):
        for axis, panel in zip(line, row_panels, strict=True):
            title = panel.name if panel.psnr is None else f"{panel.name}: {panel.psnr:.2f} dB"
            _show(axis, panel.pixels, title)
    with atomic(out) as part:
        figure.savefig(part, dpi=110)
    if panels is not None:
        _write_panels(panels, rows)


def check_panels(folder: Path) -> None:
    """Refuse a folder for panels that holds something else, before any work."""
    if (
        folder.exists()
        and not (folder / PANELS).is_file()
        and (not folder.is_dir() or any(folder.iterdir()))
    ):
        raise RestoreError(
            f"`panels` {folder}: expected a new folder or one of an earlier strip, found something "
            "else; name another"
        )


def _write_panels(folder: Path, rows: dict[str, list[Panel]]) -> None:
    """Write the pictures of a strip as files, and the list of them, all or none."""
    listed = []
    remove_folder(folder)
    with atomic_folder(folder) as part:
        for row, (name, row_panels) in enumerate(rows.items()):
            images = list(_saved(part, row, row_panels))
            listed.append({"name": name, "panels": images})
        write_json(part / PANELS, {"images": listed})


def _saved(folder: Path, row: int, row_panels: Sequence[Panel]) -> Iterator[dict[str, Any]]:
    for column, panel in enumerate(row_panels):
        file = f"{row}-{column}.png"
        Image.fromarray(_middle(panel.pixels, PANEL)).save(folder / file)
        psnr = None if panel.psnr is None or not np.isfinite(panel.psnr) else round(panel.psnr, 4)
        yield {"name": panel.name, "kind": panel.kind, "psnr_db": psnr, "file": file}


def _names(methods: Sequence[Method]) -> list[str]:
    """Return the names of methods; those of shipped weights say so."""
    return [
        f"{method.name} (shipped)"
        if isinstance(method, Denoiser) and is_shipped(method.sha256)
        else method.name
        for method in methods
    ]


def _show(axis: Any, image: npt.NDArray[Any], title: str) -> None:
    axis.imshow(_middle(image, CROP), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()


def _middle(image: npt.NDArray[Any], side: int) -> npt.NDArray[np.uint8]:
    """Return the middle of an image, at most `side` pixels each way, in 8 bit."""
    top, left = (max((length - side) // 2, 0) for length in image.shape[:2])
    shown = metrics.quantise(image)[top : top + side, left : left + side]
    return np.ascontiguousarray(shown.astype(np.uint8))
