"""Training writes weights that denoise, say what made them, and resume to the same values."""

import logging
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.device import Compute
from engine.tensors import load_tensors
from engine.training import loop
from restore.degradations.real_noise import RealNoise
from restore.errors import RestoreError
from restore.image_sets import find
from restore.image_sets.find import ImageSet, image_set
from restore.networks.denoiser import load
from restore.networks.variants import Architecture, variant
from restore.training import train as training
from restore.training.losses import LOSSES
from restore.training.schedules import PatchSchedule, schedule

ROOT = Path(__file__).resolve().parents[3]
CPU = Compute(torch.device("cpu"), "float32", "test")
SMALL = replace(variant("dncnn-s-25"), architecture=Architecture(4, 1, 8))
TINY = PatchSchedule("tiny", 30, 8, learning_rate=1e-2, patch=16, ema_decay=0.8)


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    ramp = np.add.outer(np.arange(48), np.arange(40)) * 2.5
    for index in range(2):
        Image.fromarray((ramp[:: 1 - 2 * index]).astype(np.uint8)).save(folder / f"{index}.png")
    return image_set(str(folder))


@pytest.mark.parametrize(
    ("key", "value"), [("patch", 7), ("scales", (1.5,)), ("darkest", 0.0), ("loss", "huber")]
)
def test_mistake_in_a_schedule_is_one_line(key: str, value: object) -> None:
    with pytest.raises(RestoreError, match=rf"schedule tiny: {key}: expected .*, found"):
        replace(TINY, **{key: value})  # type: ignore[arg-type]


def test_weights_remove_noise_and_describe_themselves(images: ImageSet, tmp_path: Path) -> None:
    out = tmp_path / "m" / "small.safetensors"
    sha = training.train_variant(
        SMALL, [images], TINY, out, seed=0, compute=CPU, history=out.with_suffix(".csv")
    )
    denoiser = load(str(out), CPU)
    assert denoiser.sha256 == sha
    assert denoiser.schedule == "tiny (30 steps)"
    clean = images.items[0].load().astype(float)
    noisy = clean + np.random.default_rng(1).normal(0, 25, clean.shape)
    assert np.mean((denoiser(noisy) - clean) ** 2) < 0.5 * np.mean((noisy - clean) ** 2)
    _, description = load_tensors(out)
    made = description["training"]
    assert made["seed"] == 0
    assert made["sets"] == ["photos"]
    assert made["schedule"]["steps"] == 30
    assert description["architecture"]["batch_norm"] is False
    assert len(out.with_suffix(".csv").read_text().splitlines()) == 31


def test_training_goes_on_from_weights(images: ImageSet, tmp_path: Path) -> None:
    first, out = tmp_path / "first.safetensors", tmp_path / "m.safetensors"
    sha = training.train_variant(SMALL, [images], TINY, first, seed=0, compute=CPU)
    still = replace(TINY, steps=1, learning_rate=1e-12, ema_decay=0.0)
    training.train_variant(SMALL, [images], still, out, seed=1, compute=CPU, start_from=str(first))
    tensors, description = load_tensors(out)
    expected = load_tensors(first)[0]
    assert list(tensors) == list(expected)
    assert all(torch.allclose(tensors[key], expected[key], atol=1e-6) for key in tensors)
    assert description["training"]["start"] == {
        "weights": "dncnn-s-25",
        "sha256": sha,
        "schedule": "tiny (30 steps)",
        "start": None,
    }
    assert description["training"]["architecture"]["batch_norm"] is False


def test_normalisation_can_be_put_back_into_weights_to_go_on_from(
    images: ImageSet, tmp_path: Path
) -> None:
    first, out = tmp_path / "first.safetensors", tmp_path / "m.safetensors"
    training.train_variant(SMALL, [images], TINY, first, seed=0, compute=CPU)
    still = replace(TINY, steps=1, learning_rate=1e-12, ema_decay=0.0, renormalised=True)
    training.train_variant(SMALL, [images], still, out, seed=1, compute=CPU, start_from=str(first))
    assert load_tensors(out)[1]["training"]["architecture"]["batch_norm"] is True
    clean = images.items[0].load().astype(float)
    noisy = clean + np.random.default_rng(1).normal(0, 25, clean.shape)
    expected, found = (load(str(path), CPU)(noisy) for path in (first, out))
    assert np.abs(found - expected).mean() < 2  # a step has moved the statistics


def test_a_network_for_photographs_learns_from_noise_of_its_schedule(
    images: ImageSet, tmp_path: Path
) -> None:
    small = replace(variant("dncnn-r"), architecture=Architecture(4, 3, 8))
    noise = RealNoise(enlarge=(1.2, 1.2), shrink=(1.0, 1.0))
    few = replace(TINY, steps=2, patch=8, loss="relative", noise=noise)
    out = tmp_path / "m.safetensors"
    training.train_variant(small, [images], few, out, seed=0, compute=CPU)
    made = load_tensors(out)[1]["training"]["schedule"]["noise"]
    assert (made["enlarge"], made["camera"]) == ([1.2, 1.2], 0.5)


def test_best_schedule_for_photographs_goes_on_from_weights_with_normalisation() -> None:
    best = schedule("best", variant("dncnn-r"))
    assert (best.loss, best.renormalised, best.noise) == ("relative", True, RealNoise())
    assert best.rate(best.steps - 1) < 1e-3 * best.learning_rate


