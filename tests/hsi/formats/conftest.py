import numpy as np
import pytest

from hsi.scenes.scene import Scene


@pytest.fixture
def cube() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 5000, (7, 5, 4)).astype(np.uint16)


@pytest.fixture
def known(cube) -> Scene:
    """A scene of which everything is known that a file can state."""
    return Scene(
        "known",
        cube,
        np.array([450.5, 550.0, 650.0, 2200.25]),
        np.array([False, True, False, False]),
        {"crs": "EPSG:32616", "transform": (20.0, 0.0, 5e5, 0.0, -20.0, 4e6)},
        ignore_value=0.0,
        scale=np.full(4, 1e-4),
        offset=np.array([0.0, 0.0, 0.0, 0.5]),
    )
