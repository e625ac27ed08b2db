"""What is scored: weights, classical baselines, and `auto`, the whole of `restore denoise`."""

import glob
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from engine.device import Compute, pick
from engine.errors import Partial
from restore.degradations.degradation import Degradation
from restore.errors import RestoreError
from restore.evaluation import baselines
from restore.folders import listing
from restore.folders.folder import denoise_files
from restore.folders.options import FolderOptions
from restore.images import files
from restore.networks.denoiser import Denoiser, load
from restore.networks.shipped import identity_of, shipped_models


class Baseline:
    """A classical method behind the interface of `Denoiser`.

    Parameters
    ----------
    name : str
        A key of `restore.evaluation.baselines.BASELINES`.
    """

    sha256 = ""
    channels = 1
    schedule = "none"
    learned_from = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self._method = baselines.method(name)

    def restore(
        self, observed: npt.NDArray[np.float64], degradation: Degradation
    ) -> npt.NDArray[np.float64]:
        """Denoise an image whose noise level is known."""
        if degradation.kind != "noise":
            raise RestoreError(f"model {self.name}: expected noise, found {degradation}")
        estimate: npt.NDArray[np.float64] = self._method(observed, degradation.level)
        return estimate


class Automatic:
    """`restore denoise` without options: it chooses among the shipped weights for each file.

    Parameters
    ----------
    compute : Compute

    Attributes
    ----------
    sha256 : str
        Of the checksums of all weights that there are to choose from.
    """

    name = "auto"
    schedule = "none"
    learned_from = ()

    def __init__(self, compute: Compute) -> None:
        self.compute = compute
        known = sorted(identity_of(path) for path in shipped_models().values())
        self.sha256 = hashlib.sha256("".join(known).encode()).hexdigest()

    def denoised(self, paths: Sequence[Path]) -> Iterator[npt.NDArray[np.float64]]:
        """Denoise files of one folder, and yield what is read back from the outputs.

        Parameters
        ----------
        paths : sequence of Path

        Yields
        ------
        ndarray (H, W) or (H, W, 3), float64
            On the 0..255 scale, without alpha; floats as they are in their file.

        Raises
        ------
        RestoreError
            A file cannot be denoised; the log gives the reason.
        """
        folder = paths[0].parent
        names = {path.name for path in paths}
        others = tuple(
            glob.escape(path.name) for path in folder.iterdir() if path.name not in names
        )
        with TemporaryDirectory(prefix="restore-auto-") as made:
            out = Path(made) / "denoised"
            jobs = {job.name: job for job in listing.folder(folder, out, exclude=others)}
            for path in paths:
                if path.name not in jobs:
                    raise RestoreError(
                        f"{path}: expected a file, found a link out of its folder, which `restore "
                        "denoise` does not follow; put a copy there"
                    )
            try:
                options = FolderOptions(exclude=others)
                denoise_files(folder, out, "auto", options, lambda: self.compute)
            except Partial as error:
                raise RestoreError(
                    f"{folder}: expected images that `restore denoise` can denoise; the log names "
                    "those that it cannot, each with its reason; take them out"
                ) from error
            for path in paths:
                picture = files.read(jobs[path.name].target)
                floats = picture.pixels.dtype == np.float32
                yield (picture.pixels if floats else files.as_uint8(picture)).astype(np.float64)


Method = Denoiser | Baseline | Automatic


def load_methods(names: Sequence[str], device: str, precision: str) -> list[Method]:
    """Return weights, by name or file, baselines and 'auto', ready to run."""
    compute = pick(device, precision)
    return [_method(name, compute) for name in names]


def _method(name: str, compute: Compute) -> Method:
    if name == Automatic.name:
        return Automatic(compute)
    return Baseline(name) if name in baselines.BASELINES else load(name, compute)


def precision(method: Method) -> str:
    """Return the precision that a method computes with."""
    return "float64" if isinstance(method, Baseline) else method.compute.precision


def across_channels(model: Denoiser, observed: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Run a model on an image of any channels, as `restore denoise` does.

    Parameters
    ----------
    model : Denoiser
        A grey one runs on each channel of a colour image by itself, a colour one sees a grey image
        as three equal channels.
    observed : ndarray (H, W) or (H, W, 3)
        On the 0..255 scale.

    Returns
    -------
    ndarray
        Of the same shape, float64, neither clipped nor rounded.
    """
    if observed.ndim == 3 and model.channels == 1:
        return np.stack([model(observed[..., channel]) for channel in range(3)], axis=-1)
    if observed.ndim == 2 and model.channels == 3:
        return np.asarray(model(np.repeat(observed[..., None], 3, axis=-1)).mean(axis=-1))
    return model(observed)
