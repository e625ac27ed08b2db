"""Batches of real noise: the kinds in their shares, the ranges as asked, switches that switch."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from restore.degradations import camera
from restore.degradations.real_noise import RealNoise
from restore.degradations.real_noise_batch import Draw, drawn_camera, photographed, with_grain
from restore.errors import RestoreError
from restore.networks.variants import variant
from restore.training.patches import Patches
from restore.training.schedules import schedule

ONLY = {"camera": 0.0, "correlated": 0.0, "white": 0.0, "grey": 0.0, "clean": 0.0}
CPU = torch.device("cpu")


def draw(seed: int = 0) -> Draw:
    return Draw(torch.Generator().manual_seed(seed), CPU)


def batch(settings: RealNoise, count: int = 16, patch: int = 16, seed: int = 0):  # type: ignore[no-untyped-def]
    image = np.random.default_rng(0).integers(0, 256, (20, 24, 3))
    image = np.kron(image, np.ones((6, 6, 1))).astype(np.uint8)
    source = Patches(
        [image],
        variant("dncnn-r"),
        patch=patch,
        batch_size=count,
        scales=(1.0,),
        device=CPU,
        noise=settings,
    )
    return source.draw(0, torch.Generator().manual_seed(seed))


def test_a_batch_holds_each_kind_in_its_share() -> None:
    found = batch(RealNoise(), 100)
    assert found.kinds == (50, 26, 8, 4, 12)
    assert found.degraded.shape == found.clean.shape == (100, 3, 16, 16)
    assert found.degraded.dtype == found.clean.dtype == torch.float32
    _, _, white, grey, clean = found.degraded.split(found.kinds)
    targets = found.clean.split(found.kinds)
    assert torch.equal(clean, targets[4])
    assert torch.equal(grey, grey[:, :1].expand_as(grey))
    assert torch.equal(targets[3], targets[3][:, :1].expand_as(grey))
    assert not (white == targets[2]).flatten(1).all(1).any()
    assert float(found.clean.min()) >= 0
    assert float(found.clean.max()) <= 1


def test_a_share_below_one_patch_is_kept_in_the_mean() -> None:
    settings = RealNoise()
    assert settings.counts(9) == (4, 3, 1, 0, 1)
    rng = np.random.default_rng(0)
    drawn = np.array([settings.counts(9, rng.random()) for _ in range(4000)])
    assert (drawn >= 0).all()
    assert (drawn.sum(1) == 9).all()
    assert drawn.mean(0) / 9 == pytest.approx((0.5, 0.26, 0.08, 0.04, 0.12), abs=0.004)
    seen = [batch(settings, 9, seed=seed).kinds for seed in range(40)]
    assert {kinds[3] for kinds in seen} == {0, 1}


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_grey_pictures_have_noise_that_is_alike_by_any_degree(share: float) -> None:
    settings = RealNoise(
        independent=0.0,
        equal=0.0,
        clipped=0.0,
        grainy=0.0,
        black_and_white=1.0,
        black_and_white_equal=share,
    )
    noisy, clean = with_grain(torch.rand(32, 3, 24, 24), settings, draw())
    assert torch.equal(clean, clean[:, :1].expand_as(clean))
    differs = ((noisy - noisy[:, :1]).abs() > 1e-6).flatten(1).any(1)
    assert bool(differs.all() if share == 0 else not differs.any())


def test_a_batch_depends_on_its_generator_alone() -> None:
    first, again, other = (batch(RealNoise(), seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first.degraded, again.degraded)
    assert torch.equal(first.clean, again.clean)
    assert not torch.equal(first.degraded, other.degraded)


def test_white_noise_has_the_asked_level() -> None:
    settings = RealNoise(
        **(ONLY | {"white": 1.0}), sigma=(20.0, 30.0), clipped=0.0, shrink=(1.0, 1.5)
    )
    found = batch(settings, 64, 32)
    levels = ((found.degraded - found.clean) * 255).flatten(1).std(1)
    assert float(levels.min()) == pytest.approx(20, abs=1.5)
    assert float(levels.max()) == pytest.approx(30, abs=1.5)
    noise = found.degraded - found.clean
    assert abs(float((noise[:, 0] * noise[:, 1]).mean() / noise.var())) < 0.02


def test_clipped_noise_is_8_bit() -> None:
    found = batch(RealNoise(**(ONLY | {"white": 1.0}), clipped=1.0))
    levels = found.degraded * 255
    assert torch.allclose(levels, levels.round(), rtol=0, atol=1e-3)
    assert float(levels.min()) >= 0
    assert float(levels.max()) <= 255


@pytest.mark.parametrize(("independent", "equal"), [(1.0, 0.0), (0.0, 1.0)])
def test_channels_are_alike_as_asked(independent: float, equal: float) -> None:
    settings = RealNoise(
        independent=independent, equal=equal, clipped=0.0, grainy=0.0, black_and_white=0.0
    )
    noisy, clean = with_grain(torch.full((16, 3, 32, 32), 0.5), settings, draw())
    noise = (noisy - clean).flatten(2)
    alike = (noise[:, 0] * noise[:, 1]).sum() / noise[:, 0].square().sum()
    assert float(alike) == pytest.approx(equal, abs=0.05)


def test_grain_keeps_its_level_and_joins_neighbours() -> None:
    flat = torch.full((32, 3, 48, 48), 0.5)
    plain = RealNoise(grainy=0.0, clipped=0.0, sigma_correlated=(20.0, 20.0))
    for settings, low, high in (
        (plain, -0.05, 0.05),
        (replace(plain, grainy=1.0, grain=(1.0, 1.0)), 0.7, 0.85),
    ):
        noisy, clean = with_grain(flat, settings, draw())
        noise = (noisy - clean) * 255
        assert float(noise.std()) == pytest.approx(20, rel=0.05)
        alike = float((noise[..., 1:] * noise[..., :-1]).mean() / noise.square().mean())
        assert low < alike < high


def test_cameras_fill_their_ranges() -> None:
    settings = RealNoise()
    cameras = drawn_camera(settings, 500, draw())
    iso = cameras.shot / camera.SHOT_PER_ISO
    for values, (low, high) in (
        (iso.log(), tuple(np.log(settings.iso))),
        (cameras.gamma, settings.gamma),
        (cameras.exposure, settings.exposure),
        (cameras.red, settings.red),
        (cameras.blue, settings.blue),
    ):
        span = high - low
        assert low - 1e-4 <= float(values.min()) < low + 0.05 * span
        assert high - 0.05 * span < float(values.max()) <= high + 1e-4
    for values, share in ((cameras.contrast, 0.5), (cameras.gradient, settings.gradient)):
        assert float(values.float().mean()) == pytest.approx(share, abs=0.06)
    assert torch.allclose(cameras.matrix.sum(2), torch.ones(500, 3), atol=1e-5)
    assert {(int(r), int(c)) for r, c in zip(cameras.row, cameras.column, strict=True)} == {
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    }


def test_the_target_is_the_same_photograph_without_noise() -> None:
    settings = RealNoise(jpeg=0.0, black_and_white=0.0, iso=(25.0, 25.0), smoothed=0.0)
    cut = torch.rand(8, 3, 80, 80)
    noisy, clean = photographed(cut, settings, 40, draw())
    assert noisy.shape == clean.shape == (8, 3, 40, 40)
    assert float((noisy - clean).abs().mean()) * 255 < 4
    loud, same = photographed(cut, replace(settings, iso=(25600.0, 25600.0)), 40, draw())
    assert torch.equal(same, clean)
    assert float((loud - clean).abs().mean()) > 5 * float((noisy - clean).abs().mean())


def test_smoothing_by_the_camera_leaves_less_noise() -> None:
    settings = RealNoise(jpeg=0.0, resized=0.0, iso=(3200.0, 3200.0), smoothed=0.0)
    flat = torch.full((8, 3, 40, 40), 0.4)
    levels = []
    for smoothed in (0.0, 1.0):
        noisy, clean = photographed(flat, replace(settings, smoothed=smoothed), 40, draw())
        levels.append(float((noisy - clean).std()))
    assert levels[1] < 0.8 * levels[0]


def test_black_and_white_photographs_have_equal_channels() -> None:
    settings = RealNoise(**(ONLY | {"camera": 1.0}), black_and_white=1.0)
    found = batch(settings)
    for planes in (found.degraded, found.clean):
        assert torch.equal(planes, planes[:, :1].expand_as(planes))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"white": 0.5}, "shares of sum 1, found 1.42"),
        ({"jpeg": 1.5}, "noise: jpeg: expected 0 to 1, found 1.5"),
        ({"iso": (800.0, 100.0)}, "noise: iso: expected two rising numbers from 25 to 102400"),
        ({"sigma": (5.0,)}, "noise: sigma: expected two rising numbers"),
    ],
)
def test_wrong_settings_are_one_line(settings: dict[str, object], message: str) -> None:
    with pytest.raises(RestoreError, match=message) as error:
        RealNoise(**settings)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_a_schedule_file_has_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.yaml"
    path.write_text("steps: 5\nbatch_size: 4\nnoise:\n  jpeg: 0\n  iso: [100, 800]\n")
    chosen = schedule(str(path), variant("dncnn-r"))
    assert chosen.noise == RealNoise(jpeg=0.0, iso=(100.0, 800.0))
    assert {field.name for field in fields(RealNoise)} == set(chosen.describe()["noise"])
    path.write_text("steps: 5\nbatch_size: 4\nnoise:\n  rain: 1\n")
    with pytest.raises(Exception, match="noise: expected keys among camera, correlated"):
        schedule(str(path), variant("dncnn-r"))
    path.write_text("steps: 5\nbatch_size: 4\nnoise:\n  jpeg: often\n")
    with pytest.raises(Exception, match="noise: expected a number for jpeg"):
        schedule(str(path), variant("dncnn-r"))


def test_only_the_network_for_photographs_has_real_noise() -> None:
    assert schedule("best", variant("dncnn-r")).noise == RealNoise()
    assert schedule("best", variant("dncnn-b-color")).noise is None
