"""A training that fails or is killed: the old weights stay, and the next call trains again."""

import copy
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.artifacts import sha256_file
from engine.tensors import load_tensors
from tests.workflow.tiny_project import CONFIG, Project, make_project

INFINITE = "learning_rate: 1.0e+30\n"


class Training:
    """A training of one section: its target, its schedule and what a run says of it."""

    def __init__(self, section: str, folder: str, names: tuple[str, ...], message: str) -> None:
        self.section = section
        self.results = [f"{folder}/{name}" for name in names]
        self.message = message
        self.schedule = CONFIG[section]["schedule"]
        self.text = "batch_size: 2\npatch: 16\n" if section == "restore" else "batch_size: 8\n"

    def configure(self, project: Project) -> str:
        config: dict[str, Any] = {self.section: copy.deepcopy(CONFIG[self.section])}
        if self.section == "hsi":
            config["hsi"] |= {"classifiers": ["cnn2d"]}
        return project.configure(config | {"device": "cpu"})

    def learn(self, project: Project, steps: int, more: str = "") -> None:
        text = f"steps: {steps}\n{self.text}{more}"
        (project.folder / self.schedule).write_text(text)

    def state(self, project: Project) -> dict[str, str]:
        """The content of the results."""
        return {name: sha256_file(project.folder / name) for name in self.results}

    def steps(self, project: Project) -> int:
        description = load_tensors(project.folder / self.results[0])[1]
        found = description["training"] if self.section == "restore" else description
        return int(found["schedule"]["steps"])


IMAGES = Training(
    "restore",
    "results/restore/models/dncnn-s-25",
    ("seed0.safetensors", "seed0.csv"),
    "train dncnn-s-25",
)
SCENES = Training(
    "hsi",
    "results/hsi/field/random:0.3/cnn2d/seed0",
    ("model.safetensors", "train.csv", "train.png"),
    "train cnn2d on field, random:0.3, seed 0",
)


@pytest.fixture(
    scope="module",
    params=[IMAGES, pytest.param(SCENES, marks=pytest.mark.slow)],
    ids=["images", "scenes"],
)
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, installed: None
) -> tuple[Training, Project]:
    """A training that has ended well once, in a project."""
    training: Training = request.param
    project = make_project(tmp_path_factory.mktemp("trained"))
    training.configure(project)
    training.learn(project, 2)
    done = project.run(training.results[0])
    assert done.returncode == 0, done.stderr
    return training, project


@pytest.fixture
def training(trained: tuple[Training, Project]) -> Training:
    return trained[0]


@pytest.fixture
def project(trained: tuple[Training, Project], tmp_path: Path) -> Project:
    """A copy of that project, with what Snakemake knows of it."""
    shutil.copytree(trained[1].folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def to_do(project: Project, training: Training) -> set[str]:
    """What a run of the training's target would do."""
    shown = project.run("--dry-run", training.results[0])
    return {line.partition(": ")[2] for line in shown.stdout.splitlines() if line[:4] == "Job "}


def test_a_training_that_fails_is_tried_again(project: Project, training: Training) -> None:
    before = training.state(project)
    training.learn(project, 3, INFINITE)
    for _ in range(2):
        failed = project.run(training.results[0])
        assert failed.returncode == 1
        assert "expected a finite number; lower the learning rate" in failed.stderr
        assert training.state(project) == before
    assert training.message in to_do(project, training)

    training.learn(project, 3)
    mended = project.run(training.results[0])
    assert mended.returncode == 0, mended.stderr
    assert training.steps(project) == 3
    assert training.state(project) != before
    assert "Nothing to be done" in project.run(training.results[0]).stderr


def test_the_old_schedule_takes_the_old_weights(project: Project, training: Training) -> None:
    before = training.state(project)
    training.learn(project, 3, INFINITE)
    assert project.run(training.results[0]).returncode == 1
    run = project.folder / Path(training.results[0]).parent
    losses = run / ".training" / Path(training.results[1]).name
    losses.unlink()  # as the command replaces a file, which the results may share by a hard link
    losses.write_text("losses of the training that failed")
    training.learn(project, 2)
    back = project.run(training.results[0])
    assert back.returncode == 0, back.stderr
    assert {*training.state(project).items()} >= {*list(before.items())[:2]}
    assert "Nothing to be done" in project.run(training.results[0]).stderr


def test_a_training_that_is_killed_is_done_again(project: Project, training: Training) -> None:
    how = signal.SIGKILL if training is IMAGES else signal.SIGTERM
    before = training.state(project)
    training.learn(project, 100_000)
    run = subprocess.Popen(
        project.command(training.results[0]),
        cwd=project.folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    kept = project.folder / Path(training.results[0]).parent / ".training/.resume"
    wait_for(lambda: any(kept.glob("*/lock")), run)
    time.sleep(0.5)
    os.killpg(run.pid, how)
    assert run.wait() != 0
    assert training.state(project) == before
    assert training.message in to_do(project, training)

    training.learn(project, 3)
    mended = project.run(training.results[0])
    assert mended.returncode == 0, mended.stderr
    assert training.steps(project) == 3
    assert "Nothing to be done" in project.run(training.results[0]).stderr


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "the training did not start"
        time.sleep(0.05)
