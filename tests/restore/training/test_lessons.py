"""Lessons in what is not white noise: which teacher has which patches, and what it sees of them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine import orientation
from restore.errors import RestoreError
from restore.networks import denoiser
from restore.networks.variants import variant
from restore.training.batches import Around, Batch
from restore.training.teacher import Teacher
from restore.training.teaching import Teachers
from tests.restore.training.small_networks import CPU, SHAPE, TINY, squares, weights


def enlarged(*scales: int) -> Batch:
    """A batch with what is around its patches; 0 for white noise."""
    drawn = torch.Generator().manual_seed(4)
    images = torch.rand(len(scales), 1, 37, 37, generator=drawn)
    around = Around(images, 7, 11, torch.tensor(scales))
    seen = around.inner(images, 16)
    levels = torch.tensor([float("nan") if scale else 20.0 for scale in scales])
    return Batch(seen, torch.zeros_like(seen), (len(scales),), levels, around=around)


@pytest.mark.parametrize("turn", range(orientation.COUNT))
def test_a_teacher_of_one_scale_sees_whole_pixels_of_the_small_image(
    tmp_path: Path, turn: int
) -> None:
    """It is given what is around a patch, from where the enlarged image began."""
    file = squares(tmp_path, 3)
    general = replace(variant("dncnn-3"), architecture=SHAPE)
    taught = replace(TINY, teachers=(Teacher(file, scale=3),))
    given = enlarged(0, 2, 3, 3)
    found = Teachers(taught, general, CPU).answered(given, turn).wanted
    assert not found[:2].any()
    assert given.around is not None
    whole = given.around.degraded[2:, :, :36, :36]
    teacher = denoiser.load(file, CPU)
    seen = teacher.restore_batch(orientation.oriented(whole, turn))
    expected = orientation.back(seen, turn)[:, :, 7:23, 11:27]
    torch.testing.assert_close(found[2:], expected)
    assert (expected - given.degraded[2:]).abs().max() > 0.01
    # Squares that began elsewhere would give something else.
    cut = teacher.restore_batch(orientation.oriented(given.degraded[2:], turn))
    assert (orientation.back(cut, turn) - expected)[:, :, 6:10, 6:10].abs().max() > 0.01


def test_a_scale_is_left_to_the_teacher_of_it(tmp_path: Path) -> None:
    other = weights(tmp_path, "dncnn-3", 0)
    general = replace(variant("dncnn-3"), architecture=SHAPE)
    both = (Teacher(other, other=True), Teacher(squares(tmp_path, 3), scale=3))
    given = enlarged(2, 3)
    alone, with_it = (
        Teachers(replace(TINY, teachers=teachers), general, CPU).answered(given, 0).wanted
        for teachers in (both[:1], both)
    )
    torch.testing.assert_close(with_it[0], alone[0])
    special = Teachers(replace(TINY, teachers=both[1:]), general, CPU).answered(given, 0).wanted
    torch.testing.assert_close(with_it[1], special[1])
    assert (with_it[1] - alone[1]).abs().max() > 0.01


def test_jpeg_is_left_to_the_teacher_of_it(tmp_path: Path) -> None:
    first, second = (weights(tmp_path, "dncnn-3", seed) for seed in (0, 1))
    general = replace(variant("dncnn-3"), architecture=SHAPE)
    given = enlarged(0, 2, 3, -1)
    assert given.around is not None
    assert given.sigma is not None
    compressed = replace(given.around, scales=given.around.scales.clamp(min=0))
    given = replace(given, around=compressed)
    both = (Teacher(first, jpeg=True), Teacher(second, other=True))
    found = Teachers(replace(TINY, teachers=both), general, CPU).answered(given, 3).wanted
    for teacher, own in ((first, [3]), (second, [1, 2])):
        network = denoiser.load(teacher, CPU)
        seen = network.restore_batch(orientation.oriented(given.degraded[own], 3))
        torch.testing.assert_close(found[own], orientation.back(seen, 3))
    assert torch.equal(found[0], given.clean[0])


@pytest.mark.parametrize(("teacher", "pupil"), [("dncnn-b", "dncnn-3"), ("dncnn-3", "dncnn-b")])
def test_jpeg_is_taught_among_those_that_know_it(tmp_path: Path, teacher: str, pupil: str) -> None:
    taught = replace(TINY, teachers=(Teacher(weights(tmp_path, teacher, 0), jpeg=True),))
    expected = f"jpeg: expected dncnn-3 to teach dncnn-3, found {teacher} and {pupil}$"
    with pytest.raises(RestoreError, match=expected):
        Teachers(taught, replace(variant(pupil), architecture=SHAPE), CPU)


@pytest.mark.parametrize(("scale", "pupil"), [(2, "dncnn-3"), (3, "dncnn-b")])
def test_a_scale_that_is_not_the_teachers(tmp_path: Path, scale: int, pupil: str) -> None:
    taught = replace(TINY, teachers=(Teacher(squares(tmp_path, 3), scale=scale),))
    expected = rf"scale: expected dncnn-x{scale} to teach dncnn-3, found dncnn-x3 and {pupil}$"
    with pytest.raises(RestoreError, match=expected):
        Teachers(taught, replace(variant(pupil), architecture=SHAPE), CPU)
