"""Pairs of images with real noise: tests of their own, whose rows stand beside the others."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.workflow.tiny_project import Project, images_alone, works_of


def with_pairs(project: Project, **pairs: Any) -> dict[str, Any]:
    """A config with the tests on real noise `pairs`, whose folders it makes."""
    for name, level in (("shots", 30), ("mean", 0)):
        (project.folder / name).mkdir()
        pixels = np.add.outer(np.arange(40), 3 * np.arange(48)).astype(float)
        pixels += np.random.default_rng(0).normal(0, level, pixels.shape)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(project.folder / name / "a.png")
    return images_alone(pairs=pairs, shipped={}, baselines={})


def test_pairs_are_tests_of_their_own(project: Project) -> None:
    night = {"noisy": "shots", "truth": "mean", "models": ["auto", "dncnn-s-25", "nlm"]}
    config = with_pairs(project, night=night, PolyU={"models": ["shipped-dncnn-s-25", "dncnn-b"]})
    jobs = project.jobs(project.configure(config))
    assert {job for job in works_of(jobs, "score", "draw") if "pairs:" in job} == {
        "score auto on pairs:night",
        "score dncnn-s-25 on pairs:night",
        "score nlm on pairs:night",
        "score shipped-dncnn-s-25 on pairs:PolyU",
        "score shipped-dncnn-b on pairs:PolyU",
        "draw pairs:night",
        "draw pairs:PolyU",
    }
    shown = project.run("--dry-run", "--printshellcmds")
    trained = [line for line in shown.stdout.splitlines() if "restore train" in line]
    assert len(trained) == 1
    for folder in ("photos/test", "shots", "mean"):
        assert f"--apart-from={folder} " in trained[0]
    assert "PolyU" not in trained[0]  # the model that is trained here is not tested on it
    assert "--images=shots --truth=mean --names=auto --name=night" in shown.stdout
    assert "--images=PolyU" in shown.stdout


@pytest.mark.usefixtures("installed")
def test_rows_of_pairs_stand_beside_the_others(project: Project) -> None:
    night = {"noisy": "shots", "truth": "mean", "models": ["auto", "nlm", "dncnn-s-25"]}
    config = with_pairs(project, night=night) | {"device": "cpu"}
    config["restore"]["models"] = {}
    config["restore"]["baselines"] = {"nlm": ["noise:25"]}
    project.configure(config)
    done = project.run("results/restore/psnr_ssim_summary.csv", "results/restore/pairs/night.png")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(project.folder / "results/restore/psnr_ssim_summary.csv")
    found = table[["model", "set", "degradation", "level"]].to_numpy().tolist()
    assert found == [
        ["nlm", "test", "noise", "25"],
        ["auto", "night", "pairs", "night"],
        ["nlm", "night", "pairs", "night"],
        ["dncnn-s-25", "night", "pairs", "night"],
    ]
    assert table.schedule.fillna("").iloc[3].endswith(", shipped")
    assert (table.psnr_gain_db[1:] > 1).all()
    with Image.open(project.folder / "results/restore/pairs/night.png") as picture:
        assert picture.width / 2.6 / 110 == pytest.approx(5, rel=0.01)
