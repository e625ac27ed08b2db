"""The classifiers that look at a window around the pixel, and how they are trained."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from engine.loop import train
from engine.progress import progress
from hsi.classifier import Application, Prediction, Training
from hsi.dense import (
    WindowNetwork,
    Windows,
    automatic_block,
    classify_scene,
    multiply_adds_a_pixel,
    padded,
)
from hsi.errors import HsiError
from hsi.hybridsn import HybridSN
from hsi.reduce import PCA, Reduced, fit_pca
from hsi.scene import Scene
from hsi.schedules import batches_an_epoch

log = logging.getLogger(__name__)

Batch = tuple[Windows, Tensor]
PCA_ARRAYS = ("bands", "mean", "components", "scale")


class HybridSNClassifier:
    """HybridSN on whitened principal components.

    Parameters
    ----------
    window : int
        Odd side of the window, in pixels.
    components : int
        Principal components K: 30 for Indian Pines, 15 for Pavia University and Salinas [1]_.

    References
    ----------
    .. [1] S. K. Roy et al., "HybridSN", IEEE GRSL 17(2), 2020.
    """

    name: ClassVar[str] = "hybridsn"
    stepwise: ClassVar[bool] = True

    def __init__(self, window: int = 25, components: int = 30) -> None:
        self.window, self.components = window, components
        self.options = {"window": window, "components": components}
        self.pca: PCA | None = None
        self.architecture: HybridSN | None = None
        self.network: WindowNetwork | None = None

    def fit(self, training: Training) -> float:
        """Project the scene, then train by the schedule; return the seconds of training."""
        self._check(training)
        reduced = training.reduced
        if reduced is None:
            self.pca = fit_pca(training.scene, self.components)
            cube = self.pca.reduce(training.scene)
        else:
            self.pca, cube = reduced.pca, reduced.cube
        self.architecture = HybridSN(
            len(training.labels.classes), self.window, components=cube.shape[2]
        )
        weights = torch.Generator().manual_seed(training.seed)
        self.network = self.architecture.build(weights)
        device = training.compute.device
        scene = padded(cube, self.window).to(device)
        batches = Batches(training)

        def draw(step: int, generator: torch.Generator) -> Batch:
            del generator  # an epoch's order is drawn once, not once a step
            windows, targets = batches.draw(step)
            return windows, torch.from_numpy(targets).to(device)

        def loss(network: nn.Module, batch: Batch) -> Tensor:
            windows, targets = batch
            logits = windows.logits(network, scene)  # type: ignore[arg-type]
            return nn.functional.cross_entropy(logits.float(), targets)

        return train(
            self.network,
            draw,
            loss,
            training.schedule,
            compute=training.compute,
            seed=training.seed,
            checkpoint=training.checkpoint,
            history=training.history,
            label=f"{self.name} {training.scene.name} {training.split.how} seed {training.seed}",
        )

    def predict(self, scene: Scene, application: Application) -> Prediction:
        """Classify every pixel, border included, with the scene zero-padded."""
        assert self.network is not None
        assert self.pca is not None
        cube = self._reduced(scene, application.reduced, self.pca)
        compute = application.compute
        network = self.network.to(compute.device).eval()
        indices = np.empty(scene.shape, np.int64)
        probabilities = None
        side = application.block or automatic_block(network)
        height, width = scene.shape
        count = -(-height // side) * -(-width // side)
        with compute.autocast(), progress(count, f"{self.name} {scene.name}", "blocks") as bar:
            for rows, columns, logits in classify_scene(
                network, cube, block=side, device=compute.device
            ):
                indices[rows, columns] = logits.argmax(0).cpu().numpy()
                if application.probabilities:
                    if probabilities is None:
                        probabilities = np.empty((*scene.shape, len(logits)), np.float32)
                    share = logits.float().softmax(0).movedim(0, -1)
                    probabilities[rows, columns] = share.cpu().numpy()
                bar.advance()
        return Prediction(indices, probabilities)

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Weights and projection."""
        assert self.network is not None
        assert self.pca is not None
        assert self.architecture is not None
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for name in PCA_ARRAYS:
            tensors[f"pca.{name}"] = torch.from_numpy(getattr(self.pca, name))
        settings = {
            "architecture": asdict(self.architecture),
            "pca_fitted_on": self.pca.fitted_on,
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "multiply_adds_a_pixel": multiply_adds_a_pixel(self.network),
        }
        return tensors, settings

    @classmethod
    def load(cls, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Self:
        """Build the network and fill in its weights."""
        chosen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in settings["architecture"].items()
        }
        architecture = HybridSN(**chosen)
        made = cls(architecture.window, architecture.components)
        made.architecture = architecture
        made.network = architecture.build(torch.Generator().manual_seed(0))
        made.network.load_state_dict(
            {
                name.removeprefix("network."): value
                for name, value in tensors.items()
                if name.startswith("network.")
            }
        )
        bands, mean, components, scale = (tensors[f"pca.{key}"].numpy() for key in PCA_ARRAYS)
        made.pca = PCA(bands, mean, components, scale, settings["pca_fitted_on"])
        return made

    def _check(self, training: Training) -> None:
        if self.window > min(training.scene.shape):
            raise HsiError(
                f"{training.scene.name}: expected a scene of at least the window's {self.window} × "
                f"{self.window} pixels, found {training.scene.shape}; use a smaller window"
            )
        if training.reduced is not None:
            training.reduced.check_fits(training.scene)
        if "guard" in training.split.report and self.window > training.split.window:
            log.warning(
                "the split guards windows of %d pixels and the network sees %d: they overlap",
                training.split.window,
                self.window,
            )

    @staticmethod
    def _reduced(scene: Scene, prepared: Reduced | None, pca: PCA) -> npt.NDArray[np.float32]:
        if prepared is None:
            return pca.reduce(scene)
        prepared.check_fits(scene)
        if prepared.pca.checksum() != pca.checksum():
            raise HsiError(
                "reduced scene: expected the model's own projection, found another; leave out "
                "--reduced, or give the file that the model was trained with"
            )
        return prepared.cube


class Batches:
    """Training pixels in batches: each pixel once an epoch, in an order drawn from the seed.

    The batches of an epoch are of equal size, as near to the schedule's as can be: a short last
    batch would be a step as large as the others on the word of a few pixels.
    """

    def __init__(self, training: Training) -> None:
        self.pixels = np.argwhere(training.split.train)
        self.targets = training.targets
        self.an_epoch = batches_an_epoch(len(self.targets), training.schedule.batch_size)
        self.seed = training.seed
        self._order = lru_cache(maxsize=2)(self._permutation)

    def draw(self, step: int) -> tuple[Windows, npt.NDArray[np.int64]]:
        """Return the windows of a step and the classes of their centres."""
        epoch, batch = divmod(step, self.an_epoch)
        chosen = np.array_split(self._order(epoch), self.an_epoch)[batch]
        rows, columns = self.pixels[chosen].T
        return Windows(rows, columns), self.targets[chosen]

    def _permutation(self, epoch: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng([self.seed, epoch]).permutation(len(self.targets))
