"""The commands that denoise and degrade scenes."""

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
