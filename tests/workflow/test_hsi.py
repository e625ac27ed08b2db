"""The half of scenes: the study of settings."""

import copy

import pandas as pd
import pytest

from tests.workflow.tiny_project import CONFIG, Project


@pytest.mark.usefixtures("installed")
def test_the_study_is_a_target_of_its_own(project: Project) -> None:
    (project.folder / "tried.yaml").write_text(
        "plain: {classifier: cnn2d, window: 9, components: 13}\nspectra: {classifier: svm}\n"
    )
    found = copy.deepcopy(CONFIG)
    found["restore"] = None
    found["hsi"]["study"] = {"candidates": "tried.yaml", "inner": "random:0.5", "folds": 2}
    config = project.configure(found)
    assert not [job for job in project.jobs(config) if "compare settings" in job]
    done = project.run("study")
    assert done.returncode == 0, done.stderr
    folder = project.folder / "results/hsi/field/random:0.3"
    runs, means = (pd.read_csv(folder / name) for name in ("study.csv", "study_means.csv"))
    assert runs["candidate"].tolist() == ["plain", "spectra"] * 2
    assert means["folds"].tolist() == [2, 2]
    assert means["oa"].is_monotonic_decreasing
    split = pd.read_csv(folder / "study.csv")
    assert (split["train_pixels"] + split["test_pixels"]).nunique() <= 2  # within the training
    assert "spectra" in (folder / "study.html").read_text()
