"""The half of scenes: the study of settings, and scenes that are only mapped."""

import copy
import json
import re

import numpy as np
import pandas as pd
import pytest

from engine.page.scene_view import load_view
from tests.workflow.tiny_project import CONFIG, Project


def test_a_network_may_have_a_schedule_of_its_own(project: Project) -> None:
    found = copy.deepcopy(CONFIG)
    found["restore"] = None
    found["hsi"] |= {"classifiers": ["hybridsn", "cnn2d"], "schedules": {"cnn2d": "notebook"}}
    shown = project.run("--dry-run", "--printshellcmds", config=project.configure(found))
    trained = re.findall(r"hsi train .* --classifier (\S+) .* --schedule (\S+)", shown.stdout)
    assert sorted(trained) == [("cnn2d", "notebook"), ("hybridsn", "shorter.yaml")]


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
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


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_backbones_are_a_target_of_their_own(project: Project) -> None:
    (project.folder / "tried.yaml").write_text(
        "plain: {classifier: cnn2d, window: 9, components: 13}\nspectra: {classifier: svm}\n"
    )
    found = copy.deepcopy(CONFIG)
    found["restore"] = None
    found["hsi"] |= {"backbones": {"candidates": "tried.yaml"}, "seeds": [0, 1]}
    config = project.configure(found)
    assert not [job for job in project.jobs(config) if "many classifiers" in job]
    done = project.run("backbones")
    assert done.returncode == 0, done.stderr
    folder = project.folder / "results/hsi"
    rows, means = (pd.read_csv(folder / f"backbones{end}.csv") for end in ("", "_means"))
    assert sorted(rows["candidate"]) == ["plain", "plain", "spectra", "spectra"]
    assert means["draws"].tolist() == [2, 2]
    assert (folder / "backbones.png").is_file()


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_denoise_then_classify_is_a_target_of_its_own(project: Project) -> None:
    found = copy.deepcopy(CONFIG)
    found["restore"] = None
    found["hsi"]["denoise_then_classify"] = {
        "noises": ["clean", "gaussian:25"],
        "arms": ["box-mean", "pca"],
        "splits": ["random:0.3"],
        "classifiers": ["svm", "hybridsn"],
        "draws": [1, 2],
    }
    config = project.configure(found)
    assert not [job for job in project.jobs(config) if "denoised, clean" in job]
    done = project.run("denoise_then_classify")
    assert done.returncode == 0, done.stderr
    folder = project.folder / "results/hsi"
    rows = pd.read_csv(folder / "denoise_then_classify.csv")
    assert len(rows) == 2 * 3 * 1 * 2 * 2
    assert set(rows["arm"]) == {"raw", "box-mean", "pca"}
    assert set(rows["schedule"].dropna()) == {"shorter"}
    assert (rows[rows["arm"] == "raw"]["oa_gain"] == 0).all()
    same = rows.groupby(["split", "draw"])["test_pixels"].nunique()
    assert (same == 1).all()
    means = pd.read_csv(folder / "denoise_then_classify_means.csv")
    assert set(means["draws"]) == {2}
    assert (folder / "denoise_then_classify_field.png").is_file()
    assert "band-by-band" not in (folder / "denoise_then_classify.html").read_text()
    assert not list((folder / "field/denoise_then_classify").rglob("*.img"))  # temporary
    again = project.run("--dry-run", "denoise_then_classify")
    assert "Nothing to be done" in again.stdout + again.stderr


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_scenes_are_mapped_with_a_model_at_once_or_in_strips(project: Project) -> None:
    model = "results/hsi/field/random:0.3/hybridsn/seed0/model.safetensors"
    trained = project.run(model)
    assert trained.returncode == 0, trained.stderr
    asked = {"scene": "field.npy", "model": model, "confidence": True, "memory": "1GiB"}
    found = copy.deepcopy(CONFIG)
    found["restore"] = None
    found["hsi"]["maps"] = {"whole": asked, "cut": asked | {"strips": 3}}
    config = project.configure(found)
    jobs = {job for job in project.jobs(config) if job.startswith(("map whole", "map cut"))}
    assert jobs == {
        "map whole",
        "map cut: join its strips",
        *(f"map cut, strip {number}/3" for number in (1, 2, 3)),
    }
    targets = ["map_scenes", "results/maps/cut/view.npz"]
    done = project.run(*targets)
    assert done.returncode == 0, done.stderr
    folder = project.folder / "results/maps"
    whole, cut = (np.load(folder / name / "map.npy") for name in ("whole", "cut"))
    assert whole.shape == (28, 30)
    assert np.array_equal(whole, cut)
    assert np.load(folder / "cut/map_confidence.npy").shape == whole.shape
    assert json.loads((folder / "cut/map.json").read_text())["strips"] == 3
    (view,) = load_view(folder / "cut/view.npz").maps
    assert np.array_equal(view.numbers, cut)
    assert view.confidence is not None
    found["hsi"]["maps"]["whole"]["memory"] = "1500MiB"
    again = project.run("--dry-run", *targets, config=project.configure(found))
    assert "Nothing to be done" in again.stdout + again.stderr
    found["hsi"]["maps"]["whole"]["probabilities"] = True
    assert project.jobs(project.configure(found)) & {"map whole"}
