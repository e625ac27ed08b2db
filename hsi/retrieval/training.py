"""Train the encoders; the epoch is chosen on validation pixels."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.errors import UserError
from hsi.errors import HsiError
from hsi.retrieval.average_precision import MeanPrecision, mean_average_precision
from hsi.retrieval.baselines import Embedded
from hsi.retrieval.losses import Losses, cosines
from hsi.retrieval.network import ANCHORED, PUBLISHED, Encoders
from hsi.retrieval.views import Views

CHECKED_EVERY = 2  # epochs between looks at the validation pixels
BETAS = (0.5, 0.999)  # of Adam, as in the authors' program


@dataclass(frozen=True)
class Course:
    """How long and how fast the encoders learn.

    Attributes
    ----------
    epochs : int
        Among which one is chosen.
    batch_size : int
        Pixels per step, as in the authors' program; an epoch is cut in batches as equal as
        possible.
    learning_rate : float
        Of Adam.
    noise : float
        Standard deviation of Gaussian noise on both views, drawn anew in every step; that of the
        strongest component is 1.
    """

    epochs: int = 30
    batch_size: int = 100
    learning_rate: float = 1e-3
    noise: float = 0.2

    def __post_init__(self) -> None:
        for key, fine, expected in (
            ("epochs", self.epochs >= 1, "at least 1"),
            ("batch_size", self.batch_size >= 2, "at least 2"),
            ("learning_rate", self.learning_rate > 0, "above 0"),
            ("noise", self.noise >= 0, "0 or more"),
        ):
            if not fine:
                raise HsiError(f"`{key}` {getattr(self, key)}: expected {expected}")

    def batches(self, pixels: int, seed: int, epoch: int) -> list[npt.NDArray[np.int64]]:
        """Return the pixels of each step of an epoch, in an order drawn from seed and epoch."""
        order = np.random.default_rng([seed, epoch]).permutation(pixels)
        return np.array_split(order, max(1, round(pixels / self.batch_size)))


class Training:
    """Encoders that learn from the views of training pixels, epoch by epoch.

    Parameters
    ----------
    views : Views
    losses : Losses
    classes : int
        Of the classifier.
    course : Course
    seed : int
        Decides the initial weights, the order of the pixels, and the noise.
    device : device
    encoders : {'published', 'anchored'}
        See `hsi.retrieval.network`.
    """

    def __init__(
        self,
        views: Views,
        losses: Losses,
        classes: int,
        *,
        course: Course,
        seed: int,
        device: torch.device,
        encoders: str = PUBLISHED,
    ) -> None:
        self.losses, self.course, self.seed, self.device = losses, course, seed, device
        self.spectra, self.patches, self.truth = (
            torch.from_numpy(values).to(device)
            for values in (views.spectra, views.flat_patches, views.classes)
        )
        wide = self.spectra.shape[1], self.patches.shape[1]
        drawn = torch.Generator().manual_seed(seed)
        network = Encoders(*wide, classes, drawn, anchored=encoders == ANCHORED)
        self.network = network.to(device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=course.learning_rate, betas=BETAS
        )
        self.epoch = 0

    def learn(self) -> None:
        """Learn for one epoch.

        Raises
        ------
        UserError
            The loss is not finite.
        """
        generator = torch.Generator().manual_seed(int(self.epoch * 2**31 + self.seed))
        value = 0.0
        for batch in self.course.batches(len(self.truth), self.seed, self.epoch):
            chosen = torch.from_numpy(batch).to(self.device)
            views = [
                view[chosen] + self.course.noise * self._drawn(view[chosen].shape, generator)
                for view in (self.spectra, self.patches)
            ]
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.losses.total(self._terms(views[0], views[1], self.truth[chosen]))
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            value = float(loss.detach())
        self.epoch += 1
        if not math.isfinite(value):
            raise UserError(
                f"retrieval: the loss is {value} in epoch {self.epoch}, expected a finite number; "
                "lower `learning_rate`"
            )

    @torch.no_grad()
    def terms(self) -> tuple[float, ...]:
        """Return J1, J2 and J3 of all training pixels at once, without weights."""
        return tuple(self._terms(self.spectra, self.patches, self.truth).tolist())

    @torch.inference_mode()
    def embed(self, views: Views) -> Embedded:
        """Return both views of pixels in the shared space, each (N, d)."""
        first, second = self.network(
            torch.from_numpy(views.spectra).to(self.device),
            torch.from_numpy(views.flat_patches).to(self.device),
        )
        return first.cpu().numpy(), second.cpu().numpy()

    def _terms(self, spectra: Tensor, patches: Tensor, truth: Tensor) -> Tensor:
        first, second = self.network(spectra, patches)
        classifier = self.network.classifier
        return self.losses.terms(first, second, (classifier(first), classifier(second)), truth)

    def _drawn(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.randn(shape, generator=generator).to(self.device)


def best_epoch(training: Training, validation: Views) -> tuple[int, float]:
    """Train to the end of the course; return the epoch of the highest mAP, and that mAP.

    Every `CHECKED_EVERY`-th epoch, and the last, is looked at. The mAP is the mean of both ways on
    the validation pixels, in per cent.
    """
    best, kept = -math.inf, 0
    for epoch in range(1, training.course.epochs + 1):
        training.learn()
        if epoch % CHECKED_EVERY and epoch < training.course.epochs:
            continue
        reached = mean_of_ways(both_ways(training.embed(validation), validation))
        if reached > best:
            best, kept = reached, epoch
    return kept, best


def both_ways(
    embedded: Embedded,
    views: Views,
    half: int | None = None,
    queries: npt.NDArray[np.int64] | None = None,
) -> tuple[MeanPrecision, MeanPrecision]:
    """Return the mAP of spectra that query patches, and of patches that query spectra.

    Parameters
    ----------
    embedded : tuple of 2 ndarray (N, d)
        Both views in one space; the nearest by cosine come first.
    views : Views
        Whose classes and positions they have.
    half : int, optional
        Half a patch's side, for the mAP without near answers.
    queries : ndarray (Q,), int64, optional
        Which pixels query; by default all.
    """
    first, second = (torch.from_numpy(values) for values in embedded)

    def way(asking: Tensor, answers: Tensor) -> MeanPrecision:
        return mean_average_precision(
            lambda part: cosines(asking[torch.from_numpy(part)], answers).numpy(),
            views.classes, views.positions, half, queries,
        )  # fmt: skip

    return way(first, second), way(second, first)


def mean_of_ways(found: tuple[MeanPrecision, MeanPrecision]) -> float:
    """Return the mean mAP of both ways, over all answers."""
    return (found[0].everywhere + found[1].everywhere) / 2
