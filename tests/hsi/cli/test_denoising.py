"""The commands that denoise and degrade scenes."""

import signal
import subprocess
import sys

import numpy as np

from hsi.scenes.scene import Scene, open_scene, write_scene
from tests.hsi.denoising.cubes import clean_cube, psnr


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "hsi", *map(str, arguments)], capture_output=True, text=True
    )


def test_a_scene_is_degraded_and_denoised(tmp_path):
    clean = clean_cube(40, 36, 12)
    write_scene(tmp_path / "in.hdr", Scene("in", clean.astype(np.float32)))
    made = run("degrade", tmp_path / "in.hdr", tmp_path / "noisy.hdr", "gaussian:25", "--seed", 3)
    assert made.returncode == 0, made.stderr
    noisy = open_scene(tmp_path / "noisy.hdr").cube[:]
    done = run("denoise", tmp_path / "noisy.hdr", tmp_path / "out.npy", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert psnr(np.load(tmp_path / "out.npy"), clean) > psnr(noisy, clean) + 8
    again = run("denoise", tmp_path / "noisy.hdr", tmp_path / "out.npy", "--device", "cpu")
    assert again.returncode == 0, again.stderr
    assert "holds exactly this scene already; nothing to do" in again.stderr
    line = ("denoise", tmp_path / "noisy.hdr", tmp_path / "out.npy", "--components", "3")
    again = run(*line, "--device", "cpu")
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    wrong = run("denoise", tmp_path / "noisy.hdr", tmp_path / "other.npy", "--components", "no")
    assert wrong.returncode == 2
    assert "--components no: expected auto or a number, at least 1" in wrong.stderr
    wrong = run("degrade", tmp_path / "in.hdr", tmp_path / "rain.hdr", "rain:3")
    assert wrong.returncode == 2
    assert "rain:3: expected a form such as gaussian:25" in wrong.stderr


# `hsi denoise` that dies by SIGKILL when the third block is written, and not yet in the journal.
KILLED = """
import os, signal
from hsi.__main__ import run
from hsi.denoising import denoise

plain, begun = denoise.denoised_block, []

def fatal(*arguments):
    begun.append(1)
    yield from plain(*arguments)
    if len(begun) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

denoise.SECONDS_BETWEEN_FLUSHES = 0
denoise.denoised_block = fatal
run()
"""


def test_a_killed_run_ends_as_an_unbroken_one_would(tmp_path):
    noisy = clean_cube(50, 44, 12) + np.random.default_rng(2).normal(0, 0.1, (50, 44, 12))
    write_scene(tmp_path / "in.hdr", Scene("in", np.rint(noisy * 4000).astype(np.int16)))
    line = ("denoise", tmp_path / "in.hdr", "--device", "cpu", "--block", 25)
    done = run(*line, tmp_path / "whole.npy")
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-c", KILLED, *map(str, line), str(tmp_path / "out.npy")]
    killed = subprocess.run(command, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "out.npy").exists()
    again = run(*line, tmp_path / "out.npy")
    assert again.returncode == 0, again.stderr
    assert "resumes behind 2 of 4 finished blocks" in again.stderr
    assert (tmp_path / "out.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_a_scene_is_classified_as_it_is_and_denoised(tmp_path):
    cube = clean_cube(40, 36, 12)
    truth = 1 + np.digitize(cube[..., 3], np.quantile(cube[..., 3], (0.3, 0.7)))
    np.save(tmp_path / "truth.npy", truth.astype(np.uint8))
    write_scene(tmp_path / "in.hdr", Scene("in", cube.astype(np.float32)))
    split = ("split", tmp_path / "truth.npy", "--how", "random:0.3", "--out", tmp_path / "s.npz")
    assert run(*split).returncode == 0
    line = ("denoise-arms", tmp_path / "in.hdr", "--noise", "gaussian:50", "--out", tmp_path / "n")
    done = run(*line, "--method", "box-mean", "--method", "pca")
    assert done.returncode == 0, done.stderr
    arms = [tmp_path / "n" / f"{name}.hdr" for name in ("raw", "box-mean", "pca")]
    line = ("--labels", tmp_path / "truth.npy", "--split", tmp_path / "s.npz")
    line = ("classify-arms", *arms, *line, "--classifier", "svm", "--noise", "gaussian:50")
    done = run(*line, "--name", "made", "--out", tmp_path / "0.csv")
    assert done.returncode == 0, done.stderr
    done = run("arms-summary", tmp_path / "0.csv", "--out", tmp_path / "all.csv")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "all_means.csv").read_text()
    assert "made,gaussian:50,random:0.3,svm,,box-mean,1," in text
    wrong = run(*line[:2], *line[4:], "--out", tmp_path / "1.csv")
    assert wrong.returncode == 2
    assert "--arm: expected at least two versions of a scene, found 1" in wrong.stderr
