"""Batches of windows for training, and their loss."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from engine import orientation as orientations
from hsi.classifiers.protocol import Training
from hsi.classifiers.recipe import Recipe
from hsi.errors import HsiError
from hsi.features.projection import Projection
from hsi.networks.window_network import WindowNetwork
from hsi.networks.windows import Windows, padded

Batch = tuple[Windows, Tensor, Tensor]

FIELD = 16  # pixels between the points at which illumination is drawn


class Examples:
    """The batches of a training and their loss.

    Parameters
    ----------
    training : Training
    cube : ndarray (H, W, K), float32
        The components of the scene.
    pca : Projection
        Of these components.
    window : int
    recipe : Recipe
    paired : bool
        No batch is of one window, which batch normalisation cannot train on (see `Batches`).
    """

    def __init__(
        self,
        training: Training,
        cube: npt.NDArray[np.float32],
        pca: Projection,
        window: int,
        recipe: Recipe,
        *,
        paired: bool = False,
    ) -> None:
        self.device = training.compute.device
        self.padded = padded(cube, window).to(self.device)
        self.half, self.recipe = window // 2, recipe
        # Components are zero where a pixel holds no data, in training as in the map.
        self.data = torch.from_numpy((cube != 0).any(axis=2)).to(self.device)
        self.dark = torch.from_numpy(pca.of_nothing()).float().to(self.device)[:, None, None]
        self.batches = Batches(training, paired=paired)

    def draw(self, step: int, generator: torch.Generator) -> Batch:
        """Return the windows of a step, their classes, and the scene that they are cut from."""
        # The order of an epoch is drawn once per epoch; the generator is for what each step draws.
        windows, targets = self.batches.draw(step)
        if self.recipe.dihedral:
            drawn = torch.randint(orientations.COUNT, (len(targets),), generator=generator)
            windows = Windows(windows.rows, windows.columns, drawn.numpy())
        return windows, torch.from_numpy(targets).to(self.device), self.varied(generator)

    def varied(self, generator: torch.Generator) -> Tensor:
        """Return the padded scene with the recipe's noise and illumination.

        What lies beyond the scene, or holds no data, stays zero, as in the map.
        """
        noise, illumination = self.recipe.component_noise, self.recipe.illumination
        if not (noise or illumination):
            return self.padded
        half, scene = self.half, self.padded.clone()
        inner = scene[:, half : scene.shape[1] - half, half : scene.shape[2] - half]
        if illumination:
            height, width = inner.shape[1:]
            points = torch.randn(
                (1, 1, height // FIELD + 2, width // FIELD + 2), generator=generator
            )
            field = nn.functional.interpolate(points, (height, width), mode="bicubic")[0]
            change = (illumination * field).to(self.device) * self.data  # (1, H, W)
            inner.add_(change * (inner - self.dark))
        if noise:
            drawn = torch.randn(inner.shape, generator=generator).to(self.device)
            inner.add_(drawn * self.data, alpha=noise)
        return scene

    def loss(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of a batch, and how many of its pixels are right.

        The losses of a network's auxiliary heads are added, each with its weight.
        """
        assert isinstance(network, WindowNetwork)
        windows, targets, scene = batch
        logits = windows.logits(network, scene)
        value = self._cross_entropy(logits, targets)
        for share, inner in network.auxiliary():
            value = value + share * self._cross_entropy(inner, targets)
        return value, (logits.argmax(1) == targets).sum()

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(
            logits.float(), targets, label_smoothing=self.recipe.label_smoothing
        )


class Batches:
    """Training pixels in batches: each pixel once per epoch, in an order drawn from the seed.

    How an epoch is cut into batches is the schedule's
    (see `hsi.classifiers.schedules.WindowSchedule`).

    Parameters
    ----------
    training : Training
    paired : bool
        A last batch that is left with one window takes along the window before it.

    Raises
    ------
    HsiError
        The schedule's batches are of one window, and `paired` asks for two.
    """

    def __init__(self, training: Training, *, paired: bool = False) -> None:
        self.pixels = np.argwhere(training.split.train)
        self.targets = training.targets
        self.schedule = training.schedule
        self.per_epoch = self.schedule.batches_per_epoch(len(self.targets))
        self.seed = training.seed
        self.least = 2 if paired else 1
        if self.schedule.batch_size < self.least:
            raise HsiError(
                f"schedule {self.schedule.name}: batch_size: expected at least 2 windows for a "
                f"network with batch normalisation, found {self.schedule.batch_size}; use more"
            )
        self._order = lru_cache(maxsize=2)(self._permutation)

    def draw(self, step: int) -> tuple[Windows, npt.NDArray[np.int64]]:
        """Return the windows of a step and the classes of their centres."""
        epoch, batch = divmod(step, self.per_epoch)
        order = self._order(epoch)
        if self.schedule.short_batch:
            start = batch * self.schedule.batch_size
            stop = min(start + self.schedule.batch_size, len(order))
        else:
            size, longer = divmod(len(order), self.per_epoch)  # as np.array_split cuts
            start = batch * size + min(batch, longer)
            stop = start + size + (batch < longer)
        chosen = order[max(0, min(start, stop - self.least)) : stop]
        rows, columns = self.pixels[chosen].T
        return Windows(rows, columns), self.targets[chosen]

    def _permutation(self, epoch: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng([self.seed, epoch]).permutation(len(self.targets))
