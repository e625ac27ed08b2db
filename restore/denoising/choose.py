"""Which model suits an image: by its noise, its channels and how strongly JPEG compressed it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Literal

from engine.artifacts import sha256_file
from restore.denoising.noise_seen import ALIKE, GROWTH, UNKNOWN, Noise, combined
from restore.errors import RestoreError
from restore.networks import shipped, weights_file
from restore.networks.variants import BLIND_SIGMA, variant

Kind = Literal["none", "gaussian", "camera", "jpeg"]
# JPEG quality below which what JPEG did is more than what noise remains.
SHOWS = 60
NOISES = ("auto", "gaussian", "camera", "jpeg")  # what may be asked for


UPSCALES = ("general", "bicubic")  # tasks of models that bring back what interpolation took


@dataclass(frozen=True)
class Candidate:
    """Weights, and what they were trained to remove.

    Attributes
    ----------
    path : Path
    name : str
        The variant, such as 'dncnn-s-25'.
    channels : int
    task : {'gaussian', 'blind', 'general', 'real', 'bicubic', 'unknown'}
        As in `restore.networks.variants.Variant`.
    sigma : float
        The noise level, or the largest one; NaN where it is not known.
    sha256 : str
        Of the file.
    """

    path: Path
    name: str
    channels: int
    task: str
    sigma: float
    sha256: str

    def near(self, sigma: float, *, share: float = 0.12, least: float = 2.0) -> bool:
        """Return whether this is a model of one noise level, and `sigma` close to it."""
        return self.task == "gaussian" and abs(self.sigma - sigma) <= max(share * self.sigma, least)


@dataclass(frozen=True)
class Seen:
    """What is known of an image before it is denoised.

    Attributes
    ----------
    channels : int
        1 or 3.
    jpeg : bool
        It was compressed so strongly that it shows.
    sigma : float
        Of its noise, on the 0..255 scale; NaN if it cannot be told.
    noise : Noise
        Of what kind it is.
    """

    channels: int
    jpeg: bool
    sigma: float
    noise: Noise = UNKNOWN

    @property
    def kind(self) -> Kind:
        """Return what there is to remove."""
        if self.noise.clean:
            return "none"
        if self.jpeg:
            return "jpeg"
        return "gaussian" if self.noise.white else "camera"


@dataclass(frozen=True)
class Choice:
    """A model for an image: why it was chosen, and what speaks against it ('' for nothing).

    Without a candidate there is nothing to remove, and the image stays as it is.
    """

    candidate: Candidate | None
    why: str
    doubt: str

    @property
    def name(self) -> str:
        """Return the model's name, or 'none'."""
        return "none" if self.candidate is None else self.candidate.name


def describe(path: Path) -> Candidate:
    """Read what a weights file says of itself.

    Raises
    ------
    RestoreError
        It holds no DnCNN.
    """
    _, description, architecture = weights_file.stored(path)
    name, channels = str(description["variant"]), architecture.channels
    try:
        known = variant(name)
        task, sigma = str(known.task), known.sigma
    except RestoreError:  # a network of someone's own
        task, sigma = "unknown", math.nan
    return Candidate(path, name, channels, task, sigma, sha256_file(path))


def candidates(model: str) -> list[Candidate]:
    """Return the models to choose from: the one that is named, or for 'auto' all shipped ones.

    Parameters
    ----------
    model : str
        'auto', a shipped name or a weights file.

    Raises
    ------
    RestoreError
        No such model, or none is shipped.
    """
    if model != "auto":
        return [describe(shipped.find(model))]
    known = shipped.shipped_models()
    if not known:
        raise RestoreError(
            "`model` auto: no weights are shipped with this installation; name a file with "
            "`model`, as `restore train` or `restore import` writes it"
        )
    return [describe(path) for path in known.values()]


