"""Classifiers that see a window around each pixel, and how they are trained."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine import orientation as orientations
from engine.tiling import Block
from engine.training.loop import train
from hsi.classifiers.batches import Examples
from hsi.classifiers.model_file import fields_of, projection, projection_tensors
from hsi.classifiers.protocol import Application, Prediction, Training, expect_finite_scores
from hsi.classifiers.recipe import Recipe
from hsi.errors import HsiError
from hsi.features.components import ComponentsFile
from hsi.features.pca import fit_pca
from hsi.features.projection import Projection
from hsi.networks.architecture import Architecture
from hsi.networks.multiply_adds import multiply_adds_per_pixel
from hsi.networks.window_network import WindowNetwork
from hsi.networks.windows import pass_bytes
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene

log = logging.getLogger(__name__)

PREFIX = "pca."  # of the tensors of the projection


class NetworkClassifier:
    """A window network on whitened principal components.

    Parameters
    ----------
    window : int, optional
        Odd side of the window, in pixels; 25 unless the name stands for another.
    components : int, optional
        Principal components K; 30 unless the name stands for a number. The paper takes 30 for
        Indian Pines, and 15 for Pavia University and Salinas [1]_. A name that stands for a number
        takes fewer where the scene has fewer bands.
    **settings
        Fields of `Recipe` and of the architecture.

    Raises
    ------
    HsiError
        `window` is given to a classifier whose name stands for one.

    References
    ----------
    .. [1] S. K. Roy et al., "HybridSN", IEEE GRSL 17(2), 2020.
    """

    name: ClassVar[str]
    stepwise: ClassVar[bool] = True
    kind: ClassVar[type[Architecture]]
    own: ClassVar[Mapping[str, Any]] = {}  # settings that the name stands for

    def __init__(
        self, window: int | None = None, components: int | None = None, **settings: Any
    ) -> None:
        if window is not None and "window" in self.own:
            raise HsiError(
                f"`classifier` {self.name}: its window is {self.own['window']}; leave out `window`"
            )
        self.window: int
        self.components: int
        chosen: dict[str, Any] = {"window": 25, "components": 30, **self.own, **settings}
        chosen |= {"window": window} if window is not None else {}
        chosen |= {"components": components} if components is not None else {}
        self.options, self.asked = dict(chosen), components
        self.at_most = components is None and "components" in self.own
        self.window, self.components = chosen.pop("window"), chosen.pop("components")
        of_recipe = {field.name for field in fields(Recipe)}
        self.recipe = Recipe(**{key: chosen.pop(key) for key in of_recipe & set(chosen)})
        self.shape = chosen
        self.pca: Projection | None = None
        self.architecture: Architecture | None = None
        self.network: WindowNetwork | None = None
        self.kind(classes=2, window=self.window, components=self.components, **chosen)  # checks

    def fit(self, training: Training) -> float:
        """Project the scene and train by the schedule; return the seconds of training."""
        self._check(training)
        reduced = training.reduced
        if reduced is None:
            only = training.split.train if self.recipe.training_pca else None
            count = self.components
            if self.at_most:
                count = min(count, len(training.scene.good_bands))
            self.pca = fit_pca(training.scene, count, training=only)
            cube = self.pca.reduce(training.scene)
        else:
            if self.recipe.training_pca and reduced.pca.fitted_on != "training pixels":
                raise HsiError(
                    f"reduced scene: training_pca asks for components fitted on training pixels, "
                    f"found {reduced.pca.fitted_on}; leave out `reduced`, or hsi reduce --split"
                )
            self.pca, cube = reduced.pca, reduced.cube
        self.architecture = self.kind(
            len(training.labels.classes), self.window, components=cube.shape[2], **self.shape
        )
        weights = torch.Generator().manual_seed(training.seed)
        self.network = self.architecture.build(weights)
        examples = Examples(
            training, cube, self.pca, self.window, self.recipe, paired=self.network.normalises
        )
        seconds = train(
            self.network,
            examples.draw,
            examples.loss,
            self.recipe.applied(training.schedule),
            compute=training.compute,
            seed=training.seed,
            checkpoint=training.checkpoint,
            history=training.history,
            label=f"{self.name} {training.scene.name} {training.split.how} seed {training.seed}",
        )
        self.architecture = self.architecture.trained(self.network)
        return seconds

    @property
    def bands(self) -> npt.NDArray[np.int64]:
        """Bands of the training scene that the projection uses."""
        return self._projection.bands

    @property
    def classes(self) -> int:
        """Classes that the network tells apart."""
        assert self.architecture is not None
        return self.architecture.classes

    @property
    def halo(self) -> int:
        """Half the side of the window, in pixels."""
        return self.window // 2

    @property
    def has_probabilities(self) -> bool:
        """True: every network gives the probability of each class."""
        return True

    @property
    def _projection(self) -> Projection:
        assert self.pca is not None
        return self.pca

    def features(
        self, spectra: npt.NDArray[Any], valid: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float32]:
        """Return components (h, w, K), 0 where a pixel holds no data, as beyond the border."""
        return self._projection.project(spectra, valid)

    def refit_scaling(self, scene: Scene, bands: Bands) -> None:
        """Replace mean and standard deviation of the components by those of another scene."""
        self.pca = self._projection.refitted(scene, bands)

    def classify(
        self, features: npt.NDArray[Any], block: Block, application: Application
    ) -> Prediction:
        """Return the classes of a block by one dense pass, or by one per orientation."""
        assert self.network is not None
        compute = application.compute
        network = self.network.to(compute.device).eval()
        crop = torch.from_numpy(np.moveaxis(block.padded(features), -1, 0).copy())
        crop = crop.to(compute.device)
        with torch.inference_mode(), compute.autocast():
            if not self.recipe.average:
                logits = network.dense(crop)
                shares = logits.float().softmax(0) if application.probabilities else None
                indices = logits.argmax(0)
                finite = logits.isfinite().all()
            else:
                turned = (
                    orientations.back(
                        network.dense(orientations.oriented(crop, orientation)).float().softmax(0),
                        orientation,
                    )
                    for orientation in range(orientations.COUNT)
                )
                shares = next(turned).clone()
                for upright in turned:
                    shares += upright
                shares /= orientations.COUNT
                indices = shares.argmax(0)
                finite = shares.isfinite().all()
        expect_finite_scores(self.name, finite=bool(finite))
        probabilities = None
        if shares is not None and application.probabilities:
            probabilities = np.ascontiguousarray(shares.movedim(0, -1).cpu().numpy())
        return Prediction(indices.cpu().numpy(), probabilities)

    def working_bytes(self, block: tuple[int, int]) -> int:
        """Return an estimate of the bytes of a dense pass over a block."""
        assert self.network is not None
        height, width = (side + self.window - 1 for side in block)
        moved = 4 * (height * width * self.components * 2 + block[0] * block[1] * 64)
        return moved + pass_bytes(self.network, height, width)

    def feature_bytes(self) -> int:
        """Return the bytes of one pixel's components in float32."""
        return 4 * self.components

    def check_reduced(self, scene: Scene, reduced: ComponentsFile) -> None:
        """Raise HsiError where prepared components are not the model's, or of another scene."""
        reduced.check_fits(scene)
        if reduced.pca.checksum() != self._projection.checksum():
            raise HsiError(
                "reduced scene: expected the model's own projection, found another; leave out "
                "`reduced`, or give the file that the model was trained with"
            )

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return weights and projection as tensors, and the settings of both."""
        assert self.network is not None
        assert self.pca is not None
        assert self.architecture is not None
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= projection_tensors(self.pca, PREFIX)
        settings = {
            "architecture": asdict(self.architecture),
            "recipe": asdict(self.recipe),
            "pca_fitted_on": self.pca.fitted_on,
            "window": self.window,
            "parameters": self.network.parameter_count,
            "multiply_adds_a_pixel": multiply_adds_per_pixel(self.network),
        }
        return tensors, settings

    @classmethod
    def load(cls, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Self:
        """Return a classifier with the network and weights that `save` returned."""
        made = cls()
        made.recipe = Recipe(**fields_of(Recipe, settings.get("recipe"), "recipe"))
        chosen = fields_of(cls.kind, settings.get("architecture"), "architecture")
        made.architecture = cls.kind(**chosen)
        made.window, made.components = made.architecture.window, made.architecture.components
        weights = {
            name.removeprefix("network."): value
            for name, value in tensors.items()
            if name.startswith("network.")
        }
        made.architecture.expect_fits(weights)
        made.network = made.architecture.build(torch.Generator().manual_seed(0))
        made.network.load_state_dict(weights)
        made.pca = projection(
            tensors,
            PREFIX,
            count=made.components,
            fitted_on=settings.get("pca_fitted_on"),
        )
        return made

    def _check(self, training: Training) -> None:
        if self.window > min(training.scene.shape):
            raise HsiError(
                f"{training.scene.name}: expected a scene of at least the window's {self.window} × "
                f"{self.window} pixels, found {training.scene.shape}; use a smaller window"
            )
        if training.reduced is not None:
            training.reduced.check_fits(training.scene)
            found = training.reduced.cube.shape[2]
            if self.asked not in (None, found):
                raise HsiError(
                    f"`components` {self.asked}: expected those of the reduced scene, {found}; "
                    f"leave out `components`, or reduce it again"
                )
        if "guard" in training.split.report and self.window > training.split.window:
            log.warning(
                "the split guards windows of %d pixels and the network sees %d: they overlap",
                training.split.window,
                self.window,
            )
