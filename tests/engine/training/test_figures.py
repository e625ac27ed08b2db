"""A tiny training ends where it did when these figures were written, on a laptop or in a job."""

import logging
import subprocess
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.device import Compute, Precision
from engine.training.checkpoint import Checkpoint
from engine.training.loop import train
from engine.training.schedule import Schedule

BATCH = tuple[Tensor, Tensor]

# Written by the code that trained through lightning Fabric 2.6.6 (torch 2.13, a CPU).
LOSSES = {
    "adamw": [0.4712295, 0.352419, 0.3212551, 0.2807994, 0.1875983, 0.1428738],
    "muon": [0.4712295, 0.3797166, 0.3050033, 0.339147, 0.2703988, 0.2236874],
}
ROUNDED = [0.4722577, 0.3520121, 0.3215277, 0.2822022, 0.1880734, 0.1431717]


class Residual(nn.Module):
    """A network whose output is its input less what its layers find, as DnCNN's is."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(4, 1, 3, padding=1),
        )
        weights = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=weights))

    def forward(self, image: Tensor) -> Tensor:
        rest: Tensor = image - self.layers(image)
        return rest


def draw(step: int, generator: torch.Generator) -> BATCH:
    clean = torch.rand(4, 1, 8, 8, generator=generator)
    return clean + 0.3 * torch.randn(clean.shape, generator=generator), clean


def loss(model: nn.Module, batch: BATCH) -> Tensor:
    error: Tensor = model(batch[0]) - batch[1]
    return error.square().mean()


def trained(
    folder: Path, schedule: Schedule, precision: Precision = "float32"
) -> tuple[list[float], list[Tensor]]:
    """Train, and return the losses of all steps and the weights."""
    model, losses = Residual(), []

    def noted(model: nn.Module, batch: BATCH) -> Tensor:
        value = loss(model, batch)
        losses.append(float(value.detach()))
        return value

    with Checkpoint(folder / "m.safetensors", {}) as checkpoint:
        train(
            model, draw, noted, schedule,
            compute=Compute(torch.device("cpu"), precision, "test"), seed=0, checkpoint=checkpoint,
        )  # fmt: skip
    return losses, list(model.state_dict().values())


def scheduled(optimizer: str) -> Schedule:
    return Schedule(
        "tiny", 6, 4, 0.02, optimizer=optimizer, weight_decay=0.01, clip_norm=0.05,  # type: ignore[arg-type]
        warmup_steps=2, decay="cosine", ema_decay=0.5,
    )  # fmt: skip


@pytest.mark.parametrize("optimizer", LOSSES)
def test_the_losses_are_those_of_before(tmp_path: Path, optimizer: str) -> None:
    losses, _ = trained(tmp_path, scheduled(optimizer))
    assert losses == pytest.approx(LOSSES[optimizer], rel=1e-5)


def test_bfloat16_rounds_the_input_and_the_output(tmp_path: Path) -> None:
    losses, _ = trained(tmp_path, scheduled("adamw"), "bf16")
    assert losses == pytest.approx(ROUNDED, rel=1e-2)
    assert losses != pytest.approx(LOSSES["adamw"], rel=1e-6)


def test_after_a_training_the_network_takes_and_gives_what_it_did(tmp_path: Path) -> None:
    model = Residual()
    compute = Compute(torch.device("cpu"), "bf16", "test")
    with Checkpoint(tmp_path / "m.safetensors", {}) as checkpoint:
        train(model, draw, loss, scheduled("adamw"), compute=compute, seed=0, checkpoint=checkpoint)
    image = torch.rand(1, 1, 8, 8, dtype=torch.float64)
    assert model.double()(image).dtype == torch.float64


def test_a_slurm_job_trains_as_a_laptop_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither `srun` on the PATH nor the variables of a job of many tasks change anything."""
    plain, weights = trained(tmp_path / "plain", scheduled("adamw"))
    srun = tmp_path / "bin" / "srun"
    srun.parent.mkdir()
    srun.write_text("#!/bin/sh\nexit 1\n")
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", str(srun.parent), prepend=":")
    assert subprocess.run(["srun"], check=False).returncode == 1
    for name, value in {
        "SLURM_JOB_ID": "4711",
        "SLURM_JOB_NAME": "train",
        "SLURM_NTASKS": "4",
        "SLURM_NTASKS_PER_NODE": "2",
        "SLURM_NNODES": "2",
        "SLURM_PROCID": "3",
        "SLURM_LOCALID": "1",
        "SLURM_NODEID": "1",
        "SLURM_NODELIST": "node[01-02]",
    }.items():
        monkeypatch.setenv(name, value)
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        losses, others = trained(tmp_path / "job", scheduled("adamw"))
    assert not caplog.records
    assert losses == plain
    assert all(torch.equal(a, b) for a, b in zip(weights, others, strict=True))
