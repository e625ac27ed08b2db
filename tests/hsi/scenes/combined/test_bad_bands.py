"""The value for no data in a bad band leaves a pixel as it is, in appended and stacked scenes."""

import numpy as np
import pytest

from hsi.scenes.combined.append import append
from hsi.scenes.combined.stack import stack
from hsi.scenes.scene import Scene, open_scene, write_scene

BAD = np.array([False, False, True, False])


@pytest.fixture
def pair():
    """Two scenes, of which one alone states an ignore value, which fills its bad band."""
    one, two = (np.random.default_rng(n).integers(1, 9, (6, 5, 4)).astype("i2") for n in (0, 1))
    one[..., 2] = -9999
    one[1, 1] = one[2, 3, 0] = -9999
    return Scene("one", one, bad_bands=BAD, ignore_value=-9999), Scene("two", two)


def test_appended(pair):
    found, places = append(pair)
    assert found.ignore_value is None
    missing = np.zeros((6, 5), bool)
    missing[1, 1] = missing[2, 3] = True
    rows = slice(0, found.shape[0])
    assert (found.no_data(rows)[:6] == missing).all()
    assert not found.no_data(rows)[places == 2].any()


def test_a_band_that_is_bad_in_another_scene_does_not_count(pair):
    one, two = pair
    plain = Scene("one", one.cube, ignore_value=-9999)
    found, _ = append([plain, Scene("two", two.cube, bad_bands=BAD)])
    assert found.no_data(slice(0, 6)).sum() == 2


@pytest.mark.parametrize("all_bad", [False, True])
def test_stacked(pair, tmp_path, all_bad):
    one, two = pair
    one = Scene("one", one.cube, bad_bands=BAD | all_bad, ignore_value=-9999)
    for scene in (one, two):
        write_scene(tmp_path / f"{scene.name}.hdr", scene)
    found = stack([tmp_path / "one.hdr", tmp_path / "two.hdr"])
    assert found.no_data(slice(0, 6)).sum() == (0 if all_bad else 2)
    write_scene(tmp_path / "both.hdr", found)
    assert open_scene(tmp_path / "both.hdr").pixels_without_data() == (0 if all_bad else 2)
