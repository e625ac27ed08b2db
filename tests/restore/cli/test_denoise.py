"""`restore denoise` as a program: killed, stopped, and held to little memory."""

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from restore.degradations.degradation import parse
from restore.evaluation import metrics
from restore.evaluation.pairs import pair
from restore.folders.journal import JOURNAL
from restore.images import files
from restore.images.picture import Picture
from restore.networks.denoiser import save
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture

ROOT = Path(__file__).resolve().parents[3]
MEASURED = """
import resource, sys
from restore.__main__ import app
app(sys.argv[1:], standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def command(*words):
    return [sys.executable, "-m", "restore", "denoise", *map(str, words)]


def started(*words):
    """Start a run and wait until its work begins."""
    run = subprocess.Popen(
        command(*words),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # Tests in the background of a shell ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert run.stderr is not None
    for line in run.stderr:
        if "device:" in line:
            return run
    raise AssertionError("it ended before it began")


def weights(path, depth, features):
    network = DnCNN(
        Architecture(depth, 1, features, batch_norm=False), torch.Generator().manual_seed(0)
    )
    save(path, network, "dncnn-s-25", {})
    return path


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(300):
        noise = rng.integers(0, 256, (40 + index % 7, 50), np.uint8)
        Image.fromarray(noise).save(folder / f"{index:03}.png")
    return folder


@pytest.mark.slow
def test_killed_20_times_in_a_row_it_still_ends_complete(photos, tmp_path, make_weights):
    out, model = tmp_path / "clean", make_weights()
    moments = random.Random(0)
    for _ in range(20):
        run = started(photos, out, "--model", model)
        time.sleep(moments.uniform(0, 0.3))
        run.send_signal(signal.SIGKILL)
        run.communicate()
        for path in out.glob("*.png"):  # whole, or not there
            assert np.array_equal(files.read(path).pixels, files.read(photos / path.name).pixels)
    last = subprocess.run(command(photos, out, "--model", model), cwd=ROOT, check=False)
    assert last.returncode == 0
    assert len((out / JOURNAL).read_text().splitlines()) == 300
    assert {path.name for path in out.iterdir()} == {
        JOURNAL, *(path.name for path in photos.iterdir())
    }  # fmt: skip
    for path in photos.iterdir():
        assert np.array_equal(files.read(path).pixels, files.read(out / path.name).pixels)


def test_stopped_by_ctrl_c_it_says_one_line_and_goes_on_next_time(tmp_path):
    (tmp_path / "photos").mkdir()
    for index in range(100):  # of many sizes, so that they do not go through in one batch
        black = np.zeros((120 + index, 160), np.uint8)
        files.write(tmp_path / "photos" / f"{index}.png", Picture(black))
    model = weights(tmp_path / "slow.safetensors", 17, 64)
    words = (tmp_path / "photos", tmp_path / "out", "--model", model)
    run = started(*words)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said.splitlines()[-1] == "restore: stopped; run the same command again to resume"
    assert "Traceback" not in said
    written = list((tmp_path / "out").glob("*.png"))
    assert 0 < len(written) < 100
    assert len((tmp_path / "out" / JOURNAL).read_text().splitlines()) == len(written)


def test_exit_status_tells_what_happened(tmp_path, make_weights):
    (tmp_path / "photos").mkdir()
    files.write(tmp_path / "photos" / "a.png", Picture(np.zeros((9, 9), np.uint8)))
    (tmp_path / "photos" / "b.png").write_text("text")
    sheet = tmp_path / "sheet.html"
    words = ["--model", make_weights(), "--compare", sheet]
    run = subprocess.run(
        command(tmp_path / "photos", tmp_path / "out", *words),
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 1
    assert "b.png: " in run.stderr
    assert run.stderr.splitlines()[-1].startswith("restore: 1 of 2 images failed")
    assert "a.png" in sheet.read_text()


@pytest.mark.parametrize("name", ["photos/a.png", "out/a.png", "mine.png"])
def test_a_sheet_never_replaces_an_image(tmp_path, make_weights, name):
    pixels = np.arange(81, dtype=np.uint8).reshape(9, 9)
    for file in ("photos/a.png", "mine.png"):
        files.write(tmp_path / file, Picture(pixels))
    words = ["--model", make_weights(), "--compare", tmp_path / name]
    run = subprocess.run(
        command(tmp_path / "photos", tmp_path / "out", *words),
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 2
    assert f"--compare {tmp_path / name}: expected " in run.stderr.splitlines()[-1]
    assert not (tmp_path / "out" / "a.png").exists()
    for file in ("photos/a.png", "mine.png"):
        assert (files.read(tmp_path / file).pixels == pixels).all()


def peak_bytes(*words):
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, "denoise", *map(str, words)],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    unit = 1 if sys.platform == "darwin" else 1024
    return int(re.findall(r"\d+", run.stdout)[-1]) * unit


@pytest.mark.parametrize(("suffix", "shape"), [(".png", (4500, 4500)), (".tif", (2600, 2600, 3))])
def test_memory_is_a_few_times_the_image(tmp_path, suffix, shape):
    model = weights(tmp_path / "small.safetensors", 3, 2)
    rng = np.random.default_rng(0)
    for name, size in (("small", (8, 8)), ("large", shape)):
        pixels = rng.integers(100, 110, size, np.uint8)
        files.write(tmp_path / f"{name}{suffix}", Picture(pixels))
    options = ("--model", model, "--tile", "256")
    base, peak = (
        peak_bytes(tmp_path / f"{name}{suffix}", tmp_path / f"{name}2{suffix}", *options)
        for name in ("small", "large")
    )
    size = np.prod(shape)
    # The image twice where it is decoded, and never as floating point, which takes four or eight.
    assert peak - base < 2.2 * size + 30e6


@pytest.mark.slow
def test_400_megapixels_in_2_gib(tmp_path):
    """With as many features as DnCNN has, so that tiles take as much; fewer layers, for time."""
    model = weights(tmp_path / "wide.safetensors", 3, 64)
    rng = np.random.default_rng(0)
    pixels = np.empty((20_000, 20_000), np.uint8)
    for row in range(0, 20_000, 500):
        pixels[row : row + 500] = rng.integers(0, 256, (500, 20_000), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "large.png", compress_level=1)
    peak = peak_bytes(tmp_path / "large.png", tmp_path / "clean.png", "--model", model)
    assert peak < 2 * 2**30


@pytest.mark.slow
@pytest.mark.reference
def test_set12_is_within_a_twentieth_of_a_decibel_of_the_benchmark(
    shared_data, tmp_path, monkeypatch, cpu
):
    from restore.folders.folder import denoise_files
    from restore.folders.options import FolderOptions
    from restore.networks import denoiser as models
    from restore.networks import shipped

    model = tmp_path / "dncnn-s-25.safetensors"
    models.import_published(shared_data / "published_weights" / "sigma=25.mat", model)
    monkeypatch.setattr(shipped, "shipped_models", lambda: {"dncnn-s-25": model})
    denoiser = models.load(str(model), cpu)
    references, benchmark = {}, []
    for path in sorted((shared_data / "images" / "Set12").iterdir()):
        image = files.read(path).pixels
        case = pair(image, parse("noise:25"), seed=0, name=path.stem)
        deep = np.clip(np.rint(case.observed * 257), 0, 65535).astype(np.uint16)
        files.write(tmp_path / "noisy" / f"{path.stem}.png", Picture(deep))
        references[path.stem] = case.target
        result = metrics.quantise(denoiser(case.observed))
        benchmark.append(metrics.psnr(case.target, result, 0))
    denoise_files(tmp_path / "noisy", tmp_path / "clean", "auto", FolderOptions(), lambda: cpu)
    found = [
        metrics.psnr(target, files.read(tmp_path / "clean" / f"{name}.png").pixels / 257, 0)
        for name, target in references.items()
    ]
    assert np.mean(found) == pytest.approx(np.mean(benchmark), abs=0.05)
