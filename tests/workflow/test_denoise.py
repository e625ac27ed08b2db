"""Folders of images, denoised in jobs: divided by name, failing by name, resumed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from restore.folders import listing, shards
from restore.networks.denoiser import save
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture
from tests.workflow.tiny_project import CONFIG, Project

TARGET = "denoise_folders"


@pytest.fixture
def scans(project: Project) -> Path:
    """Eight images, on both of two shards, and a small network."""
    folder = project.folder / "scans"
    folder.mkdir()
    for number in range(8):
        add(folder / f"{number}.png")
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    save(project.folder / "small.safetensors", network, "dncnn-s-25", {})
    return folder


def add(path: Path) -> None:
    Image.fromarray(np.full((12, 9), 100, np.uint8)).save(path)


def configure(project: Project, *folders: dict[str, Any], **first: Any) -> str:
    chosen = {"input": "scans", "output": "clean", "model": "small.safetensors"}
    chosen |= {"images_per_job": 4} | first
    restore = CONFIG["restore"] | {"denoise": [chosen, *folders]}
    return project.configure({"restore": restore, "device": "cpu"})


def parts(folder: Path, images_per_shard: int = 4) -> dict[str, list[str]]:
    """The names of the images by the job that denoises them."""
    divided = shards.divide(listing.folder(folder, folder.parent / "clean"), images_per_shard)
    return {
        f"denoise {folder.name}, part {label.replace('-of-', '/')}": [job.name for job in jobs]
        for label, jobs in divided.items()
    }


def denoising(project: Project, config: str = "my.yaml") -> set[str]:
    return {job for job in project.jobs(config) if "scans" in job}


def test_a_folder_is_divided_into_jobs_of_about_a_size(project: Project, scans: Path) -> None:
    joined = "join the journals of scans"
    by_default = configure(project, images_per_job=300)
    assert denoising(project, by_default) == {"denoise scans, part 1/1", joined}
    add(scans / "new.png")
    by_two = configure(project, images_per_job=2)  # nine by two: five, so eight
    assert denoising(project, by_two) == {*parts(scans, 2), joined}
    assert all(job.endswith("/8") for job in parts(scans, 2))


@pytest.mark.usefixtures("installed")
def test_failures_are_named_and_only_what_is_needed_runs_again(
    project: Project, scans: Path
) -> None:
    configure(project)
    (scans / "3.png").write_text("no image")
    (broken,) = (job for job, names in parts(scans).items() if "3.png" in names)
    (sound,) = parts(scans).keys() - {broken}
    failed = project.run(TARGET)
    clean = project.folder / "clean"
    assert failed.returncode == 1
    assert "3.png: expected PNG, JPEG" in failed.stderr
    assert len(list(clean.glob("*.png"))) == 7
    assert denoising(project) == {broken, "join the journals of scans"}

    add(scans / "3.png")
    done = project.run(TARGET)
    assert done.returncode == 0, done.stderr
    journal = [json.loads(line) for line in (clean / "denoise.jsonl").read_text().splitlines()]
    assert sorted(x["file"] for x in journal if x["status"] == "done") == sorted(
        path.name for path in scans.iterdir()
    )
    assert [path.name for path in clean.glob("*.jsonl")] == ["denoise.jsonl"]
    assert "Nothing to be done" in project.run(TARGET).stderr

    configure(project, exclude=["*.bak.png"], recursive=True)
    assert denoising(project) == set()
    configure(project, strength=0.5)
    assert denoising(project) == {broken, sound, "join the journals of scans"}
    configure(project)
    (touched,) = (job for job, names in parts(scans).items() if "5.png" in names)
    Image.fromarray(np.full((12, 9), 50, np.uint8)).save(scans / "5.png")
    assert denoising(project) == {touched, "join the journals of scans"}
    again = project.run(TARGET)
    assert again.returncode == 0, again.stderr
    with Image.open(clean / "5.png") as image:
        assert image.getpixel((0, 0)) == 50


def test_a_run_may_do_nothing_but_denoise(project: Project, scans: Path) -> None:
    nothing: dict[str, Any] = {"models": {}, "shipped": {}, "baselines": {}}
    folder = {"input": "scans", "output": "clean", "model": "small.safetensors"}
    restore = CONFIG["restore"] | nothing | {"denoise": [folder]}
    jobs = project.jobs(project.configure({"restore": restore}))
    assert jobs == {"denoise scans, part 1/1", "join the journals of scans"}


def test_weights_that_the_run_trains_come_first(project: Project, scans: Path) -> None:
    trained = "results/restore/models/dncnn-s-25/seed0.safetensors"
    jobs = project.jobs(configure(project, model=trained))
    assert {"train dncnn-s-25", *parts(scans)} <= jobs


@pytest.mark.parametrize(
    ("first", "folders", "message"),
    [
        ({"input": "no"}, [], "my.yaml: restore.denoise[0].input: expected a folder, found no"),
        ({"model": "dncnn-x"}, [], "restore.denoise[0].model: model 'dncnn-x': expected a"),
        ({"output": "scans/clean"}, [], "scans/clean: the output folder is, holds or lies in"),
        (
            {},
            [{"input": "photos/test", "output": "clean"}],
            "restore.denoise[1].output: 'clean' is the output of another folder, too; name another",
        ),
        (
            {},
            [{"input": "clean", "output": "cleaner"}],
            "restore.denoise[1].input: 'clean' and the output 'clean' of restore.denoise[0] lie in",
        ),
    ],
)
def test_a_mistake_is_one_line(
    project: Project,
    scans: Path,
    first: dict[str, Any],
    folders: list[dict[str, Any]],
    message: str,
) -> None:
    (project.folder / "clean").mkdir()
    add(project.folder / "clean/x.png")
    run = project.run("--dry-run", config=configure(project, *folders, **first))
    lines = [line for line in run.stderr.splitlines() if not line.startswith("Using ")]
    assert run.returncode == 2
    assert len(lines) == 1
    assert lines[0].startswith("snakemake: ")
    assert message in lines[0]


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_an_image_that_fails_later_is_not_forgotten(project: Project, scans: Path) -> None:
    configure(project)
    assert project.run(TARGET).returncode == 0
    (scans / "3.png").write_text("no image")
    assert [project.run(TARGET).returncode for _ in range(2)] == [1, 1]
    (broken,) = (job for job, names in parts(scans).items() if "3.png" in names)
    assert broken in denoising(project)
    (scans / "3.png").unlink()
    assert project.run(TARGET).returncode == 0
    assert "Nothing to be done" in project.run(TARGET).stderr
