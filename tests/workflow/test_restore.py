"""The half of images: sets of a model's own, colour, overlap, where data lie, the ablation."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from engine.tensors import load_tensors
from restore.image_sets.fetch import downloads
from restore.image_sets.find import image_set
from tests.workflow.tiny_project import ROOT, Project, images_alone, works_of

WEIGHTS = "results/restore/models/dncnn-s-25/seed0.safetensors"
LOG = "results/logs/restore/train/dncnn-s-25.log"


def shorten(project: Project, steps: int) -> None:
    """Let the networks learn for even fewer steps, on smaller patches."""
    text = f"steps: {steps}\nbatch_size: 1\npatch: 16\n"
    (project.folder / "user's short.yaml").write_text(text)


def test_a_model_may_have_sets_of_its_own(project: Project) -> None:
    shutil.copytree(project.folder / "photos/test", project.folder / "more")
    own = {"train": ["photos/test"], "test": {"photos/train": ["noise:15"], "more": ["noise:5"]}}
    config = images_alone(
        models={"dncnn-s-25": ["noise:25"], "dncnn-b": own},
        baselines={"nlm": {"test": {"more": ["noise:5"]}}},
    )
    jobs = project.jobs(project.configure(config))
    assert works_of(jobs, "train", "degrade", "score", "draw") == {
        "train dncnn-s-25",
        "train dncnn-b",
        "degrade test: noise:25",
        "degrade train: noise:15",
        "degrade more: noise:5",
        "score dncnn-s-25 on test, noise",
        "score shipped-dncnn-s-25 on test, noise",
        "score dncnn-b on train, noise",
        "score dncnn-b on more, noise",
        "score nlm on more, noise",
        "draw test, noise:25",
        "draw train, noise:15",
        "draw more, noise:5",
        "draw training curves",
    }
    shown = project.run("--dry-run", "--printshellcmds")
    commands = [line for line in shown.stdout.splitlines() if "restore train dncnn-b " in line]
    assert len(commands) == 1
    for option in ("--images=photos/test ", "--apart-from=more --apart-from=photos/train "):
        assert option in commands[0]
    assert "photos/train --out" not in commands[0]


def in_colour(project: Project, **restore: Any) -> dict[str, Any]:
    """A config of colour images, which it makes, with other keys in its section `restore`."""
    rng = np.random.default_rng(0)
    for name in ("train", "test"):
        (project.folder / "colour" / name).mkdir(parents=True)
        pixels = rng.integers(0, 256, (40, 48, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(project.folder / "colour" / name / "a.png")
    return images_alone(train_images=["colour/train"], test_images=["colour/test"], **restore)


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_colour_models_are_tested_in_colour(project: Project) -> None:
    project.configure(in_colour(project, models={"dncnn-s-25-color": ["noise:25"]}))
    strip = "results/restore/strips-color/test/noise:25.png"
    scores = [
        f"results/restore/scores/test/noise/{name}.csv" for name in ("dncnn-s-25-color", "nlm")
    ]
    done = project.run(strip, *scores)
    assert done.returncode == 0, done.stderr
    with Image.open(project.folder / strip) as picture:
        assert picture.width / 2.6 / 110 == pytest.approx(3, rel=0.01)  # no grey column beside
    inputs = [pd.read_csv(project.folder / path)["psnr_input_db"][0] for path in scores]
    assert inputs[0] != inputs[1]  # in colour, and in grey
    folder = project.folder / "results/restore"
    assert (folder / "degraded-color/test/noise:25/degraded.json").is_file()
    assert (folder / "degraded/test/noise:25/degraded.json").is_file()


def test_the_model_for_photographs_is_a_colour_model(project: Project) -> None:
    jobs = project.jobs(
        project.configure(in_colour(project, models={"dncnn-r": ["camera:1600"]}, shipped={}))
    )
    assert works_of(jobs, "train", "degrade", "draw-color") == {
        "train dncnn-r",
        "degrade-color test: camera:1600",
        "degrade test: noise:25",  # for the baseline
        "draw-color test, camera:1600",
    }
    assert "score dncnn-r on test, camera" in jobs


@pytest.mark.usefixtures("installed")
def test_a_training_image_that_shows_a_test_image(project: Project) -> None:
    photos = project.folder / "photos"
    camera = Image.fromarray(next(iter(image_set("embedded-test"))).load())
    camera.save(photos / "test/camera.png")
    camera.crop((101, 52, 301, 232)).save(photos / "train/copy.png")
    project.configure(images_alone())
    refused = project.run(WEIGHTS)
    assert refused.returncode == 1
    expected = "restore: training image train/copy shows the same picture as test/camera: train on"
    assert expected in (project.folder / LOG).read_text()
    assert not (project.folder / WEIGHTS).exists()

    project.configure(images_alone(overlap="drop"))
    dropped = project.run(WEIGHTS)
    assert dropped.returncode == 0, dropped.stderr
    training = load_tensors(project.folder / WEIGHTS)[1]["training"]
    assert (training["left_out"], training["images"]) == (["train/copy"], 2)
    assert "train/copy shows the same picture" in (project.folder / LOG).read_text()


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_another_test_set_does_not_train_again(project: Project) -> None:
    project.configure(images_alone())
    shorten(project, 3)
    assert project.run(WEIGHTS).returncode == 0
    written = (project.folder / WEIGHTS).read_bytes()
    shutil.copytree(project.folder / "photos/test", project.folder / "more")
    config = project.configure(images_alone(test_images=["photos/test", "more"]))
    assert "train dncnn-s-25" in project.jobs(config)
    assert project.run(WEIGHTS).returncode == 0
    assert "holds exactly this training already" in (project.folder / LOG).read_text()
    assert (project.folder / WEIGHTS).read_bytes() == written
    assert "Nothing to be done" in project.run(WEIGHTS).stderr

    shorten(project, 2)
    assert project.run(WEIGHTS).returncode == 0
    training = load_tensors(project.folder / WEIGHTS)[1]["training"]
    assert training["schedule"]["steps"] == 2


@pytest.mark.usefixtures("installed")
def test_published_sets_are_looked_for_under_the_data_root(project: Project) -> None:
    shutil.copytree(project.folder / "photos/test", project.folder / "data/Set14")
    config = images_alone(test_images=["Set14"]) | {"data_root": "data"}
    project.configure(config)
    manifest = "results/restore/degraded/Set14/noise:25/degraded.json"
    done = project.run(manifest)
    assert done.returncode == 0, done.stderr
    assert "test0" in (project.folder / manifest).read_text()


def test_a_set_that_cannot_be_fetched_stops_a_run_at_its_start(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RESTORE_DATA", raising=False)
    config = project.configure(images_alone(test_images=["Set14"]))
    assert "degrade Set14: noise:25" in project.jobs(config)
    run = project.run()
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1] == (
        "snakemake: image set Set14 has no checked download: put its 14 images into a folder "
        "Set14, and name the folder that holds it as data_root"
    )
    assert not (project.folder / "results/restore").exists()


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_the_ablation_is_a_target_of_its_own(project: Project) -> None:
    shorten(project, 3)
    config = project.configure(images_alone())
    assert not [job for job in project.jobs(config) if "direct" in job]
    done = project.run("ablation")
    assert done.returncode == 0, done.stderr
    folder = project.folder / "results/restore"
    table = pd.read_csv(folder / "ablation.csv")
    assert table["model"].tolist() == [
        *("dncnn-s-25", "dncnn-s-25-direct", "dncnn-s-25-nobn", "dncnn-s-25-nobn-direct"),
    ]
    assert table["residual"].tolist() == ["yes", "no", "yes", "no"]
    assert table["batch_norm"].tolist() == ["yes", "yes", "no", "no"]
    for name in ("ablation.png", "ablation.html"):
        assert (folder / name).is_file()
    assert "dncnn-s-25-nobn-direct" in (folder / "ablation.html").read_text()
    report = project.run("ablation", "--report", "ablation.html")
    assert report.returncode == 0, report.stderr
    assert "smoothed" in (project.folder / "ablation.html").read_text()


def test_optimizers_are_a_second_factor_of_the_ablation(project: Project) -> None:
    config = images_alone(ablation={"sigma": 40, "optimizers": ["adam", "sgd"]})
    project.configure(config)
    shown = project.run("ablation", "--dry-run", "--printshellcmds")
    assert shown.stdout.count("restore train dncnn-s-40") == 8
    assert shown.stdout.count("--optimizer=sgd") == 4
    assert shown.stdout.count("--degradation=noise:40") == 8


def test_the_published_run_needs_no_data_to_be_planned(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    jobs = project.jobs(str(ROOT / "config/paper.yaml"))
    noise = ("noise:15", "noise:25", "noise:50")
    bicubic = ("bicubic:2", "bicubic:3", "bicubic:4")
    jpeg = ("jpeg:10", "jpeg:20", "jpeg:30", "jpeg:40")
    camera = ("camera:400", "camera:1600", "camera:6400")
    own = {
        **{f"dncnn-s-{sigma}": [(s, f"noise:{sigma}") for s in ("BSD68", "Set12")]
           for sigma in (15, 25, 50)},
        "dncnn-b": [(name, level) for name in ("BSD68", "Set12") for level in noise],
        "dncnn-3": [
            *(("BSD68", level) for level in noise),
            *(("Set5", level) for level in bicubic),
            *((name, level) for name in ("Classic5", "LIVE1") for level in jpeg),
        ],
        "dncnn-b-color": [("CBSD68", level) for level in noise],
        "dncnn-r": [("CBSD68", level) for level in camera],
    }  # fmt: skip
    classical = {name: [("BSD68", level) for level in noise] for name in ("nlm", "wavelet", "tv")}
    assert works_of(jobs, "train dncnn") == {f"train {name}" for name in own}
    grey = {test for name, tests in own.items() for test in tests if test[0] != "CBSD68"}
    assert works_of(jobs, "degrade") == {
        *(f"degrade {name}: {level}" for name, level in grey),
        *(f"degrade-color CBSD68: {level}" for level in noise + camera),
    }
    scored = {
        f"score {model} on {name}, {level.partition(':')[0]}"
        for model, tests in (own | classical).items()
        for name, level in tests
    }
    scored |= {
        f"score {model} on pairs:PolyU" for model in ("auto", "dncnn-r", "dncnn-b-color", "nlm")
    }
    assert {job for job in works_of(jobs, "score") if "IndianPines" not in job} == scored
    runs = {
        f"{classifier} on IndianPines, {split}, seed {seed}"
        for classifier in ("hybridsn", "coordinates", "svm", "forest", "boxmean-svm")
        for split in ("random:0.3", "random:0.1", "blocks:16")
        for seed in range(10)
    }
    assert {job.removeprefix("score ") for job in jobs if "score" in job} >= runs
    assert not (project.folder / "results").exists()
    assert tmp_path in downloads().parents
    # No download: what the modules are made of alone.
    assert {item.name for item in downloads().iterdir()} <= {"revisions.json"}
