"""The picture of a scene shows the bands it says, stretched."""

import numpy as np
import pytest
from PIL import Image

from hsi.errors import HsiError
from hsi.figures import save_scene
from hsi.scenes.false_colour import choose_bands, false_colour
from hsi.scenes.scene import Scene


def ramp(bands: int, **known: object) -> Scene:
    rows, columns = np.mgrid[:20, :30]
    cube = (rows * 30 + columns)[..., None] * (1.0 + np.arange(bands))
    return Scene("ramp", cube, **known)  # type: ignore[arg-type]


def test_bands_next_to_infrared_red_and_green() -> None:
    centres = np.arange(400.0, 1000.0, 10.0)
    assert choose_bands(ramp(60, wavelengths=centres)) == (46, 25, 15)
    bad = np.zeros(60, bool)
    bad[25] = True
    assert choose_bands(ramp(60, wavelengths=centres, bad_bands=bad))[1] in (24, 26)


def test_bands_of_a_scene_without_the_visible() -> None:
    assert choose_bands(ramp(60)) == (50, 30, 10)
    assert choose_bands(ramp(60, wavelengths=np.linspace(1000, 2500, 60))) == (50, 30, 10)


def test_each_band_is_stretched_between_its_percentiles() -> None:
    shown = false_colour(ramp(3), (0, 1, 2))
    assert shown.shape == (20, 30, 3)
    assert (shown[..., 0] == shown[..., 2]).all()  # the scale of a band does not count
    assert (shown[0, 0, 0], shown[-1, -1, 0]) == (0, 255)
    assert 0.02 <= (shown[..., 0] == 255).mean() <= 0.03


def test_pixels_without_numbers_are_black_and_a_band_of_them_is_refused() -> None:
    scene = ramp(3)
    scene.cube[5:, 5, 1] = np.nan
    assert (false_colour(scene, (1, 1, 1))[5:, 5] == 0).all()
    scene.cube[..., 1] = np.nan
    with pytest.raises(HsiError, match="ramp: expected numbers in band 2, found none"):
        false_colour(scene, (0, 1, 2))


def test_picture_is_written(tmp_path) -> None:
    save_scene(tmp_path / "scene.png", ramp(3))
    with Image.open(tmp_path / "scene.png") as image:
        assert min(image.size) > 100
