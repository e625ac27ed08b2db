"""White noise is told from that of photographs, and noise from none."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data, draw

from restore.denoising.noise_seen import UNKNOWN, combined, look

PHOTO = data.astronaut()[:384, :384].astype(np.float64)
GREY = PHOTO.mean(axis=2)


def stored(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def noise(shape, sigma=20.0, seed=0):
    return sigma * np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("clean", [PHOTO, GREY])
@pytest.mark.parametrize("sigma", [10, 25, 50])
def test_white_noise_is_white_and_as_strong_as_it_is(clean, sigma):
    for noisy in (clean + noise(clean.shape, sigma), stored(clean + noise(clean.shape, sigma))):
        found = look(noisy, 255)
        assert found.white
        assert not found.clean
        assert found.level == pytest.approx(sigma, rel=0.2)
        assert abs(found.neighbours) < 0.1


@pytest.mark.parametrize("between", [0.4, 0.7, 0.95])
def test_channels_that_are_alike_are_seen(between):
    own, common = noise(PHOTO.shape), noise(GREY.shape, seed=1)[..., None]
    found = look(stored(PHOTO + np.sqrt(1 - between) * own + np.sqrt(between) * common), 255)
    assert found.between == pytest.approx(between, abs=0.1)
    assert not found.white


@pytest.mark.parametrize("clean", [PHOTO, GREY])
def test_grain_is_not_white(clean):
    grain = gaussian_filter(noise(clean.shape, 60.0), (0.8, 0.8, 0)[: clean.ndim])
    found = look(stored(clean + grain), 255)
    assert not found.white
    assert found.neighbours > 0.4


@pytest.mark.parametrize("sigma", [25, 50])
def test_slight_grain_is_not_white_where_it_is_strong(sigma):
    clean = data.camera().astype(np.float64)
    grain = gaussian_filter(noise(clean.shape, 1), 0.5)
    found = look(stored(clean + sigma * grain / grain.std()), 255)
    assert 0.12 < found.neighbours < 0.24  # detail joins neighbours so much under slight noise
    assert not found.white


def test_noise_that_grows_with_brightness_is_not_white():
    ramp = np.repeat(np.linspace(20, 230, 384)[None], 384, axis=0)[..., None].repeat(3, axis=2)
    found = look(stored(ramp + ramp / 128 * noise(ramp.shape, 10.0)), 255)
    assert found.growth > 2
    assert not found.white


def test_the_kind_does_not_depend_on_the_type():
    eight = stored(PHOTO + noise(PHOTO.shape))
    sixteen = eight.astype(np.uint16) * 257
    first, second = look(eight, 255), look(sixteen, 65535)
    assert first.recorded() == pytest.approx(second.recorded(), abs=1e-3)


def test_drawings_and_screenshots_are_clean_and_photographs_are_not():
    drawing = np.full((256, 256, 3), 240, np.uint8)
    rows, columns = draw.disk((120, 120), 70)
    drawing[rows, columns] = (200, 30, 40)
    assert look(drawing, 255).clean
    dark = np.zeros((256, 256, 3), np.uint8)
    dark[::7, ::3] = (200, 210, 220)  # text on black: no block is flat
    assert look(dark, 255).clean
    smooth = stored(np.repeat(np.linspace(20, 230, 256)[None], 256, axis=0))
    assert look(smooth, 255).clean
    assert not look(stored(PHOTO), 255).clean
    assert not look(stored(drawing + noise(drawing.shape, 3.0)), 255).clean


def test_filled_pixels_do_not_count():
    noisy = GREY + noise(GREY.shape)
    gaps = np.zeros(GREY.shape, bool)
    gaps[:, 100:] = True
    filled = np.where(gaps, 77.0, noisy)
    assert look(filled, 255).clean
    found = look(filled, 255, gaps)
    assert not found.clean
    assert found.level == pytest.approx(20, rel=0.25)


@pytest.mark.parametrize(("top", "left"), [(100, 200), (0, 128), (128, 384), (256, 0)])
def test_white_noise_is_white_in_a_small_image_with_few_calm_places(top, left):
    clean = data.camera()[top : top + 128, left : left + 128]
    drawn = np.random.default_rng(0).normal(0, 25, clean.shape)
    seen = look(np.clip(np.rint(clean + drawn), 0, 255).astype(np.uint8), 255.0)
    assert seen.white
    assert 20 < seen.level < 28
    grain = gaussian_filter(drawn, 0.6)
    grain *= 25 / grain.std()
    assert not look(np.clip(np.rint(clean + grain), 0, 255).astype(np.uint8), 255.0).white


def test_of_small_images_nothing_is_told():
    assert look(noise((40, 60)), 255) == UNKNOWN
    assert look(noise((8, 4000)), 255) == UNKNOWN
    assert UNKNOWN.white
    assert UNKNOWN.recorded() == dict.fromkeys(("level", "between", "neighbours", "growth"))


def test_what_is_seen_of_several_images_is_the_mean():
    first, second = look(GREY + noise(GREY.shape, 10.0), 255), look(GREY + noise(GREY.shape), 255)
    assert combined([first, second]).level == pytest.approx((first.level + second.level) / 2)
    assert combined([first, UNKNOWN]).level == first.level


def test_noise_that_is_still_there_is_said():
    noisy = stored(PHOTO + noise(GREY.shape, 25.0)[..., None])
    found = look(noisy, 255)
    assert found.remains(noisy, 255)
    assert not found.remains(stored(PHOTO), 255)
    texture = data.grass()[:256, :256]
    assert not look(texture, 255).remains(texture, 255)


@pytest.mark.parametrize("colour", [(0, 120, 215), (255, 0, 0), (0, 0, 0), (30, 30, 30)])
@pytest.mark.parametrize("side", [1, 2, 9, 32, 96])
def test_one_colour_is_clean_at_any_size(colour, side):
    flat = np.full((side, side, 3), colour, np.uint8)
    for image in (flat, flat[..., 1], flat.astype(np.float32) / 255):
        assert look(image, 255 if image.dtype == np.uint8 else 1).clean


@pytest.mark.parametrize("ink", [(200, 30, 30), (255, 0, 0), (0, 0, 0)])
@pytest.mark.parametrize("paper", [(250, 250, 240), (255, 255, 255), (160, 0, 0)])
def test_a_small_icon_is_clean(ink, paper):
    icon = np.full((32, 32, 3), paper, np.uint8)
    icon[draw.disk((16, 16), 9)] = ink
    assert look(icon, 255).clean


@pytest.mark.parametrize("sigma", [1, 3, 25, 60])
@pytest.mark.parametrize("level", [0, 128, 250])
def test_a_small_noisy_image_is_not_clean(sigma, level):
    noisy = stored(level + noise((32, 32, 3), sigma))
    assert not look(noisy, 255).clean
    assert not look(noisy[..., 0], 255).clean
    assert not look(PHOTO[100:132, 100:132].astype(np.uint8), 255).clean
