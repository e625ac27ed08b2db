"""Trained networks that teach others: the workflow knows their files."""

import shutil

from restore.networks.shipped import shipped_models
from tests.workflow.tiny_project import CONFIG, Project


def test_weights_that_teach_are_inputs_of_a_training(project: Project) -> None:
    taught = "{steps: 1, batch_size: 2, teachers: [{weights: mine.safetensors, sigma: [0, 55]}]}"
    (project.folder / "taught.yaml").write_text(taught)
    images = CONFIG["restore"] | {"schedule": "taught.yaml"}
    config = project.configure({"restore": images}, "taught-by.yaml")
    missing = project.run("--dry-run", config=config)
    assert missing.returncode == 2
    assert missing.stderr.splitlines()[-1].startswith(
        "snakemake: taught-by.yaml: restore.schedule: model 'mine.safetensors': expected a "
        ".safetensors file"
    )
    shutil.copy(shipped_models()["dncnn-b"], project.folder / "mine.safetensors")
    drawn = project.run("--filegraph", config=config).stdout
    training = drawn.split(">train_dncnn<")[1].split("label =")[0]  # the node of that rule alone
    for file in ("taught.yaml", "mine.safetensors"):
        assert file in training