def choose(candidates: Sequence[Candidate], seen: Seen, noise: str = "auto") -> Choice:
    """Return the candidate that suits an image best.

    Where there is nothing to remove, none. For a strongly compressed JPEG one that was trained on
    JPEG; for noise that is not white one that was trained on photographs. Then, in this order: one
    for about this noise level; a blind one; one that was trained on JPEG and noise; one for a noise
    level a third away. Those with the image's channels come first, but for JPEG and photographs.

    Parameters
    ----------
    candidates : sequence of Candidate
    seen : Seen
    noise : {'auto', 'gaussian', 'camera', 'jpeg'}, optional
        What there is to remove; by default what is seen.

    Raises
    ------
    RestoreError
        None suits.
    """
    kind = seen.kind if noise == "auto" else noise
    if kind == "none":
        return Choice(None, f"{_words(seen)}: nothing to remove", "")
    wanted = {"jpeg": ("general", "trained on JPEG"), "camera": ("real", _reason(seen, noise))}
    if kind in wanted:
        task, why = wanted[kind]
        of_colour = sorted(candidates, key=lambda candidate: candidate.channels != seen.channels)
        for candidate in of_colour:
            if candidate.task == task:
                return _choice(candidate, seen, why)
    sigma = seen.sigma if math.isfinite(seen.sigma) else 0.0
    for channels in (seen.channels, 4 - seen.channels):
        fitting = [candidate for candidate in candidates if candidate.channels == channels]
        by_distance = sorted(fitting, key=lambda candidate: abs(candidate.sigma - sigma))
        for candidate in by_distance:
            if candidate.near(sigma):
                return _choice(candidate, seen, f"trained at noise level {candidate.sigma:g}")
        for task, why in (("blind", "blind to the noise level"), ("general", "of all noise")):
            for candidate in fitting:
                if candidate.task == task:
                    return _choice(candidate, seen, why)
        for candidate in by_distance:
            if candidate.near(sigma, share=1 / 3, least=5):
                return _choice(candidate, seen, f"the nearest noise level, {candidate.sigma:g}")
    names = ", ".join(candidate.name for candidate in candidates)
    raise RestoreError(
        f"no shipped model suits {_words(seen)} (there are {names}); name another model, "
        "such as a dncnn-b of `restore train` or `restore import`"
    )


def _reason(seen: Seen, noise: str) -> str:
    """Return why a model for photographs is chosen."""
    if noise == "camera":
        return "trained on photographs, as asked"
    look = seen.noise
    alike = "alike between channels" * (seen.channels == 3 and look.between > ALIKE)
    coarse = "coarser than white noise" * look.is_coarse
    growing = "growing with brightness" * (look.growth > GROWTH)
    found = ", ".join(filter(None, (coarse, alike, growing)))
    return f"trained on photographs, for noise {found}"


def judge(candidate: Candidate, seen: Seen) -> Choice:
    """Return a candidate that was asked for as the choice, with what speaks against it."""
    return _choice(candidate, seen, "as asked")


def seen_together(
    channels: int, sigmas: Sequence[float], noises: Sequence[Noise], *, jpeg: bool
) -> Seen:
    """Return what is known of planes of as many channels, which share a model."""
    return Seen(channels, jpeg, fmean(sigmas), combined(noises))


def for_all(candidates: Sequence[Candidate], sigmas: Sequence[float]) -> Sequence[Candidate]:
    """Return the candidates that suit planes of these noise levels, which share a model.

    Those for one level suit only where all planes are near it; all are returned where none would be
    left.
    """
    suited = [
        candidate
        for candidate in candidates
        if candidate.task != "gaussian" or all(map(candidate.near, sigmas))
    ]
    return suited if len(sigmas) > 1 and suited else candidates


def doubted(choice: Choice, seen: Seen, sigmas: Sequence[float]) -> Choice:
    """Return a choice with what speaks against it at the weakest or strongest of several levels."""
    if choice.candidate is None or choice.doubt:
        return choice
    found = (
        _choice(choice.candidate, replace(seen, sigma=sigma), choice.why).doubt
        for sigma in (min(sigmas), max(sigmas))
    )
    return replace(choice, doubt=next(filter(None, found), ""))


def _choice(candidate: Candidate, seen: Seen, why: str) -> Choice:
    doubts = []
    if candidate.channels == 1 and seen.channels == 3:
        doubts.append("a grey model runs on each channel of a colour image by itself")
    elif candidate.channels == 3 and seen.channels == 1 and candidate.task != "real":
        doubts.append("a colour model sees a grey image as three equal channels")
    unlike = math.isfinite(seen.sigma) and not candidate.near(seen.sigma, share=1 / 3, least=5)
    if candidate.task == "gaussian" and unlike:
        doubts.append(
            f"the noise seems to be {seen.sigma:.1f}, it was trained at {candidate.sigma:g}"
        )
    elif candidate.task in ("gaussian", "blind") and seen.kind == "camera":
        doubts.append("it was trained on white noise, this noise is not")
    elif candidate.task in ("blind", "general", "real") and seen.sigma > 1.1 * BLIND_SIGMA:
        doubts.append(f"the noise seems to be {seen.sigma:.0f}, above the {BLIND_SIGMA:g} it knows")
    elif candidate.task == "bicubic":
        doubts.append("it was trained on images without noise, enlarged by bicubic interpolation")
    return Choice(candidate, f"{_words(seen)}: {why}", "; ".join(doubts))


def _words(seen: Seen) -> str:
    kind = "a colour" if seen.channels == 3 else "a grey"
    noise = f"σ about {seen.sigma:.1f}" if math.isfinite(seen.sigma) else "σ not to be told"
    return f"{kind} {'JPEG' if seen.jpeg else 'image'}, {noise}"
