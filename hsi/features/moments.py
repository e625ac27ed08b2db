"""Mean and standard deviation of more values than fit in memory."""

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import no_data


class Moments:
    """Mean and standard deviation of values that come in parts (n, F)."""

    def __init__(self, count: int) -> None:
        self.number = 0
        self.mean, self._squares = np.zeros(count), np.zeros(count)

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Take in more (Chan's update, which does not cancel as a sum of squares would)."""
        number = len(values)
        if not number:
            return
        mean = values.mean(axis=0)
        apart = mean - self.mean
        total = self.number + number
        self._squares += ((values - mean) ** 2).sum(axis=0)
        self._squares += apart**2 * (self.number * number / total)
        self.mean = self.mean + apart * (number / total)
        self.number = total

    def deviation(self, scene: Scene) -> npt.NDArray[np.float64]:
        """Return the standard deviation (F,); HsiError where nothing varies."""
        if self.number < 2:
            raise no_data(scene)
        deviation: npt.NDArray[np.float64] = np.sqrt(self._squares / (self.number - 1))
        if not deviation.any():
            raise HsiError(f"{scene.name}: expected bands that vary, found all of them constant")
        return np.where(deviation > 0, deviation, 1.0)
