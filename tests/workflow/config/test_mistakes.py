"""Mistakes in a config: one line before any work starts."""

import copy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.memory import size_in_words
from tests.workflow.config.mistakes_of_images import OF_IMAGES
from tests.workflow.config.mistakes_of_scenes import OF_SCENES
from tests.workflow.tiny_project import (
    CONFIG,
    Project,
    describe_model,
    make_project,
    run_in_turn,
)


def lines(stderr: str) -> list[str]:
    """What Snakemake says besides that it found its profile."""
    return [line for line in stderr.splitlines() if not line.startswith("Using ")]


MISTAKES = OF_IMAGES + OF_SCENES


@pytest.fixture(scope="module")
def said(
    tmp_path_factory: pytest.TempPathFactory, installed: None
) -> dict[str, tuple[int, str, Path]]:
    """The status, the errors and the folder of a run with each mistake, by its message."""
    folders, commands = [], []
    for section, key, value, _ in MISTAKES:
        project = make_project(tmp_path_factory.mktemp("mistaken"))
        (project.folder / "empty").mkdir()
        (project.folder / "typo.yaml").write_text("steps: 3\nbatch_size: 2\npach: 24\n")
        (project.folder / "s.tif").touch()
        cube = np.load(project.folder / "field.npy")
        np.savez(project.folder / "both.npz", cube=cube)
        np.save(project.folder / "half_gt.npy", np.load(project.folder / "field_gt.npy")[:14])
        describe_model(project.folder / "svm.safetensors", "svm")
        describe_model(project.folder / "other.safetensors", "dncnn-b")
        config = copy.deepcopy(CONFIG)
        config[section][key] = value
        folders.append(project.folder)
        commands.append(project.command(config=project.configure(config)))
    ran = run_in_turn(folders, commands)
    messages = [message for *_, message in MISTAKES]
    return {
        message: (status, errors, folder)
        for message, (status, errors), folder in zip(messages, ran, folders, strict=True)
    }


@pytest.mark.parametrize("message", [message for *_, message in MISTAKES])
def test_a_mistake_is_one_line_before_any_work(
    said: dict[str, tuple[int, str, Path]], message: str
) -> None:
    status, errors, folder = said[message]
    assert status == 2
    (line,) = lines(errors)
    assert line.startswith("snakemake: ")
    assert message in line
    assert not (folder / "results").exists()


def test_a_mistake_is_one_line_of_a_run_by_itself(
    project: Project, said: dict[str, tuple[int, str, Path]]
) -> None:
    """A run says what it says as one of many in a process."""
    section, key, value, message = MISTAKES[0]
    config = copy.deepcopy(CONFIG)
    config[section][key] = value
    run = project.run(config=project.configure(config))
    assert (run.returncode, run.stderr) == said[message][:2]


def test_a_config_without_work(project: Project) -> None:
    run = project.run(config=project.configure({"seed": 1}))
    assert lines(run.stderr) == [
        "snakemake: my.yaml: expected a section 'restore' or 'hsi', found neither"
    ]


def test_the_command_line_overrides_the_config(project: Project) -> None:
    run = project.run("--dry-run", "--config", "seed=-1")
    assert "snakemake: my.yaml: seed: expected a whole number, 0 or more, found -1" in run.stderr


def test_a_data_folder_that_is_none(project: Project) -> None:
    run = project.run(config=project.configure(CONFIG | {"data_root": "nowhere"}))
    assert run.returncode == 2
    assert lines(run.stderr) == [
        "snakemake: my.yaml: data_root: expected a folder, found no folder 'nowhere'"
    ]


def test_two_folders_of_one_name(project: Project) -> None:
    (project.folder / "other/test").mkdir(parents=True)
    shutil.copy(project.folder / "photos/test/test0.png", project.folder / "other/test")
    config = copy.deepcopy(CONFIG)
    config["restore"]["models"]["dncnn-b"] = {"test": {"other/test": ["noise:25"]}}
    run = project.run("--dry-run", config=project.configure(config))
    assert lines(run.stderr)[-1] == (
        "snakemake: restore.models.dncnn-b.test: two sets are called 'test'; rename one folder"
    )


def test_a_folder_of_results_has_no_braces(project: Project) -> None:
    named = {"results": "res {y}", "hsi": CONFIG["hsi"]}
    shown = project.run("-n", config=project.configure(named))
    assert shown.returncode == 2
    assert "results: expected a path without braces, found 'res {y}'" in shown.stderr


def test_what_the_plan_asks_of_memory_is_what_each_map_takes() -> None:
    from hsi.maps.plan import MARGIN_BYTES, PEAK_BYTES

    (row,) = [message for *_, message in MISTAKES if "beside its blocks" in message]
    assert f"the {size_in_words(MARGIN_BYTES + PEAK_BYTES)} that" in row


@pytest.mark.parametrize(
    ("text", "said", "named"),
    [
        ("a: [1\nb: 2", "WorkflowError:", "line 2, column 2: expected YAML; "),
        ("- a\n", "WorkflowError:", "expected keys with values, found [a]"),
        ("hsi: &h {scenes: *h}\n", "RecursionError:", "found one that holds itself"),
        (None, "FileNotFoundError:", "expected YAML (No such file"),
    ],
)
def test_what_snakemake_reads_first_ends_in_its_own_error(
    project: Project, text: str | None, said: str, named: str
) -> None:
    """As docs/workflow.md says, with the command that names the line."""
    (project.folder / "my.yaml").unlink()
    if text is not None:
        (project.folder / "my.yaml").write_text(text)
    run = project.run("--dry-run")
    assert run.returncode == 1
    assert said in run.stdout + run.stderr
    assert not (project.folder / "results").exists()
    told = subprocess.run(
        [sys.executable, "-m", "engine.settings", "my.yaml"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert line.startswith("settings: my.yaml: ")
    assert named in line
