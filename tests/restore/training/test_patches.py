"""Training batches are what they say: exact crops, in eight orientations, the asked noise."""

import numpy as np
import pytest
import torch

from restore.degradations import jpeg
from restore.degradations.bicubic import bicubic_batch
from restore.errors import RestoreError
from restore.networks.variants import variant
from restore.training.patches import SCALES, Patches


def patches(name: str, images: list[np.ndarray], count: int = 64, side: int = 8) -> Patches:
    device = torch.device("cpu")
    return Patches(
        images, variant(name), patch=side, batch_size=count, scales=(1.0,), device=device
    )


def numbered(height: int, width: int, start: int = 0) -> np.ndarray:
    return (start + np.arange(height * width).reshape(height, width)).astype(np.uint8)


def test_every_patch_is_a_crop_in_one_of_eight_orientations() -> None:
    images = [numbered(10, 12), numbered(9, 14, 120)]
    views = set()
    for image in images:
        for turned in (image, image.T):
            for rows in (1, -1):
                for columns in (1, -1):
                    windows = np.lib.stride_tricks.sliding_window_view(
                        turned[::rows, ::columns], (8, 8)
                    )
                    views |= {window.tobytes() for window in windows.reshape(-1, 8, 8)}
    cut = patches("dncnn-b", images, 512).cut(torch.Generator().manual_seed(0))
    found = {patch.numpy().tobytes() for patch in cut[:, 0]}
    assert found <= views
    assert len(found) > 0.8 * len(views)  # all positions and orientations are drawn


def test_colour_patches_keep_their_channels_together() -> None:
    base = numbered(16, 16)
    image = np.stack([base, base + 1, base + 2], axis=2)
    cut = patches("dncnn-b-color", [image]).cut(torch.Generator().manual_seed(0)).int()
    assert cut.shape == (64, 3, 8, 8)
    inner = cut[:, 0] < 250  # uint8 wraps beyond
    assert bool((cut[:, 1] - cut[:, 0] == 1)[inner].all())
    assert bool((cut[:, 2] - cut[:, 0] == 2)[inner].all())


def test_patches_are_darkened_by_factors_of_their_own() -> None:
    flat = np.full((40, 40), 200, np.uint8)
    drawn = Patches(
        [flat],
        variant("dncnn-b"),
        patch=8,
        batch_size=512,
        scales=(1.0,),
        device=torch.device("cpu"),
        darkest=0.5,
    ).draw(0, torch.Generator().manual_seed(0))
    levels = drawn.clean[:, 0, 0, 0] * 255
    assert torch.equal(levels[:, None, None, None].expand_as(drawn.clean), drawn.clean * 255)
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert float(levels.min()) == pytest.approx(100, abs=2)
    assert float(levels.max()) == pytest.approx(200, abs=2)
    assert float(levels.mean()) == pytest.approx(150, abs=5)


def test_noise_has_the_asked_level() -> None:
    flat = np.full((40, 40), 128, np.uint8)
    batch = patches("dncnn-s-25", [flat], 256, 32).draw(0, torch.Generator().manual_seed(0))
    residual = (batch.degraded - batch.clean) * 255
    assert float(residual.std()) == pytest.approx(25, rel=0.01)
    assert float(residual.mean()) == pytest.approx(0, abs=0.2)


def test_blind_levels_fill_the_range() -> None:
    flat = np.full((40, 40), 128, np.uint8)
    batch = patches("dncnn-b", [flat], 512, 32).draw(0, torch.Generator().manual_seed(0))
    levels = ((batch.degraded - batch.clean) * 255).flatten(1).std(1)
    counts = torch.histc(levels, 5, 0, 55) / len(levels)
    assert float(levels.max()) < 58
    assert bool(((counts > 0.12) & (counts < 0.28)).all())


def test_general_batch_holds_all_three_degradations() -> None:
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 255, (16, 16)), np.ones((4, 4))).astype(np.uint8)
    batch = patches("dncnn-3", [image], 30, 32).draw(0, torch.Generator().manual_seed(0))
    levels = batch.degraded[:, 0] * 255
    whole = (levels - levels.round()).abs().flatten(1).amax(1) < 1e-3
    assert not whole[:10].any()  # noise is not rounded
    assert whole[20:].all()  # JPEG decodes to whole numbers
    assert (batch.degraded != batch.clean).flatten(1).any(1)[10:20].all()
    assert batch.kinds == (10, 10, 10)


