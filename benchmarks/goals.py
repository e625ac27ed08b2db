"""What the project asks of a figure, and whether the figure reaches it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A goal in words, with its bounds where it is a number that a row measures.

    Attributes
    ----------
    asked : str
        As `results/bench.csv` states it.
    least, most : float, optional
        The value must be at least, or at most, this.
    """

    asked: str
    least: float | None = None
    most: float | None = None

    def met(self, value: float | None) -> str:
        """Return 'yes' or 'no'; '' without a value or a bound.

        Examples
        --------
        >>> Goal("at least 6 times the plain loop", least=6).met(5.9)
        'no'
        """
        if value is None or (self.least is None and self.most is None):
            return ""
        enough = self.least is None or value >= self.least
        return "yes" if enough and (self.most is None or value <= self.most) else "no"


INFERENCE = Goal("at least 4 times the plain way, on a CPU with AMX", least=4)
GRADIENTS = Goal("at least 5 times the plain way, on a CPU with AMX", least=5)
FOLDER = Goal("at least 6 times the plain loop", least=6)
PEERS = Goal("at least level with the best peer", least=1)
CHOOSING = Goal("at most 5 % of the network's time", most=5)
PRECISION = Goal("within 0.02 dB of float32", most=0.02)
MIXED = Goal("a step of DnCNN-3 takes at most 15 % more time than one of DnCNN-B", most=15)
DENSE = Goal("at least 40 times patch by patch", least=40)
SHARED = Goal("at least 4 times patch by patch", least=4)
GROWING = Goal("a cost that grows with the pixels and with nothing else")
HELP = Goal("under one second", most=1)

TRAINING_RATE, TRAINING_SHARE = 900.0, 0.75


def training_rate(matrix_product: float) -> Goal:
    """Return the goal of a training, in GFLOP/s, on a machine with this rate of matrix products."""
    least = min(TRAINING_RATE, TRAINING_SHARE * matrix_product)
    return Goal(
        f"at least {least:.0f} GFLOP/s: {TRAINING_RATE:.0f}, or three quarters of the machine's "
        "matrix product where that is less",
        least=least,
    )
