"""Learning from trained networks: knowledge distillation [1]_.

A clean patch says more than any network can know from the noisy one: most of what is left of it is
chance, and most of a batch's gradient is. What a better network makes of the same noisy patch is
what can be known; the gradient towards it has the same direction with less chance. A network for
any noise learns so from those for one noise each, which are 0.2 dB better there; one that also
enlarges from networks of one scale, which know where the pixels of the small image begin.

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
from torch import Tensor

from engine import orientation
from engine.device import Compute
from restore.errors import RestoreError
from restore.networks import denoiser
from restore.networks.denoiser import Denoiser
from restore.networks.variants import Variant, variant
from restore.training.batches import Batch
from restore.training.schedules import PatchSchedule
from restore.training.teacher import Teacher

Draw = Callable[[int, torch.Generator], Batch]

_OTHERS = ("general", "real")  # tasks with other degradations than white noise
_WHITE_NOISE = ("gaussian", "blind", "general")
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
        No such weights, weights of other channels, or the pupil does not learn what is taught.
    """

    def __init__(self, schedule: PatchSchedule, pupil: Variant, compute: Compute) -> None:
        self.share = schedule.taught
        self._taught: list[tuple[Teacher, Denoiser, float | None]] = []
        for teacher in schedule.teachers:
            loaded = denoiser.load(teacher.weights, compute)
            known = variant(loaded.name)
            mistake = _mistake(teacher, known, pupil)
            if mistake:
                raise RestoreError(f"teachers: {teacher.weights}: {mistake}")
            self._taught.append(
                (teacher, loaded, known.sigma if known.task == "gaussian" else None)
            )

    def origins(self) -> list[dict[str, Any]]:
        """Return what made the teachers, as `Denoiser.origin`."""
        return [loaded.origin() for _, loaded, _ in self._taught]

    def taught(self, draw: Draw) -> Draw:
        """Return `draw` with what the network is to learn from teachers."""

        def drawn(step: int, generator: torch.Generator) -> Batch:
            batch = draw(step, generator)
            turn = int(torch.randint(orientation.COUNT, (1,), generator=generator))
            return self.answered(batch, turn)

        return drawn

    @torch.no_grad()
    def answered(self, batch: Batch, turn: int) -> Batch:
        """Add to a batch what its teachers make of the degraded patches, mixed into the clean ones.

        Parameters
        ----------
        batch : Batch
        turn : int
            How the teachers see it; see `engine.orientation`.

        Returns
        -------
        Batch
            With `answers`. Where several teach, the mean of their results counts; where none does,
            the clean patch.
        """
        results = torch.zeros_like(batch.clean)
        counts = torch.zeros(len(results), device=results.device)
        for (teacher, loaded, own), pupils in zip(self._taught, self._pupils(batch), strict=True):
            chosen = torch.nonzero(pupils)[:, 0]
            if not len(chosen):
                continue
            if teacher.scale is None:
                stronger = None
                if own is not None and batch.sigma is not None:
                    stronger = batch.sigma[chosen].clamp(min=_LEAST) / own
                result = _of_patches(loaded, batch.degraded[chosen], stronger, turn)
            else:
                assert batch.around is not None  # it has pupils
                whole = _of_whole_pixels(loaded, batch.around.degraded[chosen], teacher.scale, turn)
                result = batch.around.inner(whole, results.shape[-1])
            results.index_add_(0, chosen, result.to(results.dtype))
            counts[chosen] += 1
        share = (self.share * (counts > 0))[:, None, None, None]
        means = results / counts.clamp(min=1)[:, None, None, None]
        return replace(batch, answers=share * means + (1 - share) * batch.clean)

    def _pupils(self, batch: Batch) -> list[Tensor]:
        """Return for each teacher which patches it teaches, (B,) of bool."""
        sigma, around = batch.sigma, batch.around
        if sigma is None:
            sigma = torch.full((len(batch.clean),), torch.nan, device=batch.clean.device)
        scales = torch.zeros_like(sigma) if around is None else around.scales
        named = []
        for teacher, _, _ in self._taught:
            low, high = teacher.sigma or (0.0, 0.0)
            jpeg = sigma.isnan() & (scales == 0) & teacher.jpeg
            enlarged = (scales > 0) & (scales == (teacher.scale or 0))
            named.append((sigma >= low) & (sigma < high) | jpeg | enlarged)
        rest = sigma.isnan() & ~torch.stack(named).any(dim=0)
        return [
            own | rest & teacher.other
            for own, (teacher, _, _) in zip(named, self._taught, strict=True)
        ]


def _of_patches(teacher: Denoiser, noisy: Tensor, stronger: Tensor | None, turn: int) -> Tensor:
    """Return what a network makes of patches; of such that are so many times noisier, scaled."""
    mean = noisy.mean((1, 2, 3), keepdim=True)
    scale = torch.ones_like(mean)
    if stronger is not None:
        scale /= stronger[:, None, None, None]
    return (_restored(teacher, (noisy - mean) * scale + mean, turn) - mean) / scale + mean


def _of_whole_pixels(teacher: Denoiser, enlarged: Tensor, scale: int, turn: int) -> Tensor:
    """Return what a network makes of enlarged patches, which it sees in squares of pixels.

    Turned or not, they are to begin with a whole pixel of the small image, so that the last ones
    that are none are left out.
    """
    side = enlarged.shape[-1] // scale * scale
    return _restored(teacher, enlarged[..., :side, :side], turn)


def _restored(teacher: Denoiser, degraded: Tensor, turn: int) -> Tensor:
    seen = orientation.oriented(degraded, turn)
    return orientation.back(teacher.restore_batch(seen), turn)


def _mistake(teacher: Teacher, known: Variant, pupil: Variant) -> str:
    """Return why a teacher of a variant cannot teach another, or ''."""
    channels = [each.architecture.channels for each in (pupil, known)]
    if channels[0] != channels[1]:
        return (
            f"expected weights of {channels[0]} channels, as {pupil.name} has, found {channels[1]}"
        )
    if teacher.sigma is not None:
        if known.task not in _WHITE_NOISE:
            return (
                f"sigma: expected a network that removes white noise, found {known.name}; did you "
                "mean scale: or other:?"
            )
        low, high = teacher.sigma
        learned = pupil.task in ("blind", "general") and low < pupil.sigma
        if not learned and not (pupil.task == "gaussian" and low <= pupil.sigma < high):
            return (
                f"sigma: expected white noise that {pupil.name} learns, found {low:g} to {high:g}"
            )
    if teacher.scale is not None:
        found = known.scale if known.task == "bicubic" else None
        if found != teacher.scale or pupil.task != "general":
            return (
                f"scale: expected dncnn-x{teacher.scale} to teach dncnn-3, found {known.name} and "
                f"{pupil.name}"
            )
    if teacher.jpeg and not pupil.task == known.task == "general":
        return f"jpeg: expected dncnn-3 to teach dncnn-3, found {known.name} and {pupil.name}"
    if teacher.other and (pupil.task not in _OTHERS or known.task not in _OTHERS):
        both = f"{known.name} and {pupil.name}"
        return f"other: expected networks that know more than white noise, found {both}"
    return ""
