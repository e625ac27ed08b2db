"""An image set to learn from."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restore.image_sets.find import ImageSet, image_set


@pytest.fixture
def photos(tmp_path: Path) -> ImageSet:
    folder = tmp_path / "photos"
    folder.mkdir()
    ramp = np.add.outer(np.arange(48), np.arange(40)) * 2.5
    Image.fromarray(ramp.astype(np.uint8)).save(folder / "0.png")
    return image_set(str(folder))
