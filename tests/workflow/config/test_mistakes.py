"""Mistakes in a config: one line before any work starts."""

import copy
import shutil
from pathlib import Path

import pytest

from tests.workflow.tiny_project import CONFIG, Project, make_project, run_in_turn


def lines(stderr: str) -> list[str]:
    """What Snakemake says besides that it found its profile."""
    return [line for line in stderr.splitlines() if not line.startswith("Using ")]


MISTAKES: list[tuple[str, str, object, str]] = [
    ("restore", "train_imags", ["photos/train"], "did you mean 'train_images'?"),
    ("restore", "test_images", ["empty"], "restore.test_images[0]: empty: expected images"),
    (
        "restore",
        "shipped",
        {"dncnn-s-7": ["noise:7"]},
        "restore.shipped: expected the name of shipped weights, found 'dncnn-s-7'; did you",
    ),
    (
        "restore",
        "models",
        {"dncnn-s-999": ["noise:25"]},
        "restore.models: model 'dncnn-s-999': expected dncnn-s-N[-nobn][-direct] (noise level",
    ),
    (
        "restore",
        "denoise",
        [{"input": "photos/train", "output": "clean {x}"}],
        "restore.denoise[0].output: expected a path without braces, found 'clean {x}'; rename",
    ),
    (
        "restore",
        "denoise",
        [{"input": "-in", "output": "clean"}],
        "restore.denoise[0].input: expected a path that does not begin with '-', found '-in'; "
        "write ./-in",
    ),
    (
        "restore",
        "test_images",
        ["photos\n"],
        "restore.test_images[0]: expected one line of text, found 'photos\\n'; remove the",
    ),
    (
        "restore",
        "baselines",
        {"median": ["noise:25"]},
        "restore.baselines: expected a baseline, found 'median'; known: nlm, wavelet, tv, bm3d",
    ),
    (
        "restore",
        "schedule",
        "notebook",
        "restore.schedule: expected a named schedule or a YAML file, found 'notebook'; known: "
        "demo, paper, best",
    ),
    (
        "hsi",
        "schedule",
        "notebok",
        "hsi.schedule: expected a named schedule or a YAML file, found 'notebok'; did you mean "
        "'notebook'?",
    ),
    (
        "hsi",
        "classifiers",
        ["svn"],
        "hsi.classifiers[0]: expected a classifier, found 'svn'; did you mean 'svm'?",
    ),
    (
        "hsi",
        "schedules",
        {"svm": "best"},
        "hsi.schedules: expected a network, found 'svm'; known: hybridsn, hybridsn-11,",
    ),
    (
        "hsi",
        "restoration",
        {"degradations": ["rain:3"]},
        "hsi.restoration.degradations[0]: `degradation` rain:3: expected a form such as",
    ),
    (
        "hsi",
        "restoration",
        {"methods": ["bm4d"]},
        "hsi.restoration.methods[0]: `method` bm4d: expected one of noisy, band-by-band",
    ),
    (
        "hsi",
        "denoise_then_classify",
        {"noises": ["clean", "gaussian:0"]},
        "hsi.denoise_then_classify.noises[1]: `degradation` gaussian:0: expected numbers from",
    ),
    (
        "hsi",
        "denoise_then_classify",
        {"arms": ["denoise", "raw"]},
        "hsi.denoise_then_classify.arms[1]: `method` raw: expected one of noisy, band-by-band",
    ),
    (
        "hsi",
        "denoise_then_classify",
        {"splits": ["mask:a/m.npz", "mask:b/m.npz"]},
        "hsi.denoise_then_classify.splits[0]: a/m.npz: no such file",
    ),
    ("restore", "models", {"dncnn-b": ["jpeg:0"]}, "restore.models.dncnn-b[0]: JPEG quality"),
    (
        "restore",
        "models",
        {"dncnn-b": {"test": {"photos/none": ["noise:25"]}}},
        "restore.models.dncnn-b.test: image set 'photos/none': no such folder",
    ),
    (
        "restore",
        "models",
        {"dncnn-b-color": ["noise:25"]},
        "restore.models.dncnn-b-color: expected test images in colour, found test0 in "
        "photos/test; give it colour sets of its own, as in {test: {CBSD68: [noise:25]}}",
    ),
    (
        "restore",
        "models",
        {"dncnn-r": ["camera:1600"]},
        "restore.models.dncnn-r: expected test images in colour, found test0 in photos/test",
    ),
    ("restore", "models", {"dncnn-r": ["camera:1"]}, "restore.models.dncnn-r[0]: camera ISO"),
    (
        "restore",
        "shipped",
        {"dncnn-b-color": {"test": {"BSD68": ["noise:25"]}}},
        # grey ones in BSD68, or the first of them where the set is at hand
        "restore.shipped.dncnn-b-color: expected test images in colour, found ",
    ),
    (
        "restore",
        "pairs",
        {"night": {"models": ["auto"]}},
        "restore.pairs.night: expected a set of pairs, found 'night'; known: PolyU; or name",
    ),
    (
        "restore",
        "pairs",
        {"night": {"noisy": "photos/test", "models": ["auto"]}},
        "restore.pairs.night: expected both noisy and truth, found one of them; name the other",
    ),
    (
        "restore",
        "pairs",
        {"a": {"noisy": "photos/test", "truth": "photos/train", "models": ["auto"]}},
        "restore.pairs.a: photos/test/test0.png: expected a ground truth that belongs to it",
    ),
    (
        "restore",
        "pairs",
        {"a": {"noisy": "photos/test", "truth": "photos/test", "models": ["auto"]}},
        "restore.pairs.a: truth photos/test: is the folder of the noisy images; name that of",
    ),
    (
        "restore",
        "pairs",
        {"PolyU": {"models": ["dncnn-b-colour"]}},
        "restore.pairs.PolyU.models[0]: expected auto, weights or a baseline, found 'dncnn-b",
    ),
    ("restore", "schedule", "typo.yaml", "restore.schedule: typo.yaml: unknown key 'pach'"),
    (
        "hsi",
        "schedule",
        "user's short.yaml",
        "hsi.schedule: user's short.yaml: unknown key 'patch'",
    ),
    (
        "hsi",
        "splits",
        ["mask:field_gt.npy", "mask:photos/../field_gt.npy"],
        "hsi.splits[1]: two splits are called 'mask:field_gt'; rename one file",
    ),
    (
        "hsi",
        "maps",
        {"m": {"scene": "field.npy", "model": "field.npy", "memory": "2 gigs"}},
        "hsi.maps.m.memory: 2 gigs: expected a size such as 2GiB or 500MiB",
    ),
    (
        "hsi",
        "study",
        {"candidates": "none.yaml"},
        "hsi.study.candidates: expected a file, found no file 'none.yaml'",
    ),
    (
        "hsi",
        "scenes",
        {"field": {"cube": "none.npy", "labels": "field_gt.npy"}},
        "hsi.scenes.field.cube: none.npy: no such file",
    ),
]


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
