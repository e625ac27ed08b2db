import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.bands import match_bands
from hsi.scenes.scene import Scene

CENTRES = [400.0, 500.0, 610.0, 700.0]
USED = np.array([0, 2, 3])  # band 2 was bad in the training


def scene_of(wavelengths, bands=None, bad=None):
    count = bands or len(wavelengths)
    cube = np.arange(6 * count, dtype=np.float32).reshape(2, 3, count)
    centres = None if wavelengths is None else np.array(wavelengths, float)
    return Scene("new", cube, centres, bad)


def match(scene, **how):
    return match_bands(USED, 4, CENTRES, scene, trained_on="old", **how)


def test_equal_wavelengths_are_equal_bands():
    found = match(scene_of([400.05, 500, 610, 699.95]))
    assert (found.lower.tolist(), found.how) == ([0, 2, 3], "position")


def test_order_and_further_bands_do_not_matter():
    scene = scene_of([700, 900, 400, 610])
    found = match(scene)
    assert (found.lower.tolist(), found.how) == ([2, 3, 0], "wavelength")
    assert np.array_equal(found.take(scene.cube), scene.cube[..., [2, 3, 0]])


def test_the_message_shows_the_difference_shortly():
    scene = scene_of([400, 500, 611, 650, 660, 670, 680, 701])
    with pytest.raises(HsiError) as found:
        match(scene)
    assert str(found.value) == (
        "new: expected the 3 bands of old, which the model was trained on; 2 of them have none "
        "within 0.1 nm here (610, 700 nm), and 7 bands here are not among them "
        "(500, 611, 650, 660, … nm); `resample_bands` interpolates"
    )


def test_bands_are_interpolated_where_asked():
    bad = np.array([False, False, True, False, False])
    scene = scene_of([720, 390, 605, 600, 410], bad=bad)
    found = match(scene, resample_bands=True)
    spectrum = np.array([72.0, 39.0, np.nan, 60.0, 41.0])  # linear in the wavelength
    assert found.take(spectrum) == pytest.approx([40.0, 61.0, 70.0])


def test_nothing_is_extrapolated():
    with pytest.raises(HsiError, match="1 bands lie beyond, and nothing is extrapolated"):
        match(scene_of([395, 500, 650]), resample_bands=True)


def test_a_centre_that_is_no_number_is_no_bands_centre():
    unknown = [400.0, 500.0, 610.0, np.nan]
    turned = scene_of([700, 610, 500, 400])
    with pytest.raises(HsiError, match=r"1 of them have none within 0\.1 nm"):
        match_bands(USED, 4, unknown, turned)
    with pytest.raises(HsiError, match="1 bands lie beyond"):
        match_bands(USED, 4, unknown, turned, resample_bands=True)


def test_bands_that_are_bad_in_the_scene_are_not_taken(caplog):
    bad = np.array([False, False, True, False, False])
    overlapping = scene_of([400, 500, 610, 610.05, 700], bad=bad)
    assert match(overlapping).lower.tolist() == [0, 3, 4]
    equal = scene_of(CENTRES, bad=bad[:4])
    with pytest.raises(HsiError, match=r"1 of them have none within 0\.1 nm here \(610 nm\)"):
        match(equal)
    assert match(equal, resample_bands=True).lower.tolist() == [0, 1, 1]
    assert not [record for record in caplog.records if "marked as bad" in record.message]
    assert match(scene_of(None, 4, bad[:4])).lower.tolist() == USED.tolist()
    assert "looks at 1 bands that are marked as bad here, first at band 3" in caplog.text


def test_without_wavelengths_the_bands_must_be_as_many():
    assert match(scene_of(None, bands=4)).lower.tolist() == [0, 2, 3]
    with pytest.raises(HsiError, match=r"expected 4 bands as in old, .* \(new states no"):
        match(scene_of(None, bands=5))
    with pytest.raises(HsiError, match="the model states no wavelengths"):
        match_bands(USED, 4, None, scene_of([1, 2, 3]))
