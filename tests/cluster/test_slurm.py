"""What a cluster does to jobs: the run ends with the results of one machine, or says why not."""

import copy
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from engine.tensors import load_tensors, sha256_weights
from tests.cluster.one_machine import Cluster, missing_program
from tests.workflow.tiny_project import CONFIG, ROOT, Project, make_project

pytestmark = pytest.mark.cluster
PROFILE = ("--workflow-profile", str(ROOT / "profiles/slurm"))
# The nodes claim more cores than the machine has.
QUICK = (
    *("--latency-wait", "5", "--seconds-between-status-checks", "3"),
    *("--set-threads", "train_dncnn=1", "train_network=1"),
)
# How long a test waits before it fails; only a machine with much other work needs that long.
PATIENCE = 1200
WEIGHTS = "results/restore/models/dncnn-s-25/seed0.safetensors"
TABLES = (
    "results/restore/psnr_ssim.csv",
    "results/hsi/per_class_accuracy.csv",
    "results/hsi/overall_accuracy.csv",
)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, installed: None) -> Iterator[Cluster]:
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="pip install the extra `slurm`")
    if missing := missing_program():
        pytest.skip(f"no {missing} on this machine; install slurm-wlm and munge")
    with Cluster(tmp_path_factory.mktemp("slurm")) as found:
        yield found


@pytest.fixture
def training(project: Project) -> Project:
    """A project of one training."""
    section = copy.deepcopy(CONFIG["restore"]) | {"shipped": {}, "baselines": {}}
    project.configure({"restore": section, "device": "cpu"})
    return project


def learn(project: Project, steps: int, patch: int = 24) -> None:
    text = f"steps: {steps}\nbatch_size: 2\npatch: {patch}\n"
    (project.folder / "user's short.yaml").write_text(text)


def start(project: Project, cluster: Cluster, *arguments: str) -> "subprocess.Popen[str]":
    """Start a run that submits to the cluster."""
    command = project.command(*arguments, *PROFILE, *QUICK)  # the targets first
    cores = command.index("--cores")
    del command[cores : cores + 2]
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env=cluster.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def end(run: "subprocess.Popen[str]", seconds: float = PATIENCE) -> str:
    """Wait for a run and return what it said."""
    said, _ = run.communicate(timeout=seconds)
    return said


def job_of(cluster: Cluster, rule: str, run: "subprocess.Popen[str]") -> str:
    """Wait until a job of a rule runs, and return its number."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for number, comment in cluster.jobs().items():
            if rule in comment:
                return number
        assert run.poll() is None, end(run)
        time.sleep(0.5)
    raise AssertionError(f"no job of {rule} in {PATIENCE} s")


def learns(project: Project) -> bool:
    """Whether the training has saved a state to resume from (after half a minute)."""
    kept = (project.folder / WEIGHTS).parent
    return any(kept.glob(".training/.resume/*/state.safetensors"))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def weights(folder: Path, name: str) -> str:
    tensors, _ = load_tensors(folder / name)
    return sha256_weights(tensors, {})


def without_seconds(folder: Path, name: str) -> pd.DataFrame:
    table = pd.read_csv(folder / name)
    return table[[column for column in table if "seconds" not in column]]


def test_a_run_makes_what_one_machine_makes(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = make_project(tmp_path_factory.mktemp("here"))
    there = make_project(tmp_path_factory.mktemp("there"))
    config: dict[str, Any] = copy.deepcopy(CONFIG) | {"device": "cpu"}
    for project in (here, there):
        project.configure(config)
    targets = (WEIGHTS, *TABLES)
    done = here.run(*targets, "--cores", "1")  # sums of more threads differ in the last bit
    assert done.returncode == 0, done.stderr
    run = start(there, cluster, *targets)
    said = end(run)
    assert run.returncode == 0, said
    assert weights(there.folder, WEIGHTS) == weights(here.folder, WEIGHTS)
    for name in TABLES:
        pd.testing.assert_frame_equal(
            without_seconds(there.folder, name), without_seconds(here.folder, name), rtol=1e-6
        )
    again = start(there, cluster, *targets)
    assert "Nothing to be done" in end(again)


def test_a_cancelled_job_is_submitted_again(cluster: Cluster, training: Project) -> None:
    learn(training, 4000)
    run = start(training, cluster, WEIGHTS)
    job = job_of(cluster, "train_dncnn", run)
    wait_for(lambda: learns(training))
    cluster.call("scancel", job)
    wait_for(lambda: job not in cluster.jobs(("RUNNING", "COMPLETING")))
    learnt = job_of(cluster, "train_dncnn", run)
    assert learnt != job
    cluster.call("scancel", learnt)
    said = end(run)
    assert run.returncode in (0, 1), said  # the third attempt may do it
    assert "trying to restart" in said.lower()


def test_a_lost_node_costs_no_more_than_its_job(cluster: Cluster, training: Project) -> None:
    learn(training, 1500)
    run = start(training, cluster, WEIGHTS)
    job = job_of(cluster, "train_dncnn", run)
    node = cluster.node_of(job)
    cluster.lose(node)
    try:
        said = end(run)
    finally:
        cluster.bring_back(node)
    assert run.returncode == 0, said
    assert (training.folder / WEIGHTS).exists()


def test_a_killed_run_goes_on(cluster: Cluster, training: Project) -> None:
    learn(training, 1500)
    run = start(training, cluster, WEIGHTS)
    job = job_of(cluster, "train_dncnn", run)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    cluster.call("scancel", job)
    assert not (training.folder / WEIGHTS).exists()
    again = start(training, cluster, WEIGHTS)
    said = end(again)
    assert again.returncode == 0, said
    assert (training.folder / WEIGHTS).exists()


def test_more_memory_is_asked_for_after_a_job_had_too_little(
    cluster: Cluster, training: Project
) -> None:
    learn(training, 600)
    run = start(training, cluster, WEIGHTS, "--set-resources", "train_dncnn:mem_mb=350 * attempt")
    said = end(run)
    assert run.returncode == 0, said
    assert "trying to restart" in said.lower()


def test_a_training_outlives_its_time_limit(cluster: Cluster, training: Project) -> None:
    learn(training, 6000)
    run = start(training, cluster, WEIGHTS)
    job = job_of(cluster, "train_dncnn", run)
    wait_for(lambda: learns(training))
    cluster.call("scontrol", "update", f"JobId={job}", "TimeLimit=1")  # minute, from its start
    wait_for(lambda: job in cluster.jobs(("TIMEOUT",)))
    log = training.folder / "results/logs/restore/train/dncnn-s-25.log"
    second = job_of(cluster, "train_dncnn", run)
    try:
        wait_for(lambda: log.exists() and "resum" in log.read_text())
    finally:
        os.killpg(run.pid, signal.SIGKILL)  # how it ends is the other tests' matter
        cluster.call("scancel", second)
    assert second != job
    assert "trying to restart" in end(run).lower()


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("slurm_partition=nowhere", "invalid partition"),
        ("slurm_account=nobody", "account"),
    ],
)
def test_a_wrong_partition_is_named_in_the_output(
    cluster: Cluster, training: Project, option: str, named: str
) -> None:
    run = start(training, cluster, WEIGHTS, "--default-resources", option, "mem_mb=500")
    said = end(run)
    if named == "account" and run.returncode == 0:
        pytest.skip("a cluster without accounting knows no accounts")
    assert run.returncode == 2, said  # before the first job, as in tests/workflow/test_starting.py
    (line,) = [line for line in said.splitlines() if "Slurm refuses it" in line]
    assert line.startswith("snakemake: --")
    assert named in line.lower()
