"""Named training schedules of the denoisers.

It does not import torch: the workflow's plan reads it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, cast, get_args

from engine.training.schedule import Schedule, read_schedule
from restore.degradations.real_noise import RealNoise
from restore.errors import RestoreError
from restore.networks.variants import Variant
from restore.training.teacher import Teacher

Loss = Literal["squared", "balanced", "relative"]  # see `restore.training.losses`


@dataclass(frozen=True)
class PatchSchedule(Schedule):
    """A schedule over image patches.

    Attributes
    ----------
    patch : int
        Side of a training patch, in pixels.
    scales : tuple of float
        Every training image is also used resized by each of these factors.
    darkest : float
        Every patch is darkened by a factor of its own between this and 1, before it is degraded.
    loss : {'squared', 'balanced', 'relative'}
        See `restore.training.losses`.
    renormalised : bool
        Put batch normalisation back into weights that the training starts from.
    ghost_batches : int
        Equal parts of a batch, each normalised by itself; a CPU's threads take one each. See
        `restore.training.ghost`.
    noise : RealNoise, optional
        What DnCNN-R learns to remove; other variants ignore it.
    shares : tuple of 3 int
        Noise, bicubic upscaling and JPEG in the batches of DnCNN-3, in proportion; other variants
        ignore it.
    teachers : tuple of Teacher
        Trained networks; see `restore.training.teaching`.
    taught : float
        Where there is a teacher, the network learns from this share of its result and the rest of
        the clean patch.
    """

    NAMED: ClassVar[tuple[str, ...]] = ("demo", "paper", "best")

    patch: int = 40
    scales: tuple[float, ...] = (1.0,)
    darkest: float = 1.0
    loss: Loss = "squared"
    renormalised: bool = False
    ghost_batches: int = 1
    noise: RealNoise | None = None
    shares: tuple[int, ...] = (1, 1, 1)
    teachers: tuple[Teacher, ...] = ()
    taught: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patch < 8:
            raise RestoreError(
                f"schedule {self.name}: patch: expected 8 or more, found {self.patch}"
            )
        if not self.scales or not all(0 < scale <= 1 for scale in self.scales):
            raise RestoreError(
                f"schedule {self.name}: scales: expected factors above 0 and at most 1, "
                f"found {self.scales}"
            )
        if not 0 < self.darkest <= 1:
            raise RestoreError(
                f"schedule {self.name}: darkest: expected a factor above 0 and at most 1, "
                f"found {self.darkest}"
            )
        if self.ghost_batches < 1 or self.batch_size % self.ghost_batches:
            raise RestoreError(
                f"schedule {self.name}: ghost_batches: expected a divisor of batch_size "
                f"{self.batch_size}, found {self.ghost_batches}"
            )
        if len(self.shares) != 3 or min(self.shares) < 0 or not any(self.shares):
            raise RestoreError(
                f"schedule {self.name}: shares: expected three whole numbers, 0 or more and not "
                f"all 0, found {list(self.shares)}"
            )
        if not 0 < self.taught <= 1:
            raise RestoreError(
                f"schedule {self.name}: taught: expected a share above 0 and at most 1, "
                f"found {self.taught}"
            )
        if self.loss not in get_args(Loss):
            raise RestoreError(
                f"schedule {self.name}: loss: expected {' or '.join(get_args(Loss))}, "
                f"found {self.loss}"
            )


# Steps, patches per batch and learning rate by task. A batch of 18 has six patches of each kind
# for DnCNN-3.
_DEMO = {
    "gaussian": (400, 16, 8e-3),
    "blind": (300, 16, 8e-3),
    "general": (500, 18, 8e-3),
    "real": (300, 16, 8e-3),
    "bicubic": (500, 16, 8e-3),
}
_BEST_RATES = {"gaussian": 16e-3, "blind": 16e-3, "general": 8e-3, "bicubic": 8e-3}
# DnCNN-3 after 800 steps of 48x48 at this rate, by the squared and the balanced error:
# Classic5 at quality 10 28.49 and 28.88 dB, Set5 x3 32.26 and 32.36, Set12 at sigma 25 29.14 and
# 29.12.
_LOSS: dict[str, Loss] = {
    "gaussian": "squared",
    "blind": "squared",
    "general": "balanced",
    "real": "relative",
    "bicubic": "squared",
}
# By measurement: see `schedule`.
_BEST_STEPS = 10_000
# Batches of 128 patches per epoch, by task [1, section IV-A].
_PAPER_BATCHES = {"gaussian": 1600, "blind": 3000} | dict.fromkeys(
    ("general", "real", "bicubic"), 8000
)


# From the weights of dncnn-b-color. Without batch normalisation, or from random weights, 150 steps
# taught nothing. PolyU after 1,900 steps of 16 patches of 48x48: 0.7 dB gained; after these 1.4 by
# all of `restore denoise`, 1.5 after 2,000 of config/schedules/photographs.yaml more, and 1.6 after
# 6,000 of photographs-longer.yaml, and 1.7 after 6,000 of photographs-correlated.yaml.
_BEST_REAL = PatchSchedule(
    "best",
    steps=4500,
    batch_size=9,
    learning_rate=6e-3,
    optimizer="muon",
    momentum=0.95,
    warmup_steps=50,
    decay="cosine",
    ema_decay=0.999,
    clip_norm=5.0,
    patch=64,
    scales=(1.0, 0.8, 0.6),
    loss=_LOSS["real"],
    renormalised=True,
)

# At the start. In short trials of SGD the loss of residual networks rose at 1e-2 and at 1e-1.
_RATES = {"adam": 1e-3, "sgd": 1e-3}


def schedule(name: str, variant: Variant) -> PatchSchedule:
    """Return a named schedule, or read one from a YAML file.

    A variant for photographs gets the noise that it learns to remove: that of the file, or the
    default.

    Parameters
    ----------
    name : str
        'demo': minutes on two CPU cores, far from converged; Muon, because Adam at 1e-3 needs
        more than twice the steps for the same PSNR. 'paper': 50 epochs of the authors'
        training code [2]_, Adam at 1e-3 for 30 and at 1e-4 for 20 of them, with the patches of
        [1]_. 'best': Muon, patches of 48x48 and one cosine, over a small part of the paper's pixels
        (a 44th for DnCNN-S), which takes an hour or less on two CPU cores with bfloat16. DnCNN-S at
        sigma 25 on Train400, mean PSNR of Set12, after 300 steps of 16k pixels: 16 patches of 32x32
        29.10 dB; 7 of 48x48 29.16; at twice the rate with averaged weights 29.19; patches darkened
        to a half at most 29.03. After about three minutes: 430 steps of 32 patches 29.65 dB,
        900 of 16 29.82, 1700 of 8 29.86.
        Otherwise a YAML file with the fields of `PatchSchedule`.
    variant : Variant

    References
    ----------
    .. [1] K. Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 26(7), 2017, section IV.
    .. [2] https://github.com/cszn/DnCNN, TrainingCodes/DnCNN_TrainingCodes_v1.1
    """
    chosen = _schedule(name, variant)
    if variant.task == "real" and chosen.noise is None:
        return replace(chosen, noise=RealNoise())
    return chosen


def _schedule(name: str, variant: Variant) -> PatchSchedule:
    """Return a schedule as it is named or written in its file."""
    if name == "demo":
        steps, batch_size, rate = _DEMO[variant.task]
        return PatchSchedule(
            "demo",
            steps=steps,
            batch_size=batch_size,
            learning_rate=rate,
            optimizer="muon",
            momentum=0.95,
            warmup_steps=20,
            decay="cosine",
            clip_norm=5.0,
            patch=32 * variant.scale,
            scales=(1.0, 0.7),
            loss=_LOSS[variant.task],
        )
    if name == "paper":
        epoch = _PAPER_BATCHES[variant.task]
        return PatchSchedule(
            "paper",
            steps=50 * epoch,
            batch_size=128,
            learning_rate=1e-3,
            decay="step",
            milestones=(30 * epoch,),
            patch=variant.patch,
            scales=(1.0, 0.9, 0.8, 0.7),
        )
    if name == "best" and variant.task == "real":
        return _BEST_REAL
    if name == "best":
        return PatchSchedule(
            "best",
            steps=_BEST_STEPS,
            batch_size=18 if variant.task == "general" else 16,
            learning_rate=_BEST_RATES[variant.task],
            optimizer="muon",
            momentum=0.95,
            warmup_steps=100,
            decay="cosine",
            ema_decay=0.999,
            clip_norm=5.0,
            patch=48 if variant.scale == 1 else 32 * variant.scale,
            scales=(1.0, 0.9, 0.8, 0.7),
            loss=_LOSS[variant.task],
        )
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return read_schedule(path, PatchSchedule)
    known = ", ".join(PatchSchedule.NAMED)
    raise RestoreError(f"schedule '{name}': expected {known} or a .yaml file")


def with_optimizer(schedule: PatchSchedule, optimizer: str) -> PatchSchedule:
    """Return the same schedule for another optimizer, at a rate of its own.

    Both start at 1e-3 and decay as `schedule` says; SGD has the schedule's momentum. The
    gradient of a sum over a patch can be large at first, so there is a bound for it.

    Parameters
    ----------
    schedule : PatchSchedule
        Returned as it is if it has this optimizer already.
    optimizer : {'adam', 'sgd'}

    Raises
    ------
    RestoreError
        It is another one.
    """
    if optimizer not in _RATES:
        raise RestoreError(f"optimizer '{optimizer}': expected {' or '.join(_RATES)}")
    if schedule.optimizer == optimizer:
        return schedule
    return replace(
        schedule,
        name=f"{schedule.name}-{optimizer}",
        optimizer=cast(Literal["adam", "sgd"], optimizer),
        learning_rate=_RATES[optimizer],
        clip_norm=schedule.clip_norm or 5.0,
    )
