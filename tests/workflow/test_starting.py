"""What a run says in one line before its first job."""

import copy
import fcntl
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import torch

from tests.workflow.tiny_project import CONFIG, ROOT, Project, describe_model


def test_a_device_that_is_not_there_stops_a_run_at_its_start(project: Project) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    config = project.configure(CONFIG | {"device": "cuda"})
    run = project.run(config=config)
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1] == (
        "snakemake: device cuda: this machine has 0 CUDA devices; use auto or cpu"
    )
    assert not (project.folder / "results/restore").exists()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            "sbatch: error: invalid partition specified: nope",
            "snakemake: --partition=nope: Slurm refuses it (sbatch: error: invalid partition "
            "specified: nope); correct slurm_partition and slurm_account in the profile",
        ),
    ],
)
def test_a_partition_that_slurm_does_not_know(
    project: Project, monkeypatch: pytest.MonkeyPatch, answer: str, expected: str
) -> None:
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="the extra slurm")
    commands = project.folder / "commands"
    commands.mkdir()
    for name in ("sbatch", "squeue", "sinfo", "sacct", "sacctmgr", "scancel"):
        (commands / name).write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit 1\n")
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(commands), prepend=":")
    config = project.configure(CONFIG | {"device": "cpu"})
    run = project.run(
        *("--executor", "slurm", "--jobs", "2", "--default-resources", "slurm_partition=nope"),
        config=config,
    )
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1] == expected
    assert not (project.folder / "results/restore").exists()


def test_the_plugin_that_is_checked_is_the_one_that_is_installed() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rule = Path(ROOT, "workflow/rules/starting.smk").read_text()
    versions = re.findall(r'^PLUGIN_VERSIONS = "(.*?)"', rule, re.MULTILINE)
    (wanted,) = extras["optional-dependencies"]["slurm"]
    assert [wanted] == [f"snakemake-executor-plugin-slurm{found}" for found in versions]


def test_a_plan_does_without_torch(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take as long as all the rest of a plan."""
    found = copy.deepcopy(CONFIG)
    shutil.copytree(project.folder / "photos/test", project.folder / "photos/truth")
    night = {"noisy": "photos/test", "truth": "photos/truth", "models": ["auto", "nlm"]}
    found["restore"] |= {
        "pairs": {"night": night},
        "denoise": [{"input": "photos/test", "output": "clean", "model": "dncnn-b"}],
        "ablation": {"optimizers": ["adam", "sgd"]},
    }
    model = project.folder / "a.safetensors"
    describe_model(model, "hybridsn")
    asked = {"scene": "field.npy", "model": str(model), "strips": 2, "confidence": True}
    found["hsi"] |= {
        "maps": {"whole": asked | {"memory": "2GiB"}},
        "restoration": {"scenes": {"field": "field.npy"}},
        "denoise_then_classify": {"draws": [0, 1]},
        "backbones": {},
        "study": {},
    }
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    targets = ("all", "ablation", "denoisers", "denoise_then_classify", "backbones", "study")
    plan = project.run("--dry-run", *targets, config=project.configure(found))
    assert plan.returncode == 0, plan.stdout[-1000:]
    imported = set(re.findall(r"\| +([\w.]+)$", plan.stderr, re.MULTILINE))
    assert "restore.training.schedules" in imported
    assert "torch" not in imported


def test_a_second_run_at_the_same_time_says_so(project: Project) -> None:
    (project.folder / ".snakemake").mkdir()
    with (project.folder / ".snakemake/live.lock").open("w") as live:
        fcntl.flock(live, fcntl.LOCK_EX)
        live.write("process 1 on here")
        live.flush()
        run = project.run()
        assert run.returncode == 2
        assert run.stderr.splitlines()[-1] == (
            "snakemake: another run is at work in this folder (process 1 on here); "
            "wait until it ends"
        )
    assert not (project.folder / "results").exists()
