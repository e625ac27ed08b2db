"""Mean and standard deviation of more values than fit in memory."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import refuse_without_data

Floats = npt.NDArray[np.float64]


def mean_and_deviation(parts: Iterable[Floats], scene: Scene) -> tuple[Floats, Floats]:
    """Return the mean and the standard deviation of values that come in parts.

    Parameters
    ----------
    parts : iterable of ndarray (n, F), float64
        Finite values; a part may be empty.
    scene : Scene
        Where they come from, for messages.

    Returns
    -------
    mean, deviation : ndarray (F,), float64
        The deviation is that of a sample (divided by N − 1), and 1 where the values are constant.

    Raises
    ------
    HsiError
        Fewer than two values, or values that vary nowhere.

    Examples
    --------
    >>> scene = Scene("tiny", np.ones((1, 2, 1)))
    >>> mean, deviation = mean_and_deviation([np.array([[1.0], [2.0]]), np.array([[3.0]])], scene)
    >>> mean.tolist(), deviation.tolist()
    ([2.0], [1.0])
    """
    from sklearn.preprocessing import StandardScaler

    scaler, number = StandardScaler(), 0
    for part in parts:
        if len(part):
            scaler.partial_fit(part)
            number += len(part)
    if number < 2:
        refuse_without_data(scene)
    # scikit-learn's variance is that of a population.
    deviation = np.sqrt(scaler.var_ * (number / (number - 1)))
    if not deviation.any():
        raise HsiError(f"{scene.name}: expected bands that vary, found all of them constant")
    return scaler.mean_, np.where(deviation > 0, deviation, 1.0)
