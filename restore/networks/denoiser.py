"""Denoisers by name or file: the shipped weights, and those people train or import."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.artifacts import load_tensors, save_tensors, sha256_file, versions
from engine.device import Compute
from engine.errors import UserError
from engine.training.schedule import in_words
from restore.errors import RestoreError
from restore.networks import streaming
from restore.networks.dncnn import Architecture, DnCNN

DEFAULT_TILE = 512


@dataclass(frozen=True)
class Denoiser:
    """A network ready to run, and where it came from.

    Attributes
    ----------
    name : str
        Its variant, such as 'dncnn-s-25'.
    network : DnCNN
        Folded, on the device, in evaluation mode.
    description : dict
        From the weights file.
    sha256 : str
        Of the weights file.
    compute : Compute
    """

    name: str
    network: DnCNN
    description: dict[str, Any]
    sha256: str
    compute: Compute

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return self.network.architecture.channels

    @property
    def schedule(self) -> str:
        """Name and length of the schedule that made the weights, for tables."""
        return describe_schedule(self.description)

    @property
    def learned_from(self) -> tuple[str, ...]:
        """Names of the image sets that it was trained on; empty where that is not known."""
        return tuple(self.description.get("training", {}).get("sets", ()))

    def origin(self) -> dict[str, Any]:
        """Name the weights and what made them, those that they started from included."""
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
            The number of channels differs.
        """
        planes = degraded[None] if degraded.ndim == 2 else degraded.transpose(2, 0, 1)
        if len(planes) != self.channels:
            raise RestoreError(
                f"model {self.name}: expected an image of {self.channels} channels, "
                f"found {len(planes)}; use a {'colour' if len(planes) == 3 else 'grey'} model"
            )
        tensor = torch.from_numpy(np.ascontiguousarray(planes, dtype=np.float32) / 255)
        restored = restore(self.network, tensor[None], self.compute, side=side)[0]
        values = restored.numpy().astype(np.float64) * 255
        return values[0] if degraded.ndim == 2 else values.transpose(1, 2, 0)


def shipped() -> dict[str, Path]:
    """Return the weights that come with the package, by name."""
    folder = Path(str(files("restore"))) / "weights"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def is_shipped(sha256: str) -> bool:
    """Tell whether weights of this checksum come with the package."""
    return sha256 in {sha256_file(path) for path in shipped().values()}


def find(name_or_file: str) -> Path:
    """Return the weights file that a name or a path means.

    Raises
    ------
    RestoreError
        Neither a shipped name nor a file.
    """
    known = shipped()
    if name_or_file in known:
        return known[name_or_file]
    path = Path(name_or_file)
    if path.is_file():
        return path
    names = ", ".join(known) or "none yet, train one with `restore train`"
    raise RestoreError(
        f"model '{name_or_file}': expected a .safetensors file or a shipped name ({names})"
    )


def load(name_or_file: str, compute: Compute) -> Denoiser:
    """Load a denoiser onto the device.

    Raises
    ------
    RestoreError
        No such model, or the file holds no DnCNN.
    """
    path = find(name_or_file)
    tensors, description = load_tensors(path)
    try:
        network = DnCNN(Architecture(**description["architecture"]))
        network.load_state_dict(tensors)
        name = str(description["variant"])
    except (KeyError, TypeError, RuntimeError, UserError) as error:
        raise RestoreError(
            f"{path}: expected the weights of a DnCNN as `restore train` writes them, "
            "found other contents"
        ) from error
    network = network.eval().to(compute.device)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Denoiser(name, network, description, sha256_file(path), compute)


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
        The file is missing, damaged, carries code, or holds another network.
    """
    from restore.networks.published_weights import import_weights

    tensors, found = import_weights(published)
    shape = Architecture(
        found["depth"], found["channels"], found["features"], batch_norm=False, residual=True
    )
    network = DnCNN(shape)
    network.load_state_dict(tensors)
    save(out, network, found["variant"], {"published": found})
    return str(found["variant"])


def describe_schedule(description: dict[str, Any]) -> str:
    """Say which schedule made the weights, and how long it was: 'demo (600 steps)'."""
    return in_words(description.get("training", {}).get("schedule")) or "as published"


@dataclass(frozen=True)
class Tile:
    """One tile of an axis pair: what is read, and which part of it is kept.

    Attributes
    ----------
    read, kept : tuple of slice
        Rows and columns of the image.
    inside : tuple of slice
        Where `kept` lies in `read`.
    """

    read: tuple[slice, slice]
    kept: tuple[slice, slice]
    inside: tuple[slice, slice]


def tiles(
    height: int,
    width: int,
    side: int,
    halo: int,
    *,
    within: tuple[slice, slice] | None = None,
) -> Iterator[Tile]:
    """Cut an image into tiles of at most `side` pixels, row by row.

    Parameters
    ----------
    height, width : int
        Of the image.
    side : int
        Largest height and width of the kept part.
    halo : int
        Pixels read beyond it.
    within : (slice, slice), optional
        Rows and columns that are cut up; by default all.
    """
    region = within or (slice(0, height), slice(0, width))
    for rows in _spans(region[0], side):
        for columns in _spans(region[1], side):
            read = _widened(rows, halo, height), _widened(columns, halo, width)
            inside = _within(rows, read[0]), _within(columns, read[1])
            yield Tile(read, (rows, columns), inside)


def _spans(whole: slice, side: int) -> Iterator[slice]:
    for start in range(whole.start, whole.stop, side):
        yield slice(start, min(start + side, whole.stop))


def _widened(span: slice, halo: int, length: int) -> slice:
    return slice(max(span.start - halo, 0), min(span.stop + halo, length))


def _within(span: slice, outer: slice) -> slice:
    return slice(span.start - outer.start, span.stop - outer.start)


@torch.inference_mode()
def restore(
    network: DnCNN, degraded: Tensor, compute: Compute, *, side: int = DEFAULT_TILE
) -> Tensor:
    """Restore images tile by tile; equal to one pass, for any tile.

    Parameters
    ----------
    network : DnCNN
        With its normalisation folded, on the device.
    degraded : Tensor (B, C, H, W)
        float32, 0..1; may lie on the CPU.
    compute : Compute
    side : int
        Largest side of a tile, in pixels; 0 for one pass.

    Returns
    -------
    Tensor (B, C, H, W)
        float32 on the device of `degraded`, neither clipped nor rounded.
    """
    height, width = degraded.shape[2:]
    side = side or max(height, width)
    restored = torch.empty_like(degraded)
    for tile in tiles(height, width, side, network.architecture.depth):
        window = degraded[:, :, *tile.read].to(compute.device)
        window = window.contiguous(memory_format=torch.channels_last)
        with compute.autocast():
            output = streaming.evaluate(network, window)
        restored[:, :, *tile.kept] = output[:, :, *tile.inside].to(restored.device)
    return restored
