"""Model cards are read back, and shipped weights are checked against them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.device import Compute
from engine.tensors import load_tensors, save_tensors
from restore.errors import RestoreError
from restore.evaluation import shipping
from restore.evaluation.cards import Score, read_scores
from restore.networks import denoiser, shipped
from restore.networks.dncnn import DnCNN, folded
from restore.networks.variants import variant

CPU = Compute(torch.device("cpu"), "float32", "for the test")
TRAINING = {
    "network": "dncnn-s-25",
    "schedule": {
        "name": "short",
        "steps": 20,
        "batch_size": 2,
        "patch": 24,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "decay": "constant",
    },
    "seed": 3,
    "sets": ["photos"],
    "images": 2,
    "left_out": ["one.png"],
    "precision": "float32",
    "device": "cpu",
    "code_revision": "abc",
    "seconds": 12.3,
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "waves"
    folder.mkdir()
    rows, columns = np.mgrid[:40, :44]
    for index in range(2):
        wave = 128 + 90 * np.sin(rows / (3 + index)) * np.cos(columns / 5)
        Image.fromarray(wave.astype(np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drawn = torch.Generator().manual_seed(0)
    network = DnCNN(variant("dncnn-s-25").architecture, drawn)
    torch.nn.init.normal_(network.convolutions()[-1].weight, std=0.001, generator=drawn)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    denoiser.save(path, folded(network.eval()), "dncnn-s-25", {"training": TRAINING})
    return path


def test_shipped_weights_are_halved_and_described(
    tmp_path: Path, weights: Path, images: Path
) -> None:
    card = shipping.ship(weights, [f"{images},noise:25", f"{images},noise:25.5"], tmp_path, CPU)
    assert card == tmp_path / "dncnn-s-25.md"
    tensors, description = load_tensors(tmp_path / "dncnn-s-25.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert description["training"] == TRAINING
    text = card.read_text()
    assert "**Reduced schedule**" in text
    assert "left out, as they show test images: one.png" in text
    assert "| first weights | random |" in text
    assert "20 steps of 2 patches of 24×24 pixels, adam at 0.001, constant" in text
    assert "float16: within 0.0" in text
    first, second = read_scores(card)
    assert (first.images, first.degradation) == ("waves", "noise:25")
    assert second.degradation == "noise:25.5"
    assert first.psnr_db > second.psnr_db > 5


def card_of(weights: Path, images: Path, folder: Path, **training: object) -> str:
    """Return the card of weights that another training made."""
    tensors, description = load_tensors(weights)
    description["training"] = TRAINING | training
    save_tensors(folder / "other.safetensors", tensors, description)
    test = f"{images},noise:25"
    return shipping.ship(folder / "other.safetensors", [test], folder, CPU).read_text()


def test_a_card_names_the_first_weights(tmp_path: Path, weights: Path, images: Path) -> None:
    older = {"weights": "dncnn-s-50", "sha256": "ef" * 32, "schedule": "old (9 steps)"}
    start = {"weights": "dncnn-s-25", "sha256": "ab" * 32, "schedule": "demo (7 steps)"}
    card = card_of(weights, images, tmp_path, start=start | {"start": older | {"start": None}})
    assert (
        "| first weights | `dncnn-s-25`, demo (7 steps) (SHA-256 abababababab…); before these: "
        "`dncnn-s-50`, old (9 steps) (SHA-256 efefefefefef…); before these: random |"
    ) in card


def test_a_card_tells_of_two_machines_and_ghost_batches(
    tmp_path: Path, weights: Path, images: Path
) -> None:
    schedule = TRAINING["schedule"] | {"ghost_batches": 2}  # type: ignore[operator]
    both = ["CPU with AVX2 on 2 threads", "CPU with AVX512 AMX on 1 thread"]
    card = card_of(weights, images, tmp_path, schedule=schedule, kernels=both)
    assert (
        "| time and machine | 12 s on CPU with AVX2 on 2 threads; then on CPU with AVX512 AMX on 1 "
        "thread, so that the last digits are of neither, float32, torch"
    ) in card
    assert "patches of 24×24 pixels in 2 ghost batches, adam" in card


def test_a_card_tells_of_teachers(tmp_path: Path, weights: Path, images: Path) -> None:
    schedule = TRAINING["schedule"] | {  # type: ignore[operator]
        "teachers": [
            {"weights": "dncnn-s-15", "sigma": [6.0, 20.0], "other": False},
            {"weights": "dncnn-3", "sigma": None, "other": True},
        ],
        "taught": 0.85,
    }
    origins = [
        {"weights": name, "sha256": 64 * digit, "schedule": "best (9 steps)"}
        for name, digit in (("dncnn-s-15", "5"), ("dncnn-3", "7"))
    ]
    card = card_of(weights, images, tmp_path, schedule=schedule, teachers=origins)
    assert (
        "| teachers | `dncnn-s-15`, best (9 steps) (SHA-256 555555555555…), noise σ 6 to 20; "
        "`dncnn-3`, best (9 steps) (SHA-256 777777777777…), what is not white noise alone; 85 % "
        "of what it learned there is theirs |"
    ) in card
    assert "teachers" not in card_of(weights, images, tmp_path)


def test_weights_that_float16_would_spoil_stay_float32(
    tmp_path: Path, weights: Path, images: Path
) -> None:
    tensors, description = load_tensors(weights)
    fine = {name: value * 1e-4 if "16" in name else value for name, value in tensors.items()}
    fine["layers.0.weight"] = tensors["layers.0.weight"] * 1e4  # beyond float16 inside
    fine["layers.0.bias"] = tensors["layers.0.bias"] * 1e4 + 1e5
    save_tensors(tmp_path / "fine.safetensors", fine, description)
    card = shipping.ship(tmp_path / "fine.safetensors", [f"{images},noise:25"], tmp_path, CPU)
    kept, _ = load_tensors(tmp_path / "dncnn-s-25.safetensors")
    assert {tensor.dtype for tensor in kept.values()} == {torch.float32}
    assert "float32: float16 would cost" in card.read_text()


def test_scores_that_left_their_card_are_named(
    tmp_path: Path, weights: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = shipping.ship(weights, [f"{images},noise:25"], tmp_path, CPU)
    monkeypatch.setattr(
        shipped, "shipped_models", lambda: {"mine": card.with_suffix(".safetensors")}
    )
    monkeypatch.setenv("RESTORE_DATA", str(images.parent))
    monkeypatch.chdir(images.parent)  # where the folder's name is its path
    assert shipping.verify(["mine"], tmp_path / "tables", CPU) == []
    summary = (tmp_path / "tables" / "psnr_ssim_summary.csv").read_text()
    assert "short (20 steps)" in summary
    (stated,) = read_scores(card)
    better = f"{stated.psnr_db + 0.05:.2f}"
    card.write_text(card.read_text().replace(f"{stated.psnr_db:.2f}", better))
    (line,) = shipping.verify(["mine"], tmp_path / "tables", CPU)
    assert line.startswith(f"mine: waves, noise:25: expected {better} dB as its card says, found")


def test_every_shipped_model_has_a_card_with_scores() -> None:
    assert shipped.shipped_models()
    for name, path in shipped.shipped_models().items():
        assert read_scores(path.with_suffix(".md")), name
        assert load_tensors(path)[1]["variant"] == name


def test_rows_of_a_card(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(
        "| test | input | these weights | published |\n|---|---|---|---|\n"
        "| Set12, noise:25 | 20.18 | 30.44 / 0.8620 | 30.43 |\n"
        "| Set5, bicubic:3 | 30.41 / 0.8682 | 33.76 / 0.9222 | none |\n"
    )
    assert read_scores(card) == [
        Score("Set12", "noise:25", 30.44, 0.862),
        Score("Set5", "bicubic:3", 33.76, 0.9222),
    ]
    card.write_text("nothing")
    with pytest.raises(RestoreError, match=r"card\.md: expected rows such as"):
        read_scores(card)
    with pytest.raises(RestoreError, match=r"none\.md: expected a model card"):
        read_scores(tmp_path / "none.md")


def test_bad_input_is_told(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(RestoreError, match="`test` Set12: expected a set and a degradation"):
        shipping.ship(weights, ["Set12"], tmp_path, CPU)
    tensors, description = load_tensors(weights)
    description.pop("training")
    save_tensors(tmp_path / "imported.safetensors", tensors, json.loads(json.dumps(description)))
    with pytest.raises(RestoreError, match="expected weights of `restore train`, found imported"):
        shipping.ship(tmp_path / "imported.safetensors", ["Set12,noise:25"], tmp_path, CPU)
