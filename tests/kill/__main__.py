"""Kill commands at random moments (`make kill`): ``python -m tests.kill [KILLS] [SCENARIO...]``.

After every kill each file under a final name must be whole, which is: equal to that of an unbroken
run. Each command is started again until it ends well; then all its files must be equal, and nothing
unfinished may be left. Commands run in forks of this process, which imports everything first: what
is killed is work, not the start of Python. The workflow is killed with all of its jobs.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

import hsi.classifiers.train
import hsi.denoising.denoise
import hsi.evaluation.score
import hsi.maps.classify
import restore.folders.folder
import restore.training.train  # noqa: F401
from engine.training import loop
from hsi.__main__ import app as hsi_app
from hsi.scenes.scene import Scene, write_scene
from restore.__main__ import app as restore_app
from restore.networks.denoiser import save
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture
from tests.kill.results import files

ROOT = Path(__file__).resolve().parents[2]
Line = Callable[[Path, Path], Sequence[object]]
_CPU = ("--device", "cpu", "--precision", "float32")
_TRIES = 12  # kills of one run at most; then it may end
_UNFINISHED = (".part", ".lock", ".denoise", ".resume", ".tmp")

# Name -> the line of the command, given the folders of its inputs and of its outputs.
SCENARIOS: dict[str, Line] = {
    "restore denoise": lambda base, out: (
        "restore", "denoise", base / "photos", out / "clean", "--recursive", *_CPU,
    ),
    "restore train": lambda base, out: (
        "restore", "train", "dncnn-s-25", "--images", base / "photos", "--out",
        out / "w.safetensors", "--log", out / "w.csv", "--schedule", base / "images.yaml", *_CPU,
    ),
    "hsi split": lambda base, out: (
        "hsi", "split", base / "labels.npy", "--how", "blocks:8", "--window", "9", "--out",
        out / "split.npz",
    ),
    "hsi train": lambda base, out: (
        "hsi", "train", base / "scene.hdr", base / "labels.npy", "--classifier", "cnn2d",
        "--window", "9", "--components", "4", "--set", "hidden=8,8", "--split",
        base / "split.npz", "--schedule", base / "scene.yaml", "--out", out / "m.safetensors",
        "--log", out / "m.csv", *_CPU,
    ),
    "hsi classify": lambda base, out: (
        "hsi", "classify", base / "scene.hdr", base / "m.safetensors", out / "map.hdr",
        "--block", "12", "--confidence", *_CPU,
    ),
    "hsi score": lambda base, out: (
        "hsi", "score", base / "map.hdr", base / "labels.npy", "--split", base / "split.npz",
        "--out", out / "scores",
    ),
    "hsi denoise": lambda base, out: (
        "hsi", "denoise", base / "scene.hdr", out / "clean.hdr", "--block", "40", *_CPU,
    ),
    "workflow": lambda base, out: (
        "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", out, "--configfile",
        base / "my.yaml", "--cores", "2", "--nolock", "--rerun-incomplete", "--quiet", "rules",
        "progress", "--",
        "results/restore/psnr_ssim_summary.csv", "results/hsi/overall_accuracy_summary.csv",
        "denoise_folders",
    ),
}  # fmt: skip


def prepare(base: Path) -> None:
    """Write the inputs of all commands."""
    r = np.random.default_rng(0)
    for index in range(10):
        folder = base / "photos" / ("sub" if index % 3 == 0 else "")
        folder.mkdir(parents=True, exist_ok=True)
        slope = np.add.outer(np.arange(64), np.arange(64)) + r.normal(60, 15, (64, 64))
        image = Image.fromarray(slope.clip(0, 255).astype(np.uint8))
        image.save(folder / f"{index}.{('png', 'tif', 'bmp')[index % 3]}")
    (base / "images.yaml").write_text("steps: 12\nbatch_size: 2\npatch: 16\nema_decay: 0.9\n")
    (base / "scene.yaml").write_text("steps: 40\nbatch_size: 8\nlearning_rate: 0.005\n")
    labels = (np.add.outer(np.arange(72) // 12, np.arange(60) // 10) % 3 + 1).astype(np.uint8)
    spectra = r.uniform(500, 3000, (4, 20))
    cube = spectra[labels] + r.normal(0, 60, (72, 60, 20))
    write_scene(base / "scene.hdr", Scene("scene", cube.astype(np.uint16), np.arange(20.0) + 400))
    np.save(base / "labels.npy", labels)
    _prepare_workflow(base)
    for name in ("hsi split", "hsi train", "hsi classify"):
        wait(start(SCENARIOS[name](base, base), base / "log"), base / "log")


def _prepare_workflow(base: Path) -> None:
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    save(base / "small.safetensors", network, "dncnn-s-25", {})
    config = {
        "device": "cpu",
        "restore": {
            "train_images": [str(base / "photos")],
            "test_images": [str(base / "photos/sub")],
            "schedule": str(base / "images.yaml"),
            "models": {"dncnn-s-25": ["noise:25"]},
            "shipped": {},
            "baselines": {"wavelet": ["noise:25"]},
            "denoise": [
                {
                    "input": str(base / "photos"),
                    "output": "clean",
                    "model": str(base / "small.safetensors"),
                }
            ],
        },
        "hsi": {
            "scenes": {
                "field": {"cube": str(base / "scene.hdr"), "labels": str(base / "labels.npy")}
            },
            "splits": ["random:0.3"],
            "classifiers": ["cnn2d", "coordinates"],
            "schedule": str(base / "scene.yaml"),
            "components": 13,
            "window": 9,
        },
    }
    (base / "my.yaml").write_text(yaml.safe_dump(config))


def start(line: Sequence[object], log: Path) -> int:
    """Run a command in a fork; return its process number."""
    sys.stdout.flush()
    if child := os.fork():
        return child
    try:
        os.setsid()
        for stream in (1, 2):
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        if line[0] == "snakemake":
            os.execv(sys.executable, [sys.executable, "-m", *map(str, line)])
        loop.SECONDS_BETWEEN_SAVES = 0.05
        hsi.maps.classify.SECONDS_BETWEEN_FLUSHES = 0.02
        hsi.denoising.denoise.SECONDS_BETWEEN_FLUSHES = 0.02
        package, *rest = map(str, line)
        app = hsi_app if package == "hsi" else restore_app
        app(rest, prog_name=package, standalone_mode=False)
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def wait(process: int, log: Path) -> None:
    """Wait for a command that must end well."""
    _, status = os.waitpid(process, 0)
    if status:
        sys.exit(f"a command failed: {log.read_text()[-600:]}")


def ended(process: int, seconds: float) -> int | None:
    """Return the status of a process that ends in time, or None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return status
        time.sleep(0.005)
    return None


