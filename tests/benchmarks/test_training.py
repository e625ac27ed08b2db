"""The steps of a training are those that the loop makes, and its arithmetic is counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import training
from engine.device import Compute
from engine.training import loop
from restore.networks.variants import Architecture, Variant, variant
from restore.training.schedules import schedule


@pytest.fixture
def photographs(tmp_path: Path) -> str:
    ramp = np.add.outer(np.arange(48), 3 * np.arange(40)).astype(np.uint8)
    (tmp_path / "photographs").mkdir()
    Image.fromarray(ramp).save(tmp_path / "photographs" / "ramp.png")
    return str(tmp_path / "photographs")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Variant:
    """DnCNN-S of four layers and four features."""
    small = replace(variant("dncnn-s-25"), architecture=Architecture(4, 1, 4))
    monkeypatch.setattr(training, "variant", lambda _: small)
    return small


def test_arithmetic_is_counted_and_the_goal_goes_by_the_machine(
    photographs: str, tiny: Variant, cpu: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "matrix_product_rate", lambda *_: 1e-3)
    plan = replace(schedule("best", tiny), batch_size=2, patch=16)
    row = training.steps(cpu, plan, images=photographs, count=4)
    products = 2 * 16 * 16 * (4 + 2 * 16 + 4) * 9  # of the batch; each is * and +
    first = 2 * 16 * 16 * 4 * 9  # no gradient of the image is asked for
    assert row.baseline_seconds == round(2 * (3 * products - first) / 1e6, 5)
    assert "mean of 4 steps" in row.case
    assert "a step of 2 patches of 16x16" in row.case
    assert "muon, averaged" in row.case
    assert row.goal.startswith("at least 0 GFLOP/s: 900, or three quarters")
    assert row.met == "yes"
    assert row.our_seconds > 0


def test_averaging_and_optimizer_belong_to_a_step(
    photographs: str, tiny: Variant, cpu: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "matrix_product_rate", lambda *_: 1e-3)
    averaged: list[int] = []
    average = loop._average

    def counted(*arguments: object) -> None:
        averaged.append(1)
        average(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "_average", counted)
    plan = replace(schedule("best", tiny), batch_size=2, patch=16)
    training.steps(cpu, plan, images=photographs, count=3)
    assert len(averaged) == training.WARM + 3


def test_the_table_times_the_schedule_best_at_its_own_size(
    cpu: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "steps", lambda compute, plan: (compute, plan))
    ((compute, plan),) = training.rows(cpu)  # type: ignore[misc]
    assert compute.device == torch.device("cpu")
    assert (plan.name, plan.batch_size, plan.patch) == ("best", 16, 48)
    assert plan.steps > training.WARM + training.STEPS