def test_jpeg_and_bicubic_degrade_patches_with_their_surroundings() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (90, 90), dtype=np.uint8)
    source = patches("dncnn-3", [image], 6, 24)
    places = set()
    for seed in range(3):
        wide = source.cut(torch.Generator().manual_seed(seed))[:, 0].numpy()
        batch = source.draw(0, torch.Generator().manual_seed(seed))
        levels = (batch.degraded[:, 0] * 255).round().numpy()
        clean = (batch.clean[:, 0] * 255).round().numpy()
        (place,) = {
            (row, column)
            for row in range(8, 16)
            for column in range(8, 16)
            if np.array_equal(clean, wide[:, row : row + 24, column : column + 24])
        }
        places.add(place)
        inner = tuple(slice(start, start + 24) for start in place)
        for index in range(4, 6):
            made = [jpeg.compress(wide[index], quality)[inner] for quality in range(5, 100)]
            assert any(np.array_equal(levels[index], one) for one in made)
        for index in range(2, 4):
            values = torch.from_numpy(wide[None, None, index] / 255)
            shrunk = [bicubic_batch(values, scale)[0, 0][inner] * 255 for scale in SCALES]
            assert any(np.array_equal(levels[index], one.round().numpy()) for one in shrunk)
    assert len(places) == 3  # drawn anew for each batch


def test_enlarged_patches_begin_with_a_pixel_of_the_small_image() -> None:
    image = np.random.default_rng(1).integers(0, 255, (90, 90), dtype=np.uint8)
    for scale in SCALES:
        source = patches(f"dncnn-x{scale}", [image], 3, 24)
        wide = source.cut(torch.Generator().manual_seed(0)).float() / 255
        batch = source.draw(0, torch.Generator().manual_seed(0))
        inner = (..., slice(12, 36), slice(12, 36))
        assert wide.shape[-1] == 48
        assert torch.equal(batch.clean, wide[inner])
        assert torch.equal(batch.degraded, bicubic_batch(wide, scale)[inner])
        assert batch.kinds == (3,)
        assert batch.sigma is None
        assert 12 % scale == 0


def test_a_batch_of_all_degradations_has_what_is_around_it() -> None:
    image = np.random.default_rng(1).integers(0, 255, (90, 90), dtype=np.uint8)
    source = patches("dncnn-3", [image], 18, 24)
    batch = source.draw(0, torch.Generator().manual_seed(2))
    wide = source.cut(torch.Generator().manual_seed(2)).float() / 255
    around = batch.around
    assert around is not None
    assert torch.equal(around.inner(around.degraded, 24), batch.degraded)
    assert torch.equal(around.inner(wide, 24), batch.clean)
    assert around.scales.tolist() == [0] * 6 + [2, 2, 3, 3, 4, 4] + [0] * 6
    for index in range(6, 12):
        expected = bicubic_batch(wide[index : index + 1], int(around.scales[index]))
        assert torch.equal(around.degraded[index : index + 1], expected)
    assert batch.part(1, 2).around is None


@pytest.mark.parametrize(
    ("shares", "kinds"),
    [
        ((1, 1, 1), (4, 3, 3)),
        ((0, 0, 1), (0, 0, 10)),
        ((0, 1, 0), (0, 10, 0)),
        ((2, 1, 2), (4, 2, 4)),
        ((0, 1, 2), (0, 4, 6)),
    ],
)
def test_each_degradation_has_its_share(
    shares: tuple[int, int, int], kinds: tuple[int, int, int]
) -> None:
    image = np.random.default_rng(1).integers(0, 255, (90, 90), dtype=np.uint8)
    source = Patches(
        [image],
        variant("dncnn-3"),
        patch=24,
        batch_size=10,
        scales=(1.0,),
        device=torch.device("cpu"),
        shares=shares,
    )
    batch = source.draw(0, torch.Generator().manual_seed(0))
    assert batch.kinds == kinds
    assert batch.sigma is not None
    assert batch.around is not None
    assert batch.sigma.isnan().tolist() == [False] * kinds[0] + [True] * (kinds[1] + kinds[2])
    small = slice(kinds[0], kinds[0] + kinds[1])
    assert bool((batch.around.scales[small] > 0).all())
    assert int((batch.around.scales > 0).sum()) == kinds[1]
    changed = (batch.degraded - batch.clean).abs().amax((1, 2, 3))
    assert bool((changed > 0).all())


def test_a_batch_depends_on_its_generator_alone() -> None:
    source = patches("dncnn-3", [numbered(40, 40)], 12, 16)
    draws = [source.draw(0, torch.Generator().manual_seed(seed)) for seed in (5, 6, 5)]
    assert torch.equal(draws[0].degraded, draws[2].degraded)
    assert not torch.equal(draws[0].degraded, draws[1].degraded)


def test_images_smaller_than_a_patch_are_one_line() -> None:
    with pytest.raises(RestoreError, match="at least one of 8x8 pixels"):
        patches("dncnn-b", [numbered(7, 20)])
    with pytest.raises(RestoreError, match="at least one of 32x32 pixels"):
        patches("dncnn-3", [numbered(31, 40)])


def test_too_few_patches_for_all_shares_are_one_line() -> None:
    image = np.zeros((90, 90), np.uint8)
    with pytest.raises(RestoreError, match=r"^batch_size 8: .*\[1, 1, 10\]\), found \[2, 0, 6\]"):
        Patches(
            [image],
            variant("dncnn-3"),
            patch=24,
            batch_size=8,
            scales=(1.0,),
            device=torch.device("cpu"),
            shares=(1, 1, 10),
        )
