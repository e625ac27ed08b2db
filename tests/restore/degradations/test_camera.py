"""The camera: exact in NumPy, equal in torch, with the noise that its ISO says."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from restore.degradations import camera, demosaic, jpeg

RNG = np.random.default_rng(0)
PICTURES = RNG.random((4, 3, 13, 18))
NORMAL = RNG.standard_normal((4, 1, 13, 18))
CAMERAS = camera.Camera(
    shot=np.array([1e-5, 1e-4, 1e-3, 1e-2]),
    read=np.array([1e-8, 1e-7, 1e-6, 1e-4]),
    gamma=np.array([1.8, 2.2, 2.4, 2.6]),
    contrast=np.array([True, False, True, False]),
    exposure=np.array([1.0, 0.8, 0.6, 0.5]),
    red=np.array([1.2, 2.4, 1.9, 2.0]),
    blue=np.array([1.9, 1.5, 1.2, 2.4]),
    matrix=camera.colour_matrix(np.eye(4)),
    row=np.array([0, 0, 1, 1]),
    column=np.array([0, 1, 0, 1]),
    gradient=np.array([True, True, False, True]),
)


def in_torch(cameras: camera.Camera) -> camera.Camera:
    return camera.Camera(
        **{field.name: torch.from_numpy(getattr(cameras, field.name)) for field in fields(cameras)}
    )


@pytest.mark.parametrize("noisy", [False, True])
def test_torch_agrees_with_numpy_given_the_same_draws(noisy: bool) -> None:
    normal = NORMAL if noisy else None
    expected = camera.photograph(PICTURES, CAMERAS, normal)
    found = camera.photograph(
        torch.from_numpy(PICTURES),
        in_torch(CAMERAS),
        None if normal is None else torch.from_numpy(normal),
    )
    assert expected.shape == PICTURES.shape
    assert np.allclose(found.numpy(), expected, rtol=0, atol=1e-12)


def test_each_picture_of_a_batch_has_a_camera_of_its_own() -> None:
    together = camera.photograph(PICTURES, CAMERAS, NORMAL)
    for index in range(4):
        one = slice(index, index + 1)
        alone = replace(
            CAMERAS, **{field.name: getattr(CAMERAS, field.name)[one] for field in fields(CAMERAS)}
        )
        found = camera.photograph(PICTURES[one], alone, NORMAL[one])
        assert np.allclose(found, together[one], rtol=0, atol=1e-12)


def test_flat_colours_come_back_without_noise() -> None:
    colours = RNG.uniform(0.25, 0.75, (4, 3, 1, 1))
    flat = np.broadcast_to(colours, (4, 3, 12, 12))
    assert np.allclose(camera.photograph(flat, CAMERAS), flat, rtol=0, atol=1e-9)


@pytest.mark.parametrize("gradient", [False, True])
def test_demosaicing_is_exact_for_grey_ramps_away_from_the_border(gradient: bool) -> None:
    rows, columns = np.mgrid[:16, :20]
    ramp = (0.1 + 0.02 * rows + 0.01 * columns)[None, None]
    odd_row, odd_column = (rows % 2 == 1)[None, None], (columns % 2 == 1)[None, None]
    red, green, blue = ~odd_row & ~odd_column, odd_row ^ odd_column, odd_row & odd_column
    found = demosaic.demosaiced(ramp, red, green, blue, np.array([gradient]))
    inner = (..., slice(3, -3), slice(3, -3))
    assert np.allclose(found[inner], np.repeat(ramp, 3, axis=1)[inner], rtol=0, atol=1e-12)


def test_gradients_of_one_colour_correct_the_others() -> None:
    # A grey edge: bilinear interpolation gives it stronger false colours.
    edge = np.where(np.arange(24) < 12, 0.2, 0.7)
    picture = np.broadcast_to(edge, (1, 3, 24, 24))
    one = camera.of_iso(100)
    fringes = []
    for gradient in (False, True):
        made = camera.photograph(picture, replace(one, gradient=np.array([gradient])))
        fringes.append(((made - picture) ** 2).mean())
    assert fringes[1] < 0.8 * fringes[0]


def test_noise_grows_with_brightness_and_iso_on_the_sensor() -> None:
    def deviation(level: float, iso: float) -> float:
        one = replace(
            camera.of_iso(iso),
            gamma=np.array([1.0]),
            contrast=np.array([False]),
            matrix=np.eye(3)[None],
            exposure=np.array([1.0]),
            red=np.array([1.0]),
            blue=np.array([1.0]),
        )
        normal = np.random.default_rng(1).standard_normal((1, 1, 200, 200))
        made = camera.photograph(np.full((1, 3, 200, 200), level), one, normal)
        return float(made[0, 0, ::2, ::2].std())  # where the sensor saw red

    for level, iso in ((0.2, 1600), (0.5, 1600), (0.5, 6400)):
        shot = 2e-7 * iso
        variance = shot * level + np.exp(2.18 * np.log(shot) + 1.2)
        assert deviation(level, iso) == pytest.approx(np.sqrt(variance), rel=0.02)


def test_noise_is_alike_between_neighbours() -> None:
    normal = RNG.standard_normal((1, 1, 128, 128))
    flat = np.full((1, 3, 128, 128), 0.5)
    noise = camera.photograph(flat, camera.of_iso(1600), normal)[0] - flat[0]
    for plane in noise:
        plane = plane - plane.mean()
        assert 0.2 < (plane[:, 1:] * plane[:, :-1]).mean() / plane.var() < 0.9


def test_evaluation_is_seeded_and_kept_in_a_jpeg() -> None:
    image = RNG.integers(0, 256, (24, 33, 3), dtype=np.uint8)
    clean, noisy = camera.evaluated(image, 1600, np.random.default_rng(3))
    assert clean.shape == noisy.shape == image.shape
    assert clean.dtype == noisy.dtype == np.uint8
    again = camera.evaluated(image, 1600, np.random.default_rng(3))
    assert np.array_equal(noisy, again[1])
    assert not np.array_equal(noisy, camera.evaluated(image, 1600, np.random.default_rng(4))[1])
    assert np.array_equal(clean, camera.without_noise(image))
    planes = image.transpose(2, 0, 1)[None] / 255
    normal = np.random.default_rng(3).standard_normal((1, 1, 24, 33))
    made = camera.photograph(planes, camera.of_iso(1600), normal)[0].transpose(1, 2, 0)
    kept = jpeg.compress(np.rint(made * 255).astype(np.uint8), 95, subsampling=0)
    assert np.array_equal(noisy, kept)


def test_filters_agree() -> None:
    kernels = RNG.random((4, 3, 5))
    expected = demosaic.filtered(PICTURES, kernels)
    found = demosaic.filtered(torch.from_numpy(PICTURES), torch.from_numpy(kernels))
    assert np.allclose(found.numpy(), expected, rtol=0, atol=1e-12)
