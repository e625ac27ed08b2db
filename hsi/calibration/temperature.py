"""Temperature scaling: probabilities that are as large as the classifier is right [1]_.

The logarithms of all probabilities are divided by one number, which is learned on pixels that the
classifier did not learn from. The order of the classes, and with it the map, stays.

References
----------
.. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks", ICML
   2017.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from hsi.errors import HsiError

# Lower probabilities count as this: a forest's may be 0, and its logarithm would not be finite.
FLOOR = 1e-6
LOWEST, HIGHEST = 0.05, 20.0  # temperatures that are searched and accepted


def tempered(probabilities: npt.NDArray[np.floating[Any]], temperature: float) -> npt.NDArray[Any]:
    """Return probabilities (..., C) at a temperature, of the same type.

    Pixels without data, all of whose probabilities are 0, keep them.

    Parameters
    ----------
    probabilities : ndarray (..., C), float
        Each from 0 to 1.
    temperature : float
        Above 1 for less certainty, below 1 for more; 1 changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> tempered(np.array([0.9, 0.1]), 2.0).round(3).tolist()
    [0.75, 0.25]
    """
    if temperature == 1:
        return probabilities
    logits = np.log(np.maximum(probabilities, FLOOR)) / temperature
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    there = probabilities.any(axis=-1, keepdims=True)
    return np.where(there, shares, 0).astype(probabilities.dtype)


def fit_temperature(
    probabilities: npt.NDArray[np.floating[Any]], targets: npt.NDArray[np.integer[Any]]
) -> float:
    """Return the temperature at which held-out pixels are most likely.

    Parameters
    ----------
    probabilities : ndarray (n, C), float
        Of pixels that the classifier did not learn from.
    targets : ndarray (n,), int
        Their true classes, as positions from 0 to C − 1.

    Raises
    ------
    HsiError
        There is no pixel.

    Examples
    --------
    >>> import numpy as np
    >>> certain = np.array([[0.99, 0.01]] * 10)  # and wrong about three of ten
    >>> round(fit_temperature(certain, np.array([0] * 7 + [1] * 3)), 2)
    5.42
    """
    from scipy.optimize import minimize_scalar

    if not len(targets):
        raise HsiError("expected held-out pixels to learn the temperature from, found none")
    logs = np.log(np.maximum(probabilities.astype(np.float64), FLOOR))
    places = np.arange(len(targets))

    def loss(log_temperature: float) -> float:
        logits = logs / np.exp(log_temperature)
        highest = logits.max(axis=1)
        total = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
        return float((total - logits[places, targets]).mean())

    bounds = (np.log(LOWEST), np.log(HIGHEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
