"""A tiny project: images, a scene and schedules of a few steps, as a user would have them."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image
from safetensors.numpy import save_file

ROOT = Path(__file__).resolve().parents[2]

CONFIG: dict[str, Any] = {
    "restore": {
        "train_images": ["photos/train"],
        "test_images": ["photos/test"],
        "schedule": "user's short.yaml",  # a name that shells stumble over
        "models": {"dncnn-s-25": ["noise:25"]},
        "shipped": {"dncnn-s-25": ["noise:25"]},
        "baselines": {"nlm": ["noise:25"]},
    },
    "hsi": {
        "scenes": {"field": {"cube": "field.npy", "labels": "field_gt.npy"}},
        "splits": ["random:0.3"],
        "classifiers": ["hybridsn", "coordinates"],
        "schedule": "shorter.yaml",
        "components": 13,
        "window": 9,
    },
}


@dataclass(frozen=True)
class Project:
    """A folder that Snakemake runs in."""

    folder: Path

    def configure(self, config: dict[str, Any], name: str = "my.yaml") -> str:
        (self.folder / name).write_text(yaml.safe_dump(config))
        return name

    def command(self, *arguments: str, config: str = "my.yaml") -> list[str]:
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--cores", "2", *arguments, "--configfile", config),
        ]

    def run(self, *arguments: str, config: str = "my.yaml") -> "subprocess.CompletedProcess[str]":
        command = self.command(*arguments, config=config)
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=1200
        )

    def jobs(self, config: str) -> set[str]:
        """What a run would do: the messages of its jobs."""
        shown = self.run("--dry-run", config=config)
        assert shown.returncode == 0, shown.stderr
        return set(re.findall(r"^Job \d+: (.*)$", shown.stdout + shown.stderr, re.MULTILINE))


_IN_TURN = """
import contextlib, io, json, os, sys
from snakemake.cli import main

for folder, arguments in json.load(sys.stdin):
    os.chdir(folder)
    status = 0
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            main(arguments)
        except SystemExit as left:
            status = left.code
    print(json.dumps([status, errors.getvalue()]), flush=True)
"""


def run_in_turn(
    folders: Sequence[Path], commands: Sequence[Sequence[str]]
) -> list[tuple[int, str]]:
    """Run commands of Snakemake in one process, which imports it once; status and errors of each.

    For runs that end before any job.
    """
    runs = [
        [str(folder), command[command.index("snakemake") + 1 :]]
        for folder, command in zip(folders, commands, strict=True)
    ]
    done = subprocess.run(
        [sys.executable, "-c", _IN_TURN],
        input=json.dumps(runs),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [(status, errors) for status, errors in found]


def make_project(folder: Path) -> Project:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:40, :48]
    for name, count in (("train", 2), ("test", 1)):
        (folder / "photos" / name).mkdir(parents=True)
        for index in range(count):
            waves = 128 + 60 * np.sin(columns / (3 + index)) + 40 * np.cos(rows / 5)
            pixels = np.clip(waves + rng.normal(0, 5, waves.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{name}{index}.png")
    labels = (1 + (rows[:28, :30] // 7 + columns[:28, :30] // 8) % 3).astype(np.uint8)
    labels[::5] = 0
    spectra = rng.normal(size=(4, 16))
    cube = spectra[labels] + rng.normal(0, 0.3, (28, 30, 16))
    np.save(folder / "field.npy", cube.astype(np.float32))
    np.save(folder / "field_gt.npy", labels)
    (folder / "user's short.yaml").write_text("steps: 20\nbatch_size: 2\npatch: 24\n")
    (folder / "shorter.yaml").write_text("steps: 3\nbatch_size: 8\n")
    project = Project(folder)
    project.configure(CONFIG)
    return project


def describe_model(path: Path, classifier: str) -> None:
    """Write a model file that holds no weights, but says whose they are."""
    description = json.dumps({"classifier": classifier})
    save_file({"a": np.zeros(1, np.float32)}, path, metadata={"description": description})


def images_alone(**restore: Any) -> dict[str, Any]:
    """A config of images alone, with other keys in its section `restore`."""
    return {"restore": copy.deepcopy(CONFIG["restore"]) | restore}


def works_of(jobs: set[str], *verbs: str) -> set[str]:
    return {job for job in jobs if job.startswith(verbs)}
