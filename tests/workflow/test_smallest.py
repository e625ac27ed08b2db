"""Each section at its smallest: one classifier, one method or one folder, and nothing trained."""

from pathlib import Path
from typing import Any

import pytest
import torch

from restore.networks.denoiser import save
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture
from tests.workflow.tiny_project import CONFIG, Project

NOTHING: dict[str, Any] = {"models": {}, "shipped": {}, "baselines": {}}
SCORES = "results/restore/psnr_ssim_summary.html"
ACCURACIES = "results/hsi/overall_accuracy_summary.html"


def images(**restore: Any) -> dict[str, Any]:
    return {"restore": {"test_images": ["photos/test"], **NOTHING, **restore}, "device": "cpu"}


def scenes(**hsi: Any) -> dict[str, Any]:
    return {"hsi": CONFIG["hsi"] | hsi, "device": "cpu"}


def check(project: Project, config: dict[str, Any], *results: str) -> None:
    """Run a config to its end, and see that a second run does nothing."""
    name = project.configure(config)
    done = project.run(config=name)
    assert done.returncode == 0, done.stderr
    assert [result for result in results if not (project.folder / result).is_file()] == []
    assert "Nothing to be done" in project.run(config=name).stderr


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "restore",
    [{"shipped": {"dncnn-s-25": ["noise:25"]}}, {"baselines": {"nlm": ["noise:25"]}}],
    ids=lambda restore: next(iter(restore)),
)
@pytest.mark.slow
def test_images_without_a_training(project: Project, restore: dict[str, Any]) -> None:
    check(project, images(**restore), SCORES, "results/report.html", "results/headlines.txt")
    assert "learned with" not in (project.folder / SCORES).read_text()
    strips = list(project.folder.glob("results/restore/strips/*/*.png"))
    assert len(strips) == len(restore.get("shipped", ()))


@pytest.mark.usefixtures("installed")
def test_a_folder_to_denoise_alone(project: Project) -> None:
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    save(project.folder / "small.safetensors", network, "dncnn-s-25", {})
    folder = {"input": "photos/test", "output": "clean", "model": "small.safetensors"}
    check(project, images(denoise=[folder]), "clean/test0.png")
    assert not (project.folder / "results/report.html").exists()


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_scenes_without_a_network_and_a_map_alone(project: Project) -> None:
    model = "results/hsi/field/random:0.3/coordinates/seed0/model.safetensors"
    check(project, scenes(classifiers=["coordinates"]), ACCURACIES, "results/report.html", model)
    assert "learned with" not in (project.folder / ACCURACIES).read_text()
    assert "networks with the schedule" not in report_text(project)

    svm = "results/hsi/field/random:0.3/svm/seed0/model.safetensors"
    check(project, scenes(classifiers=["svm"]), ACCURACIES, svm)

    mapped = project.configure(scenes(maps={"m": {"scene": "field.npy", "model": svm}}))
    done = project.run("map_scenes", config=mapped)
    assert done.returncode == 0, done.stderr
    assert Path(project.folder / "results/maps/m/map.png").is_file()
    assert not (project.folder / "results/hsi/field/reduced.npz").exists()


def report_text(project: Project) -> str:
    return (project.folder / "results/report.html").read_text()
