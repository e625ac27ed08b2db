"""A folder through `restore denoise`, against the loop that people write for it."""

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.goals import FOLDER
from benchmarks.side_by_side import Row, counted, in_turn, machine
from engine.device import Compute
from restore.degradations import degradation
from restore.evaluation import pairs
from restore.folders.folder import denoise_files
from restore.folders.options import FolderOptions
from restore.image_sets.find import image_set
from restore.images import files
from restore.images.picture import Picture
from restore.networks import denoiser
from restore.networks.dncnn import DnCNN

MODEL = "dncnn-s-25"
SIZE = (321, 481)  # of BSD68's images, in rows and columns
FEW, MANY = 12, 100  # images where a network is slow (a minute on two AVX2 cores), and fast
TURNS = 4  # of each way, for a machine's speed changes within minutes
_SIGMA = 25.0
# Four sigmas from black and white, and no draw beyond 3.8: nothing is cut off that ours would mend.
_RANGE, _FARTHEST = (100.0, 155.0), 3.8


def rows(compute: Compute, count: int | None = None) -> Iterator[Row]:
    """Measure folders of noisy grey PNGs, files and all, both ways in turn.

    Parameters
    ----------
    compute : Compute
    count : int, optional
        Images; by default as many as take some minutes.
    """
    slow = compute.device.type == "cpu" and compute.precision == "float32"
    with tempfile.TemporaryDirectory() as folder:
        yield throughput(compute, Path(folder), count or (FEW if slow else MANY))


def throughput(
    compute: Compute,
    folder: Path,
    count: int,
    *,
    model: str = MODEL,
    size: tuple[int, int] = SIZE,
) -> Row:
    """Denoise the same files both ways, and compare what is read back from the outputs.

    Parameters
    ----------
    compute : Compute
    folder : Path
        An empty one.
    count : int
        Images, in as many folders as there are turns.
    model : str
        A shipped name or a weights file, grey.
    size : (int, int)
        Rows and columns of an image.

    Returns
    -------
    Row
        The difference is in grey levels. One image warms each way up first.
    """
    exact = replace(compute, precision="float32")
    plain = unfolded(denoiser.load(model, exact).network)

    def baseline(source: Path, target: Path) -> None:
        one_by_one(plain, source, target, exact)

    def ours(source: Path, target: Path) -> None:
        denoise_files(source, target, model, FolderOptions(), lambda: compute)

    write_noisy(folder / "one", 1, size)
    turns = min(TURNS, count)
    for turn in range(turns):
        write_noisy(folder / "all" / str(turn), len(range(turn, count, turns)), size)
    work, begun = {}, {}
    for way in (baseline, ours):
        out = folder / way.__name__
        work[way.__name__] = count * _work(way, folder / "one", out / "one")
        begun[way.__name__] = _next_of(way, folder / "all", out)
    seconds = {name: sum(spent) for name, spent in in_turn(begun, turns).items()}
    difference = max(
        int(np.abs(_pixels(path) - _pixels(folder / "ours" / path.parent.name / path.name)).max())
        for path in (folder / "baseline").glob("[0-9]*/*")
    )
    per_second = [count * math.prod(size) / 1e6 / spent for spent in seconds.values()]
    rates = [work[way] / spent / 1e9 for way, spent in seconds.items()]
    ratio = seconds["baseline"] / seconds["ours"]
    row = Row(
        "restore folder",
        f"{MODEL}, {count} grey 8-bit PNGs of {size[1]}x{size[0]} read, denoised and written, in "
        f"{turns} turns: one at a time (eager contiguous float32, unfolded) against restore "
        f"denoise (channels_last {compute.precision}, folded, in batches, files read and written "
        f"meanwhile, journal); {per_second[0]:.3g} against {per_second[1]:.3g} megapixels/s; "
        f"{rates[0]:.0f} against {rates[1]:.0f} GFLOP/s; the difference is in grey levels",
        round(seconds["baseline"], 5),
        round(seconds["ours"], 5),
        round(ratio, 2),
        float(difference),
        machine(compute),
    )
    return row.judged(FOLDER, ratio)


@torch.inference_mode()
def one_by_one(network: nn.Module, source: Path, target: Path, compute: Compute) -> None:
    """Read, restore and write one image after the other, as KAIR's main_test_dncnn.py does."""
    from skimage import io

    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        noisy = io.imread(path).astype(np.float32) / 255
        planes = torch.from_numpy(noisy)[None, None].to(compute.device)
        restored = network(planes)[0, 0].clamp(0, 1).cpu().numpy()
        io.imsave(target / path.name, np.uint8((restored * 255).round()), check_contrast=False)


def unfolded(network: DnCNN) -> DnCNN:
    """Return an equal network that normalises after each inner convolution, as published ones."""
    shape = replace(network.architecture, batch_norm=True)
    plain = DnCNN(shape).to(next(network.parameters()).device)
    plain.load_state_dict(network.state_dict(), strict=False)
    with torch.no_grad():
        for conv, norm in zip(plain.convolutions()[1:-1], plain.norms, strict=True):
            assert isinstance(norm, nn.BatchNorm2d)
            assert conv.bias is not None
            norm.weight.fill_((1 + norm.eps) ** 0.5)  # its running variance is 1
            norm.bias.copy_(conv.bias)
            conv.bias.zero_()
    return plain.eval()


def write_noisy(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Write noisy crops of the embedded photographs as 8-bit grey PNGs.

    Parameters
    ----------
    folder : Path
    count : int
    size : (int, int)
        Rows and columns.
    """
    rng = np.random.default_rng(0)
    noise = degradation.parse("noise:0")
    height, width = size
    clean_ones = (
        pairs.pair(item.load(), noise, seed=0, name=item.name).target
        for item in image_set("embedded-test").items
    )
    photographs = [x for x in clean_ones if x.shape[0] >= height and x.shape[1] >= width]
    low, high = _RANGE
    for number in range(count):
        photograph = photographs[number % len(photographs)]
        top = rng.integers(0, photograph.shape[0] - height + 1)
        left = rng.integers(0, photograph.shape[1] - width + 1)
        clean = photograph[top : top + height, left : left + width]
        noise_drawn = _SIGMA * rng.normal(size=size).clip(-_FARTHEST, _FARTHEST)
        noisy = low + clean * (high - low) / 255 + noise_drawn
        pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        files.write(folder / f"{number:04}.png", Picture(pixels))


def _next_of(way: Callable[[Path, Path], None], source: Path, target: Path) -> Callable[[], None]:
    """Return what runs a way on the next folder of `source` at each call."""
    folders = iter(sorted(source.iterdir()))

    def run() -> None:
        folder = next(folders)
        way(folder, target / folder.name)

    return run


def _work(way: Callable[[Path, Path], None], source: Path, target: Path) -> int:
    """Run a way on a folder to warm it up, and count its multiplications and additions."""

    def run() -> Tensor:
        way(source, target)
        return torch.zeros(())

    return counted(run)[1]


def _pixels(path: Path) -> NDArray[np.int32]:
    return files.read(path).pixels.astype(np.int32)
