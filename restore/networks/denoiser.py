"""Denoisers by name or file: the shipped weights, and those people train or import."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.artifacts import versions
from engine.device import Compute, pick
from engine.tensors import as_tensors, save_tensors
from restore.errors import RestoreError
from restore.networks import shipped, weights_file
from restore.networks.dncnn import DnCNN
from restore.networks.inference import streaming
from restore.networks.tiles import Tiles
from restore.networks.variants import Architecture

DEFAULT_TILE = 512


@dataclass(frozen=True)
class Denoiser:
    """A network ready to run, and where it came from; `load_model` returns one.

    Called with a degraded image it returns the restored one.

    Attributes
    ----------
    name : str
        Its variant, such as 'dncnn-s-25'.
    network : DnCNN
        Folded, on the device, in evaluation mode.
    description : dict
        From the weights file.
    sha256 : str
        Of the tensors and their architecture (`weights_file.identity`), not of the file, which also
        tells how long it took to train them.
    compute : Compute
        Device and precision.
    engine : callable, optional
        What runs the network in place of PyTorch (`restore.networks.engines`), on the CPU.

    Examples
    --------
    >>> import numpy as np, restore
    >>> model = restore.load_model("dncnn-s-25", device="cpu")
    >>> noisy = np.random.default_rng(0).normal(128, 25, (40, 40))
    >>> restored = model(noisy)
    >>> restored.shape, restored.dtype
    ((40, 40), dtype('float64'))
    >>> bool(restored.std() < 5)
    True
    """

    name: str
    network: DnCNN
    description: dict[str, Any]
    sha256: str
    compute: Compute
    engine: Callable[[Tensor], Tensor] | None = None

    @property
    def channels(self) -> int:
        """Return 1 for grey, 3 for colour."""
        return self.network.architecture.channels

    @property
    def schedule(self) -> str:
        """Return name and length of the schedule that made the weights, for tables."""
        return weights_file.describe_schedule(self.description)

    @property
    def learned_from(self) -> tuple[str, ...]:
        """Return the names of the image sets it was trained on; empty where they are not known."""
        return tuple(self.description.get("training", {}).get("sets", ()))

    def origin(self) -> dict[str, Any]:
        """Return the weights' name and what made them, the weights they started from included."""
        training = self.description.get("training", {})
        return {
            "weights": self.name,
            "sha256": self.sha256,
            "schedule": self.schedule,
            "start": training.get("start"),
        }

    def __call__(
        self, degraded: npt.NDArray[Any], *, side: int = DEFAULT_TILE
    ) -> npt.NDArray[np.float64]:
        """Restore one image.

        Parameters
        ----------
        degraded : ndarray (H, W) or (H, W, 3)
            On the 0..255 scale, as many channels as the network has.
        side : int
            Largest side of a tile, in pixels; 0 for one pass.

        Returns
        -------
        ndarray
            The same shape, float64, neither clipped nor rounded.

        Raises
        ------
        RestoreError
            The number of channels differs, or a value of the result is not finite.
        """
        found = 1 if degraded.ndim == 2 else degraded.shape[2]
        if found != self.channels:
            raise RestoreError(
                f"model {self.name}: expected an image of {self.channels} channels, "
                f"found {found}; use a {'colour' if found == 3 else 'grey'} model"
            )
        values = np.array(degraded, dtype=np.float32) / 255
        shape = self.network.architecture
        tiles = Tiles(side, shape.halo, self.compute.device, shape.unshuffle)
        tiles([values], self._restored)
        if not np.isfinite(values).all():
            raise RestoreError(f"model {self.name}: expected finite values, found NaN or infinite")
        return values.astype(np.float64) * 255

    @torch.inference_mode()
    def restore_batch(self, degraded: Tensor) -> Tensor:
        """Restore a batch in one pass, at the precision of `compute`.

        Parameters
        ----------
        degraded : Tensor (B, C, H, W)
            float32, 0..1, on the device.

        Returns
        -------
        Tensor (B, C, H, W)
            float32, neither clipped nor rounded.
        """
        if self.engine is not None:
            return self.engine(degraded)
        laid_out = degraded.contiguous(memory_format=torch.channels_last)
        with self.compute.autocast():
            return streaming.evaluate(self.network, laid_out)

    def _restored(self, windows: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        planes = np.stack([np.atleast_3d(window).transpose(2, 0, 1) for window in windows])
        restored = self.restore_batch(torch.from_numpy(planes).to(self.compute.device))
        values = restored.cpu().numpy().transpose(0, 2, 3, 1)
        return [one.reshape(window.shape) for one, window in zip(values, windows, strict=True)]


def load_model(
    name_or_file: str | Path, *, device: str = "auto", precision: str = "auto"
) -> Denoiser:
    """Load a denoiser, to be used for many images.

    Parameters
    ----------
    name_or_file : str or Path
        One of `shipped_models`, or a .safetensors file of `restore train` or `restore import`.
    device : str, optional
        'auto' (CUDA where there is a GPU), 'cpu', 'cuda' or 'cuda:N'.
    precision : {'auto', 'float32', 'bf16'}, optional
        'auto' is bf16 where the hardware is faster with it.

    Returns
    -------
    Denoiser

    Raises
    ------
    RestoreError
        No such model, or the file holds no DnCNN.
    UserError
        The device is not there.

    Examples
    --------
    >>> import restore
    >>> model = restore.load_model("dncnn-b-color", device="cpu")
    >>> model.name, model.channels
    ('dncnn-b-color', 3)
    """
    return load(str(name_or_file), pick(device, precision))


def load(name_or_file: str, compute: Compute) -> Denoiser:
    """Load a denoiser onto the device of `compute`.

    Raises
    ------
    RestoreError
        No such model, or the file holds no DnCNN.
    """
    path = shipped.find(name_or_file)
    stored, description, architecture = weights_file.stored(path)
    network = DnCNN(architecture)
    network.load_state_dict(as_tensors(stored))
    sha256 = weights_file.identity(stored, description)
    name = description["variant"]
    network = network.eval().to(compute.device)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Denoiser(name, network, description, sha256, compute)


def save(out: Path, network: DnCNN, name: str, origin: Mapping[str, Any]) -> str:
    """Write folded weights with their description.

    Parameters
    ----------
    out : Path
        A .safetensors file.
    network : DnCNN
        With its normalisation folded.
    name : str
        The variant.
    origin : mapping
        What made the weights, JSON-serialisable.

    Returns
    -------
    str
        SHA-256 of the file.
    """
    description = {
        "kind": "dncnn",
        "variant": name,
        "architecture": asdict(network.architecture),
        "versions": versions(),
        **origin,
    }
    return save_tensors(out, network.state_dict(), description)


def import_published(published: Path, out: Path) -> str:
    """Turn published weights (.mat of MatConvNet, .pth of PyTorch) into a .safetensors file.

    Returns
    -------
    str
        The variant that was recognised.

    Raises
    ------
    RestoreError
        The file is missing, damaged, carries code, holds another network, or removes no noise.
    """
    from restore.networks import self_test
    from restore.networks.published_weights import import_weights

    tensors, found = import_weights(published)
    shape = Architecture(
        found["depth"], found["channels"], found["features"], batch_norm=False, residual=True
    )
    tensors, shape, sense = self_test.tried(tensors, shape, published)
    found |= {"residual": shape.residual, "sense": sense}
    network = DnCNN(shape)
    network.load_state_dict(tensors)
    save(out, network, found["variant"], {"published": found})
    return str(found["variant"])
