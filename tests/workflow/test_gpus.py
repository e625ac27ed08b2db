"""Of several GPUs each job takes one that no other job has; the profile knows who needs one."""

import re
import subprocess
from pathlib import Path

import pytest

from engine import settings
from tests.workflow.tiny_project import ROOT

SCRIPT = ROOT / "workflow/scripts/take_gpu.sh"
JOB = f". '{SCRIPT}' {{}} 4 7; echo ${{{{CUDA_VISIBLE_DEVICES-all}}}}; cat"


def started(wanted: int, tmp_path: Path) -> "subprocess.Popen[str]":
    """A job that has taken its GPU and waits for the end of its input."""
    return subprocess.Popen(
        ["bash", "-c", JOB.format(wanted)],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def shown(job: "subprocess.Popen[str]") -> str:
    assert job.stdout is not None
    return job.stdout.readline().strip()


@pytest.mark.skipif(
    subprocess.run(["bash", "-c", "command -v flock"], capture_output=True).returncode != 0,
    reason="no flock on this system",
)
def test_jobs_share_the_gpus_of_a_machine(tmp_path: Path) -> None:
    first, second = started(1, tmp_path), started(1, tmp_path)
    assert {shown(first), shown(second)} == {"4", "7"}
    third, without = started(1, tmp_path), started(0, tmp_path)
    assert shown(third) == "all"  # none is left: more jobs than GPUs were allowed
    assert shown(without) == "all"
    first.kill()  # a killed job gives its GPU back
    first.wait()
    fourth = started(1, tmp_path)
    assert shown(fourth) in ("4", "7")
    for job in (first, second, third, without, fourth):
        job.communicate("")


def test_the_cluster_profile_knows_which_rules_use_a_gpu() -> None:
    profile = settings.load(ROOT / "profiles/slurm/config.yaml")
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    rules = dict(re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", text, re.MULTILINE))
    accelerated = {name for name, body in rules.items() if "COMPUTE" in body}
    assert accelerated == {name for name, body in rules.items() if "TAKE_GPU" in body}
    others = re.findall(r"^use rule (\w+) as (\w+) with:", text, re.MULTILINE)
    accelerated |= {name for base, name in others if base in accelerated}
    assert {"train_ablation", "map_strip", "map_scene", "study_settings"} <= accelerated
    assert "set-resources" not in profile  # the config's device decides
    for name, body in rules.items():  # a job that asks for no GPU is told of none
        assert body.count("gpu=lambda") == body.count("device=lambda"), name
    assert set(profile["set-threads"]) <= accelerated
    grouped = {entry.partition("=")[0] for entry in profile["groups"]}
    assert grouped <= set(rules) - accelerated
