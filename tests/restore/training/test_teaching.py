"""Teachers: what a network learns in place of clean patches, and what a training writes down."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine import orientation
from engine.errors import Paused, UserError
from engine.tensors import load_tensors
from restore.errors import RestoreError
from restore.image_sets.find import ImageSet
from restore.networks import denoiser
from restore.networks.variants import variant
from restore.training import train as training
from restore.training.batches import Batch
from restore.training.patches import Patches
from restore.training.schedules import schedule
from restore.training.teacher import Teacher
from restore.training.teaching import Teachers
from tests.restore.training.small_networks import BLIND, CPU, SHAPE, TINY, weights


def batch(*sigma: float) -> Batch:
    drawn = torch.Generator().manual_seed(3)
    clean = torch.rand(len(sigma), 1, 16, 16, generator=drawn)
    levels = torch.tensor(sigma)
    noise = torch.randn(clean.shape, generator=drawn) * levels.nan_to_num(5)[:, None, None, None]
    return Batch(clean + noise / 255, clean, (len(sigma),), levels)


def test_only_patches_of_a_teachers_noise_are_taught(tmp_path: Path) -> None:
    teacher = weights(tmp_path, "dncnn-b", 0)
    taught = replace(TINY, teachers=(Teacher(teacher, (10, 30)),))
    given = batch(9.9, 10, 29.9, 30, float("nan"))
    found = Teachers(taught, BLIND, CPU).answered(given, 0)
    assert torch.equal(found.degraded, given.degraded)
    assert torch.equal(found.clean, given.clean)
    for left in (0, 3, 4):
        assert torch.equal(found.wanted[left], given.clean[left])
    expected = denoiser.load(teacher, CPU).restore_batch(given.degraded[1:3])
    torch.testing.assert_close(found.wanted[1:3], expected)
    assert (expected - given.clean[1:3]).abs().max() > 0.01  # so that the test can fail


@pytest.mark.parametrize("turn", range(orientation.COUNT))
def test_a_teacher_of_one_noise_sees_a_patch_at_its_own(tmp_path: Path, turn: int) -> None:
    teacher = weights(tmp_path, "dncnn-s-25", 0)
    taught = replace(TINY, teachers=(Teacher(teacher, (0, 256)),), taught=0.75)
    given = batch(12.5, 50)
    found = Teachers(taught, BLIND, CPU).answered(given, turn).wanted
    network = denoiser.load(teacher, CPU).network
    for index, factor in enumerate((2.0, 0.5)):
        noisy = given.degraded[index : index + 1]
        mean = noisy.mean()
        seen = orientation.oriented((noisy - mean) * factor + mean, turn)
        with torch.no_grad():
            answer = orientation.back(network(seen), turn)
        expected = 0.75 * ((answer - mean) / factor + mean) + 0.25 * given.clean[index]
        torch.testing.assert_close(found[index : index + 1], expected)


def test_where_several_teach_their_mean_counts(tmp_path: Path) -> None:
    first, second = (weights(tmp_path, "dncnn-b", seed) for seed in (0, 1))
    taught = replace(TINY, teachers=(Teacher(first, (0, 40)), Teacher(second, (20, 60))))
    given = batch(10, 30, 50)
    found = Teachers(taught, BLIND, CPU).answered(given, 5).wanted
    alone = [
        Teachers(replace(TINY, teachers=(Teacher(one, (0, 60)),)), BLIND, CPU)
        .answered(given, 5)
        .wanted
        for one in (first, second)
    ]
    expected = torch.stack([alone[0][0], (alone[0][1] + alone[1][1]) / 2, alone[1][2]])
    torch.testing.assert_close(found, expected)


def test_a_teacher_of_other_degradations_teaches_these_alone(tmp_path: Path) -> None:
    teacher = weights(tmp_path, "dncnn-3", 0)
    taught = replace(TINY, teachers=(Teacher(teacher, other=True),))
    general = replace(variant("dncnn-3"), architecture=SHAPE)
    teachers = Teachers(taught, general, CPU)
    given = batch(10, float("nan"), float("nan"))
    expected = denoiser.load(teacher, CPU).restore_batch(given.degraded)
    found = teachers.answered(given, 0).wanted
    torch.testing.assert_close(found[1:], expected[1:])
    assert torch.equal(found[0], given.clean[0])
    unknown = teachers.answered(replace(given, sigma=None), 0).wanted
    torch.testing.assert_close(unknown, expected)


def test_a_part_of_a_batch_has_its_answers(tmp_path: Path) -> None:
    taught = replace(TINY, teachers=(Teacher(weights(tmp_path, "dncnn-b", 0), (0, 60)),))
    whole = Teachers(taught, BLIND, CPU).answered(batch(10, 30, 40, 50), 0)
    assert torch.equal(whole.part(1, 2).wanted, whole.wanted[[1, 3]])


@pytest.mark.parametrize("name", ["dncnn-s-25", "dncnn-b", "dncnn-3"])
def test_batches_say_how_strong_their_white_noise_is(name: str) -> None:
    flat = [np.full((64, 64), 128, np.uint8)]
    small = replace(variant(name), architecture=SHAPE)
    patches = Patches(
        flat, small, patch=32, batch_size=12, scales=(1.0,), device=torch.device("cpu")
    )
    drawn = patches.draw(0, torch.Generator().manual_seed(0))
    assert drawn.sigma is not None
    noise = 255 * (drawn.degraded - drawn.clean).std(dim=(1, 2, 3))
    noisy = drawn.kinds[0]
    torch.testing.assert_close(noise[:noisy], drawn.sigma[:noisy], rtol=0.15, atol=0.1)
    assert drawn.sigma[noisy:].isnan().all()
    half = drawn.part(1, 2).sigma
    assert half is not None
    assert torch.equal(half[: noisy // 2], drawn.sigma[1:noisy:2])


def test_a_network_comes_to_do_what_its_teacher_does(photos: ImageSet, tmp_path: Path) -> None:
    teacher = weights(tmp_path, "dncnn-b", 0)
    taught = replace(TINY, steps=150, ema_decay=0.0, teachers=(Teacher(teacher, (0, 60)),))
    out = tmp_path / "pupil.safetensors"
    training.train_variant(BLIND, [photos], taught, out, seed=1, compute=CPU)
    noisy = photos.items[0].load() + np.random.default_rng(0).normal(0, 20, (48, 40))
    expected, found = (denoiser.load(path, CPU)(noisy) for path in (teacher, str(out)))
    assert np.square(found - expected).mean() < 0.25 * np.square(noisy - expected).mean()


def test_weights_say_who_taught_them(photos: ImageSet, tmp_path: Path) -> None:
    teacher = weights(tmp_path, "dncnn-s-25", 0)
    taught = replace(TINY, teachers=(Teacher(teacher, (20, 30)),), taught=0.5)
    out = tmp_path / "pupil.safetensors"
    training.train_variant(BLIND, [photos], taught, out, seed=0, compute=CPU)
    made = load_tensors(out)[1]["training"]
    assert made["teachers"] == [denoiser.load(teacher, CPU).origin()]
    assert made["schedule"]["teachers"] == [
        {"weights": teacher, "sigma": [20.0, 30.0], "scale": None, "jpeg": False, "other": False}
    ]
    other = tmp_path / "plain.safetensors"
    training.train_variant(BLIND, [photos], TINY, other, seed=0, compute=CPU)
    assert load_tensors(other)[1]["training"]["teachers"] == []
    found, plain = (load_tensors(path)[0] for path in (out, other))
    assert any(not torch.equal(found[key], plain[key]) for key in plain)


def test_a_taught_training_resumes_to_the_same_weights(photos: ImageSet, tmp_path: Path) -> None:
    taught = replace(TINY, teachers=(Teacher(weights(tmp_path, "dncnn-s-25", 0), (0, 60)),))
    whole, pieces = tmp_path / "whole.safetensors", tmp_path / "pieces.safetensors"
    training.train_variant(BLIND, [photos], taught, whole, seed=0, compute=CPU)
    for _ in range(TINY.steps):
        try:
            training.train_variant(BLIND, [photos], taught, pieces, seed=0, compute=CPU, until=1e-9)
        except Paused:
            continue
    expected, found = (load_tensors(path)[0] for path in (whole, pieces))
    assert all(torch.equal(found[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("pupil", "name", "lesson", "message"),
    [
        ("dncnn-b", "dncnn-b-color", {"sigma": (0, 55)}, "1 channels, as dncnn-b has, found 3"),
        ("dncnn-b", "dncnn-b", {"sigma": (55, 60)}, "noise that dncnn-b learns, found 55 to 60"),
        ("dncnn-s-25", "dncnn-b", {"sigma": (0, 25)}, "that dncnn-s-25 learns, found 0 to 25"),
        ("dncnn-r", "dncnn-b-color", {"sigma": (0, 55)}, "that dncnn-r learns, found 0 to 55"),
        ("dncnn-b", "dncnn-x3", {"sigma": (0, 55)}, "white noise, found dncnn-x3; did you .*"),
        ("dncnn-3", "dncnn-b", {"other": True}, "than white noise, found dncnn-b and dncnn-3"),
        ("dncnn-b", "dncnn-3", {"other": True}, "than white noise, found dncnn-3 and dncnn-b"),
    ],
)
def test_a_teacher_that_cannot_teach_is_one_line(
    tmp_path: Path, pupil: str, name: str, lesson: dict[str, Any], message: str
) -> None:
    path = weights(tmp_path, name, 0, variant(name).architecture.channels)
    taught = replace(TINY, teachers=(Teacher(path, **lesson),))
    with pytest.raises(RestoreError, match=rf"^teachers: {path}: .*expected .*{message}$"):
        Teachers(taught, variant(pupil), CPU)


def test_teachers_are_read_from_a_schedules_file(tmp_path: Path) -> None:
    path = tmp_path / "taught.yaml"
    path.write_text(
        "{steps: 1, batch_size: 2, taught: 0.5, teachers: ["
        "{weights: dncnn-s-15, sigma: [6, 20]}, {weights: mine.safetensors, other: true}]}"
    )
    found = schedule(str(path), BLIND)
    assert found.teachers == (
        Teacher("dncnn-s-15", (6.0, 20.0)),
        Teacher("mine.safetensors", other=True),
    )
    assert found.taught == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("teachers: [{sigma: [1, 2]}]", "a value for the key weights"),
        ("teachers: [dncnn-b]", "keys and values"),
        (
            "teachers: [{weights: dncnn-b, noise: 3}]",
            "keys among weights, sigma, scale, jpeg, other",
        ),
        ("teachers: [{weights: dncnn-b}]", "dncnn-b: expected what it teaches, .* found none of"),
        ("teachers: [{weights: b, scale: x}]", "a whole number"),
        ("teachers: [{weights: b, scale: 3, jpeg: true}]", "b: expected `scale` alone, found it"),
        ("shares: [1, 2]", r"shares: expected three whole numbers, .* found \[1, 2\]"),
        ("shares: [0, 0, 0]", "shares: expected three whole numbers, 0 or more and not all 0"),
        ("shares: [1, -1, 1]", "shares: expected three whole numbers, 0 or more and not all 0"),
        ("teachers: [{weights: b, sigma: [9, 2]}]", "b: sigma: expected two rising numbers"),
        ("teachers: [{weights: b, sigma: [9]}]", "b: sigma: expected two rising numbers"),
        ("teachers: [{weights: b, sigma: [-1, 2]}]", "b: sigma: expected two rising numbers"),
        ("taught: 0.0", "taught: expected a share above 0 and at most 1, found 0.0"),
        ("taught: 1.5", "taught: expected a share above 0 and at most 1, found 1.5"),
    ],
)
def test_mistake_in_teachers_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "taught.yaml"
    path.write_text(f"steps: 1\nbatch_size: 2\n{text}\n")
    with pytest.raises(UserError, match=message) as caught:
        schedule(str(path), BLIND)
    assert "\n" not in str(caught.value)
