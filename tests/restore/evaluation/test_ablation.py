"""The ablation's table says what each training was, from its own files; the picture shows all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from engine.device import Compute
from restore.degradations.degradation import parse
from restore.errors import RestoreError
from restore.evaluation import ablation
from restore.evaluation.benchmark import evaluate
from restore.image_sets.find import image_set
from restore.networks.denoiser import load
from restore.networks.variants import variant
from restore.training.schedules import PatchSchedule, with_optimizer
from restore.training.train import train_variant

CPU = Compute(torch.device("cpu"), "float32", "test")
NAMES = ("dncnn-s-25", "dncnn-s-25-direct", "dncnn-s-25-nobn", "dncnn-s-25-nobn-direct")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[Path]]:
    """Weights and scores of the four networks, small ones, and of one with SGD."""
    root = tmp_path_factory.mktemp("ablation")
    (root / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24)).astype(np.uint8)
    Image.fromarray(pixels).save(root / "photos" / "a.png")
    images = image_set(str(root / "photos"))
    plan = PatchSchedule("tiny", 20, 2, patch=12)
    weights, scores = [], []
    for name, optimizer in [*((name, "adam") for name in NAMES), (NAMES[0], "sgd")]:
        full = variant(name)
        small = replace(full, architecture=replace(full.architecture, depth=3, features=4))
        path = root / optimizer / f"{name}.safetensors"
        history = path.with_suffix(".csv")
        schedule = with_optimizer(plan, optimizer)
        train_variant(small, [images], schedule, path, seed=0, compute=CPU, history=history)
        rows = evaluate(load(str(path), CPU), [images], [parse("noise:25")], seed=0)
        score = root / f"{name}-{optimizer}.csv"
        pd.DataFrame(rows).to_csv(score, index=False)
        weights.append(path)
        scores.append(score)
    return weights, scores


def test_a_row_says_what_was_trained(trained: tuple[list[Path], list[Path]]) -> None:
    table = ablation.compare(*trained)
    assert tuple(table.columns) == ablation.COLUMNS
    assert table["model"].tolist() == [*NAMES, NAMES[0]]
    assert table["residual"].tolist() == ["yes", "no", "yes", "no", "yes"]
    assert table["batch_norm"].tolist() == ["yes", "yes", "no", "no", "yes"]
    assert table["optimizer"].tolist() == ["adam"] * 4 + ["sgd"]
    assert set(table["steps"]) == {20}
    score = pd.read_csv(trained[1][1])["psnr_db"].mean()
    assert table["psnr_db"][1] == f"{score:.2f}"
    last = pd.read_csv(trained[0][1].with_suffix(".csv"))["loss"].iloc[-1]
    assert table["final_loss"][1] == f"{last:.4g}"


def test_table_and_picture_are_written(
    trained: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    ablation.write_comparison(*trained, tmp_path)
    assert len((tmp_path / "ablation.csv").read_text().splitlines()) == 6
    with Image.open(tmp_path / "ablation.png") as picture:
        assert picture.width > 600


def test_weights_without_scores_are_one_line(trained: tuple[list[Path], list[Path]]) -> None:
    weights, scores = trained
    with pytest.raises(RestoreError, match="expected scores of these weights, found none"):
        ablation.compare(weights, scores[:1])


def test_two_trainings_of_one_variant_are_one_line(trained: tuple[list[Path], list[Path]]) -> None:
    weights, scores = trained
    with pytest.raises(RestoreError, match="with seed 0 is there already"):
        ablation.compare([*weights, weights[0]], scores)


def test_another_optimizer_has_a_name_of_its_own() -> None:
    plan = PatchSchedule("tiny", 20, 2)
    assert with_optimizer(plan, "adam") is plan
    sgd = with_optimizer(plan, "sgd")
    assert (sgd.name, sgd.optimizer, sgd.steps) == ("tiny-sgd", "sgd", 20)
    assert sgd.clip_norm > 0
    with pytest.raises(RestoreError, match="optimizer 'lion': expected adam or sgd"):
        with_optimizer(plan, "lion")