def _is_unfinished(name: str) -> bool:
    return any(word in part for part in Path(name).parts for word in _UNFINISHED)


def _grows(name: str) -> bool:
    """Return whether a file is one that a run adds lines to, or writes anew as it goes on."""
    return name.endswith((".jsonl", ".csv", ".log"))


def rounds(name: str, base: Path, kills: int, r: random.Random) -> tuple[int, int, list[str]]:
    """Kill a command so many times; return kills, runs that ended, and what was wrong."""
    line, log = SCENARIOS[name], base / "log"
    work = base / name.replace(" ", "-")
    whole = work / "whole"
    whole.mkdir(parents=True)
    began = time.monotonic()
    wait(start(line(base, whole), log), log)
    seconds = time.monotonic() - began
    right = files(whole)
    faults: list[str] = []
    killed = finished = 0
    while killed < kills:
        out = work / f"out{finished}"
        out.mkdir()
        tries = 0
        while True:
            process = start(line(base, out), log)
            limit = r.uniform(0, seconds) if killed < kills and tries < _TRIES else 600
            status = ended(process, limit)
            if status is not None:
                break
            os.killpg(process, signal.SIGKILL) if _has_group(process) else os.kill(process, 9)
            os.waitpid(process, 0)
            killed, tries = killed + 1, tries + 1
            for file, found in files(out).items():
                if not (_is_unfinished(file) or _grows(file)) and right.get(file) != found:
                    faults.append(f"{name}: {file} is not whole after a kill: {found}")
        if status:
            faults.append(f"{name}: ended with {status}: {log.read_text()[-1500:]!r}")
        found_all = files(out)
        faults += [f"{name}: {file} is missing" for file in right.keys() - found_all.keys()]
        for file, found in found_all.items():
            if right.get(file) != found:
                faults.append(
                    f"{name}: {file} is {'left over' if file not in right else 'another'}"
                )
        finished += 1
        shutil.rmtree(out)
    return killed, finished, faults


def _has_group(process: int) -> bool:
    try:
        return os.getpgid(process) == process
    except ProcessLookupError:
        return False


def main() -> None:
    """Kill all commands, print a line each, and end with 1 where there was a fault."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    names = sys.argv[2:] or list(SCENARIOS)
    r, total, wrong = random.Random(count), 0, 0
    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        prepare(base)
        for index, name in enumerate(names):
            share = count * (index + 1) // len(names) - count * index // len(names)
            killed, finished, faults = rounds(name, base, share, r)
            print(f"{name}: {killed} kills, {finished} runs to the end, {len(faults)} faults")
            for fault in dict.fromkeys(faults):
                print(f"  {fault}")
            total, wrong = total + killed, wrong + len(faults)
            sys.stdout.flush()
    print(f"all: {total} kills, {wrong} faults")
    sys.exit(1 if wrong else 0)


main()
