"""A job that fails between two others: the next run does it again, and what is made from it."""

import copy
import shutil

import numpy as np

from tests.workflow.tiny_project import CONFIG, Project

SPLIT = "results/hsi/field/random:0.3/split_seed0.npz"
SCORES = "results/hsi/per_class_accuracy.csv"


def test_a_job_that_fails_between_others_is_not_forgotten(
    project: Project, installed: None
) -> None:
    section = copy.deepcopy(CONFIG["hsi"]) | {"classifiers": ["coordinates"]}
    project.configure({"hsi": section, "device": "cpu"})
    done = project.run(SCORES)
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in project.run(SCORES).stderr
    scores = (project.folder / SCORES).read_text()

    cube, kept = project.folder / "field.npy", project.folder / "kept.npy"
    shutil.copy2(cube, kept)
    np.save(cube, np.zeros_like(np.load(kept)))  # whole, but no pixel holds a measurement
    for _ in range(2):
        failed = project.run(SCORES)
        assert failed.returncode == 1
        assert "Nothing to be done" not in failed.stderr
    assert not (project.folder / SPLIT).exists()

    kept.replace(cube)  # as old as it was: no file's time tells that anything is to be done
    assert cube.stat().st_mtime < (project.folder / SCORES).stat().st_mtime
    shown = project.run("--dry-run", SCORES)
    assert "split field" in shown.stdout
    mended = project.run(SCORES)
    assert mended.returncode == 0, mended.stderr
    assert (project.folder / SPLIT).exists()
    assert (project.folder / SCORES).read_text() == scores
    assert "Nothing to be done" in project.run(SCORES).stderr
