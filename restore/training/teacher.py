"""What a schedule says of a trained network that teaches another; see `restore.training.teaching`.

It does not import torch: the workflow's plan reads it.
"""

from dataclasses import dataclass

from restore.errors import RestoreError


@dataclass(frozen=True)
class Teacher:
    """Weights whose results a network learns from.

    Attributes
    ----------
    weights : str
        A shipped name or a file.
    sigma : (float, float), optional
        It teaches patches with white noise from the first standard deviation up to, not including,
        the second, on the 0..255 scale; none if left out.
    scale : int, optional
        It teaches patches that were so many times smaller: a network of bicubic upscaling.
    jpeg : bool
        It teaches patches that JPEG compressed.
    other : bool
        It teaches patches of any other degradation, but for what another one teaches by name.
    """

    weights: str
    sigma: tuple[float, ...] | None = None
    scale: int | None = None
    jpeg: bool = False
    other: bool = False

    def __post_init__(self) -> None:
        if self.sigma is None and self.scale is None and not (self.jpeg or self.other):
            raise RestoreError(
                f"teachers: {self.weights}: expected what it teaches, sigma: [FROM, TO], scale: N, "
                "jpeg: true or other: true, found none of them"
            )
        if self.scale is not None and (self.sigma is not None or self.jpeg or self.other):
            raise RestoreError(
                f"teachers: {self.weights}: expected `scale` alone, found it beside other lessons"
            )
        if self.sigma is not None and not (
            len(self.sigma) == 2 and 0 <= self.sigma[0] < self.sigma[1]
        ):
            raise RestoreError(
                f"teachers: {self.weights}: sigma: expected two rising numbers, 0 or more, found "
                f"{list(self.sigma)}"
            )
