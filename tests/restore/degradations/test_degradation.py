import numpy as np
import pytest

from restore.degradations import bicubic, camera, degradation, jpeg, luma
from restore.errors import RestoreError
from restore.evaluation import pairs

GREY = np.random.default_rng(0).integers(0, 256, (31, 40), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (31, 40, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "text", ["noise:25", "noise:0", "noise:7.5", "jpeg:10", "bicubic:3", "camera:1600"]
)
def test_text_and_back(text):
    assert str(degradation.parse(text)) == text


def test_equal_degradations_have_one_text():
    assert degradation.parse("noise:25.0") == degradation.parse("noise:25")
    assert str(degradation.parse("noise:25.0")) == "noise:25"
    assert str(degradation.Degradation("jpeg", 10)) == "jpeg:10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("noise:-1", "sigma must be from 0 to 255, not -1"),
        ("noise:256", "sigma must be from 0 to 255"),
        ("noise:nan", "sigma must be from 0 to 255"),
        ("jpeg:0", "quality must be a whole number from 1 to 100, not 0"),
        ("jpeg:10.5", "whole number"),
        ("jpeg:inf", "whole number"),
        ("bicubic:7", "scale must be 2, 3 or 4, not 7"),
        ("bicubic:2.5", "2, 3 or 4"),
        ("camera:-1", "camera ISO must be from 25 to 102400, not -1"),
        ("camera:nan", "camera ISO must be from 25 to 102400, not nan"),
        ("camera:x", "'camera:x' not understood: expected noise:SIGMA .* or camera:ISO"),
        ("blur:3", "unknown degradation 'blur': expected noise:SIGMA"),
        ("noise", "not understood: expected noise:SIGMA"),
        ("noise:loud", "not understood"),
        ("", "not understood"),
    ],
)
def test_wrong_text_is_one_line(text, message):
    with pytest.raises(RestoreError, match=message) as error:
        degradation.parse(text)
    assert "\n" not in str(error.value)


def noise(image, **options):
    settings = {"seed": 0, "name": "a", **options}
    return pairs.pair(image, degradation.parse("noise:25"), **settings)


def test_noise_depends_on_seed_name_and_sigma_only():
    one = noise(GREY).observed
    assert np.array_equal(one, noise(GREY).observed)
    assert not np.array_equal(one, noise(GREY, seed=1).observed)
    assert not np.array_equal(one, noise(GREY, name="b").observed)
    other = pairs.pair(GREY, degradation.parse("noise:50"), seed=0, name="a").observed
    assert not np.allclose((one - GREY) * 2, other - GREY)


def test_noise_is_the_same_on_every_machine():
    # A change here changes every noisy figure: it must be deliberate.
    observed = noise(np.full((2, 2), 128, np.uint8)).observed
    assert observed.ravel() == pytest.approx(NOISE_ANCHOR, abs=1e-4)


NOISE_ANCHOR = [140.3927, 83.3253, 164.1964, 155.9584]


def test_noise_is_float32_and_not_clipped():
    pair = noise(GREY)
    assert np.array_equal(pair.observed, pair.observed.astype(np.float32))
    assert pair.observed.min() < 0
    assert pair.observed.max() > 255
    assert np.array_equal(pair.target, GREY)
    assert (pair.border, pair.quantised) == (0, True)


def test_noise_on_a_colour_image_is_of_full_range_grey():
    white = np.full((8, 8, 3), 255, np.uint8)
    assert noise(white).target.max() == 255
    assert noise(COLOUR).target.shape == COLOUR.shape[:2]
    primaries = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    assert luma.grey(primaries).tolist() == [[76, 150]]
    assert np.array_equal(noise(COLOUR, colour=True).target, COLOUR)


def test_jpeg_of_a_colour_image_is_of_matlabs_luma():
    pair = pairs.pair(COLOUR, degradation.parse("jpeg:10"), seed=0, name="a")
    assert np.array_equal(pair.target, luma.luma(COLOUR))
    assert np.array_equal(pair.observed, jpeg.compress(luma.luma(COLOUR), 10))
    assert pair.quantised


def test_jpeg_of_a_grey_image_leaves_its_range():
    pair = pairs.pair(GREY, degradation.parse("jpeg:10"), seed=0, name="a")
    assert np.array_equal(pair.target, GREY)


