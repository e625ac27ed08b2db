"""Learning from trained networks: knowledge distillation [1]_.

A clean patch says more than any network can know from the noisy one: most of what is left of it is
chance, and most of a batch's gradient is. What a better network makes of the same noisy patch is
what can be known; the gradient towards it has the same direction with less chance. A network for
any noise learns so from those for one noise each, which are 0.2 dB better there.

A network for one noise also knows others: the contrast of a patch is scaled about its mean until
its noise is that of the teacher, and the result is scaled back. On patches of 48x48 dncnn-s-15 is
so 0.5 dB better than dncnn-b at sigma 8, dncnn-s-25 0.4 at 20 and 0.2 at 40, dncnn-s-50 0.2 at 45.

Each batch is shown to its teachers turned in one of eight ways, drawn anew. Over many batches, the
network so learns the mean of a teacher's results for all ways, which is better than each
(geometric self-ensemble [2]_), at the price of one.

References
----------
.. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015.
       :arxiv:`1503.02531`
.. [2] B. Lim, S. Son, H. Kim, S. Nah, K. M. Lee, "Enhanced Deep Residual Networks for Single Image
       Super-Resolution", CVPR Workshops 2017. :arxiv:`1707.02921`
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from engine import orientation
from engine.device import Compute
from restore.errors import RestoreError
from restore.networks import denoiser
from restore.networks.denoiser import Denoiser
from restore.networks.variants import Variant, variant
from restore.training.patches import Batch
from restore.training.schedules import PatchSchedule

Draw = Callable[[int, torch.Generator], Batch]

_LEAST = 1.0  # a patch of less noise would have many times the contrast of any


class Teachers:
    """The trained networks that a schedule names.

    Parameters
    ----------
    schedule : PatchSchedule
        With `teachers` and `taught`.
    pupil : Variant
        What is trained.
    compute : Compute

    Raises
    ------
    RestoreError
        No such weights, weights of other channels, or the pupil learns no noise that is taught.
    """

    def __init__(self, schedule: PatchSchedule, pupil: Variant, compute: Compute) -> None:
        self.share = schedule.taught
        self._taught: list[tuple[Denoiser, float | None, tuple[float, float]]] = []
        for teacher in schedule.teachers:
            loaded = denoiser.load(teacher.weights, compute)
            low, high = teacher.sigma
            if loaded.channels != pupil.architecture.channels:
                raise RestoreError(
                    f"teachers: {teacher.weights}: expected weights of "
                    f"{pupil.architecture.channels} channels, as {pupil.name} has, found "
                    f"{loaded.channels}"
                )
            if not _learns(pupil, low, high):
                raise RestoreError(
                    f"teachers: {teacher.weights}: expected white noise that {pupil.name} learns, "
                    f"found sigma {low:g} to {high:g}"
                )
            known = variant(loaded.name)
            sigma = known.sigma if known.task == "gaussian" else None
            self._taught.append((loaded, sigma, (low, high)))

    def origins(self) -> list[dict[str, Any]]:
        """Return what made the teachers, as `Denoiser.origin`."""
        return [loaded.origin() for loaded, _, _ in self._taught]

    def taught(self, draw: Draw) -> Draw:
        """Return `draw` with what the network is to learn in place of the clean patches."""

        def drawn(step: int, generator: torch.Generator) -> Batch:
            batch = draw(step, generator)
            turn = int(torch.randint(orientation.COUNT, (1,), generator=generator))
            return self.answered(batch, turn)

        return drawn

    @torch.no_grad()
    def answered(self, batch: Batch, turn: int) -> Batch:
        """Mix into clean patches what the teachers make of the degraded ones.

        Parameters
        ----------
        batch : Batch
            With `sigma`.
        turn : int
            How the teachers see it; see `engine.orientation`.

        Returns
        -------
        Batch
            Where several teach, the mean of their results counts.
        """
        if batch.sigma is None:
            return batch
        results = torch.zeros_like(batch.clean)
        counts = torch.zeros_like(batch.sigma)
        for loaded, own, (low, high) in self._taught:
            chosen = torch.nonzero((batch.sigma >= low) & (batch.sigma < high))[:, 0]
            if not len(chosen):
                continue
            noisy = batch.degraded[chosen]
            mean = noisy.mean((1, 2, 3), keepdim=True)
            scale = torch.ones_like(mean)
            if own is not None:
                scale *= own / batch.sigma[chosen].clamp(min=_LEAST)[:, None, None, None]
            seen = orientation.oriented((noisy - mean) * scale + mean, turn)
            answer = orientation.back(loaded.restore_batch(seen), turn)
            result = (answer - mean) / scale + mean
            results.index_add_(0, chosen, result.to(results.dtype))
            counts[chosen] += 1
        share = (self.share * (counts > 0))[:, None, None, None]
        answers = results / counts.clamp(min=1)[:, None, None, None]
        return replace(batch, clean=share * answers + (1 - share) * batch.clean)


def _learns(pupil: Variant, low: float, high: float) -> bool:
    """Return whether a network learns white noise alone of standard deviations in a range."""
    if pupil.task == "gaussian":
        return low <= pupil.sigma < high
    return pupil.task in ("blind", "general") and low < pupil.sigma