def test_weights_of_another_shape_are_no_start(images: ImageSet, tmp_path: Path) -> None:
    expected = (
        "`start_from` dncnn-b: expected a network of the shape of dncnn-s-25 "
        r"\(4 layers, 1 channels, 8 features, residual\), found 20 layers, 1 channels, 64 features"
    )
    with pytest.raises(RestoreError, match=expected):
        training.train_variant(
            SMALL, [images], TINY, tmp_path / "m.safetensors",
            seed=0, compute=CPU, start_from="dncnn-b",
        )  # fmt: skip


def test_images_that_were_left_out_are_written_down(images: ImageSet, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    left_out = ["photos/7"]
    short = replace(TINY, steps=2)
    training.train_variant(SMALL, [images], short, out, seed=0, compute=CPU, left_out=left_out)
    assert load_tensors(out)[1]["training"]["left_out"] == left_out


def test_killed_training_ends_with_the_same_weights(
    images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole" / "m.safetensors", tmp_path / "broken" / "m.safetensors"
    training.train_variant(SMALL, [images], TINY, whole, seed=0, compute=CPU)
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", -1.0)
    steps = iter(range(100))
    loss = LOSSES[TINY.loss]

    def fragile(*args: object) -> torch.Tensor:
        if next(steps) == 13:
            raise KeyboardInterrupt
        return loss(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setitem(LOSSES, TINY.loss, fragile)
        with pytest.raises(KeyboardInterrupt):
            training.train_variant(SMALL, [images], TINY, broken, seed=0, compute=CPU)
    assert not broken.exists()
    training.train_variant(SMALL, [images], TINY, broken, seed=0, compute=CPU)
    tensors = [load_tensors(path)[0] for path in (whole, broken)]
    assert all(torch.equal(tensors[0][key], tensors[1][key]) for key in tensors[0])


# Trains in a process of its own, saves after every step, and dies by SIGKILL at step 13 of 30.
KILLED = """
import os, signal, sys
from pathlib import Path
from engine.training import loop
from restore.training import train as training
from restore.training.losses import LOSSES
from tests.restore.training.test_train import CPU, SMALL, TINY
from restore.image_sets.find import image_set

loop.SECONDS_BETWEEN_SAVES = -1.0
steps, loss = iter(range(100)), LOSSES[TINY.loss]

def fatal(network, batch):
    if next(steps) == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return loss(network, batch)

LOSSES[TINY.loss] = fatal
images, out = image_set(sys.argv[1]), Path(sys.argv[2])
training.train_variant(SMALL, [images], TINY, out, seed=0, compute=CPU)
"""


def test_training_that_was_killed_resumes_to_the_same_weights(
    images: ImageSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, broken = tmp_path / "whole" / "m.safetensors", tmp_path / "broken" / "m.safetensors"
    training.train_variant(SMALL, [images], TINY, whole, seed=0, compute=CPU)
    folder = str(images.items[0].path.parent)
    command = [sys.executable, "-c", KILLED, folder, str(broken)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not broken.exists()
    with caplog.at_level(logging.INFO):
        training.train_variant(SMALL, [images], TINY, broken, seed=0, compute=CPU)
    assert "resumed at step 13 of 30" in caplog.text
    tensors = [load_tensors(path)[0] for path in (whole, broken)]
    assert all(torch.equal(tensors[0][key], tensors[1][key]) for key in tensors[0])


def test_finished_training_is_not_repeated(
    images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "m.safetensors"
    training.train_variant(SMALL, [images], TINY, out, seed=0, compute=CPU)
    written = out.stat().st_mtime_ns
    training.train_variant(SMALL, [images], TINY, out, seed=0, compute=CPU)
    assert out.stat().st_mtime_ns == written
    training.train_variant(SMALL, [images], TINY, out, seed=1, compute=CPU)
    assert out.stat().st_mtime_ns != written


def test_best_schedule_divides_each_batch_of_dncnn_3_evenly() -> None:
    best = schedule("best", variant("dncnn-3"))
    assert best.batch_size % 3 == 0
    assert best.optimizer == "muon"
    assert best.rate(best.steps - 1) < 1e-3 * best.learning_rate


def test_paper_schedules_are_the_published_ones() -> None:
    for name, steps, patch in (("dncnn-s-15", 80_000, 40), ("dncnn-b", 150_000, 50)):
        paper = schedule("paper", variant(name))
        assert (paper.steps, paper.batch_size, paper.patch) == (steps, 128, patch)
        assert paper.rate(int(0.59 * steps)) == pytest.approx(1e-3)
        assert paper.rate(int(0.61 * steps)) == pytest.approx(1e-4)


def test_leaving_out_needs_a_test_set(images: ImageSet, tmp_path: Path) -> None:
    folder, out = images.items[0].path.parent, tmp_path / "m.safetensors"
    with pytest.raises(RestoreError, match="expected a test set in `apart_from` for drop, found n"):
        training.train("dncnn-s-25", folder, out, overlap="drop")
    assert not out.exists()


def test_each_training_image_is_decoded_once(
    images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    read = find.files.read

    def counted(path: Path) -> object:
        decoded.append(path.parent.name)
        return read(path)

    monkeypatch.setattr(find.files, "read", counted)
    short = tmp_path / "short.yaml"
    short.write_text("{steps: 1, batch_size: 2, learning_rate: 0.001, patch: 16}")
    folder = images.items[0].path.parent
    training.train(
        "dncnn-s-25", folder, tmp_path / "m.safetensors",
        schedule=str(short), device="cpu", apart_from=["embedded-test"],
    )  # fmt: skip
    assert decoded.count("photos") == 2  # there are two images