def test_bicubic_of_a_colour_image_is_the_luma_of_rgb_enlarged():
    pair = pairs.pair(COLOUR, degradation.parse("bicubic:3"), seed=0, name="a")
    cropped = COLOUR[:30, :39]
    small = bicubic.imresize(cropped, 1 / 3)
    large = np.clip(bicubic.imresize(small.astype(float), 3), 0, 255)
    assert np.array_equal(pair.target, luma.exact_luma(cropped))
    assert np.array_equal(pair.observed, luma.exact_luma(large))
    assert (pair.border, pair.quantised) == (3, False)


def test_bicubic_in_colour_and_of_grey():
    pair = pairs.pair(COLOUR, degradation.parse("bicubic:2"), seed=0, name="a", colour=True)
    assert pair.target.shape == pair.observed.shape == (30, 40, 3)
    pair = pairs.pair(GREY, degradation.parse("bicubic:4"), seed=0, name="a")
    assert np.array_equal(pair.target, GREY[:28])


def test_a_camera_is_scored_against_its_own_picture_without_noise():
    text = degradation.parse("camera:1600")
    pair = pairs.pair(COLOUR, text, seed=0, name="a", colour=True)
    assert np.array_equal(pair.target, camera.without_noise(COLOUR))
    assert not np.array_equal(pair.observed, pair.target)
    assert (pair.border, pair.quantised) == (0, True)
    again = pairs.pair(COLOUR, text, seed=0, name="a", colour=True)
    assert np.array_equal(pair.observed, again.observed)
    for changed in ({"seed": 1}, {"name": "b"}):
        other = pairs.pair(COLOUR, text, **({"seed": 0, "name": "a"} | changed), colour=True)
        assert not np.array_equal(pair.observed, other.observed)


def test_a_camera_takes_grey_pictures_too():
    text = degradation.parse("camera:1600")
    rgb = np.repeat(GREY[..., None], 3, axis=2)
    pair = pairs.pair(GREY, text, seed=0, name="a")
    assert np.array_equal(pair.target, luma.grey(camera.without_noise(rgb)))
    assert np.array_equal(pair.observed, pairs.pair(rgb, text, seed=0, name="a").observed)
    in_colour = pairs.pair(rgb, text, seed=0, name="a", colour=True)
    assert np.array_equal(pair.observed, luma.grey(in_colour.observed.astype(np.uint8)))


def test_a_camera_needs_a_colour_image_and_eight_pixels():
    text = degradation.parse("camera:100")
    with pytest.raises(RestoreError, match=r"a camera needs 8 pixels a side or more, .* has 40x7"):
        pairs.pair(COLOUR[:7], text, seed=0, name="a")
    with pytest.raises(RestoreError, match="the image is grey"):
        pairs.pair(GREY, text, seed=0, name="a", colour=True)
    with pytest.raises(RestoreError, match="expected 8-bit grey or RGB"):
        pairs.pair(COLOUR.astype(np.uint16), text, seed=0, name="a")


def test_a_camera_is_the_same_on_every_machine():
    # A change here changes every figure of camera noise: it must be deliberate.
    image = np.full((8, 8, 3), 128, np.uint8)
    pair = pairs.pair(image, degradation.parse("camera:3200"), seed=0, name="a", colour=True)
    assert pair.observed[3, 3:5].tolist() == CAMERA_ANCHOR


CAMERA_ANCHOR = [[146.0, 125.0, 132.0], [139.0, 134.0, 140.0]]


def test_wrong_images_and_seeds_are_refused():
    with pytest.raises(RestoreError, match="the image is grey"):
        noise(GREY, colour=True)
    with pytest.raises(RestoreError, match="expected 8-bit grey or RGB pixels, got float64"):
        noise(GREY / 1)
    with pytest.raises(RestoreError, match="seed must be 0 or more"):
        noise(GREY, seed=-1)
    with pytest.raises(RestoreError, match="too small for scale 3"):
        pairs.pair(GREY[:2], degradation.parse("bicubic:3"), seed=0, name="a")


def test_long_and_thin_images_work():
    for text in ("noise:25", "jpeg:10"):
        pair = pairs.pair(np.zeros((20000, 1), np.uint8), degradation.parse(text), seed=0, name="a")
        assert pair.observed.shape == (20000, 1)
