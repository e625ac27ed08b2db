"""The schema of configs: its messages, and that configs, code and README agree with it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine import settings
from engine.errors import UserError
from hsi.classifiers.catalogue import names
from hsi.classifiers.schedules import WindowSchedule
from restore.evaluation.baselines import BASELINES
from restore.folders.naming import FORMATS
from restore.image_sets.overlap import apart
from restore.training.schedules import PatchSchedule, with_optimizer
from tests.workflow.tiny_project import ROOT

SCHEMA = settings.load(ROOT / "workflow/schemas/config.schema.yaml")


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("hsi", "window", 24, "hsi.window: expected an odd whole number from 9 to 99, found 24"),
        (
            "hsi",
            "splits",
            ["random:1.5"],
            "hsi.splits[0]: expected random:SHARE (above 0, below 1)",
        ),
        (
            "hsi",
            "splits",
            ["random:0.0"],
            "hsi.splits[0]: expected random:SHARE (above 0, below 1)",
        ),
        ("hsi", "seeds", [0, 0], "hsi.seeds: 0 is listed twice; remove one"),
        ("hsi", "scenes", {"a/b": {}}, "hsi.scenes: 'a/b': expected a name of letters, digits"),
        ("hsi", "scenes", {"a": {"cube": "a.npy"}}, "hsi.scenes.a: the key 'labels' is missing"),
        ("restore", "models", {"dncnn-b": []}, "restore.models.dncnn-b: expected a list of"),
        (
            "restore",
            "models",
            {"dncnn-b": {"train": ["Train400"]}},
            "restore.models.dncnn-b: the key 'test' is missing; give test sets, each with",
        ),
        (
            "restore",
            "models",
            {"dncnn-b": {"tests": {"BSD68": ["noise:25"]}}},
            "restore.models.dncnn-b: unknown key 'tests'; did you mean 'test'?",
        ),
        (
            "restore",
            "models",
            {"dncnn-b": {"test": {"BSD68": "noise:25"}}},
            "restore.models.dncnn-b.test.BSD68: expected a list of degradations",
        ),
        (
            "restore",
            "models",
            {"dncnn-b": {"test": ["BSD68"]}},
            "restore.models.dncnn-b.test: expected test sets, each with a list of degradations",
        ),
        (
            "restore",
            "baselines",
            {"nlm": {"test": {"BSD68": ["jpeg:10"]}}},
            "restore.baselines.nlm.test.BSD68[0]: expected a noise level",
        ),
        (
            "restore",
            "baselines",
            {"nlm": {"train": ["Train400"], "test": {"BSD68": ["noise:25"]}}},
            "restore.baselines.nlm: unknown key 'train'",
        ),
        (
            "hsi",
            "scenes",
            {2019: {"cube": "a.npy", "labels": "b.npy"}},
            "hsi.scenes: expected text for a key, found 2019 (int); put it in quotes",
        ),
        (
            "hsi",
            "maps",
            {True: {"scene": "a.npy", "model": "m"}},
            "hsi.maps: expected text for a key, found true (bool); put it in quotes",
        ),
        ("restore", "overlap", "keep", "restore.overlap: expected refuse, or drop"),
        ("hsi", "study", {"inner": "mask:x"}, "hsi.study.inner: expected random:SHARE"),
        ("restore", "ablation", {"sigma": 0}, "restore.ablation.sigma: expected a whole number"),
        (
            "restore",
            "ablation",
            {"optimizers": ["lion"]},
            "restore.ablation.optimizers[0]: expected adam or sgd, found 'lion'",
        ),
        (
            "restore",
            "baselines",
            {"nlm": ["jpeg:10"]},
            "restore.baselines.nlm[0]: expected a noise",
        ),
        ("restore", "train_images", [], "restore.train_images: expected a list of image sets"),
        (
            "restore",
            "denoise",
            [{"input": "a", "output": "b", "images_per_job": 0}],
            "restore.denoise[0].images_per_job: expected a whole number from 1 to 100000, found 0",
        ),
        (
            "restore",
            "denoise",
            [{"input": "a", "output": "b", "sigma": "much"}],
            "restore.denoise[0].sigma: expected auto, or a number from 0 to 255, found 'much'",
        ),
        (
            "restore",
            "denoise",
            [{"input": "a", "output": "b", "white": 0}],
            "restore.denoise[0].white: expected a number above 0 such as 4095, or nothing, found 0",
        ),
        (
            "restore",
            "denoise",
            [{"input": "a", "output": "b", "strenght": 1}],
            "restore.denoise[0]: unknown key 'strenght'; did you mean 'strength'?",
        ),
        (
            "restore",
            "denoise",
            [{"input": "a"}],
            "restore.denoise[0]: the key 'output' is missing; give the name of a folder",
        ),
    ],
)
def test_the_schema_faults(section: str, key: str, value: object, message: str) -> None:
    with pytest.raises(UserError) as raised:
        settings.validate({section: {key: value}}, SCHEMA, "my.yaml")
    assert str(raised.value).startswith(f"my.yaml: {message}")


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_the_configs_that_come_along_are_complete(path: Path) -> None:
    found = settings.load(path)
    assert settings.validate(found, SCHEMA, str(path)) == found


def test_the_demo_covers_every_degradation_of_the_tables() -> None:
    demo = settings.load(ROOT / "config/config.yaml")
    assert set(demo["restore"]["models"]["dncnn-3"]) == {
        *(f"noise:{sigma}" for sigma in (15, 25, 50)),
        *(f"jpeg:{quality}" for quality in (10, 20, 30, 40)),
        *(f"bicubic:{scale}" for scale in (2, 3, 4)),
    }


def test_the_schema_knows_the_rules_for_overlap_and_the_optimizers() -> None:
    section = SCHEMA["properties"]["restore"]["properties"]
    for rule in section["overlap"]["enum"]:
        assert apart([], [], rule) == ([], [])
    plan = PatchSchedule("plan", 1, 1)
    for optimizer in section["ablation"]["properties"]["optimizers"]["items"]["enum"]:
        assert with_optimizer(plan, optimizer).optimizer == optimizer


def test_the_schema_knows_the_formats_of_outputs() -> None:
    folder = SCHEMA["properties"]["restore"]["properties"]["denoise"]["items"]["properties"]
    assert folder["format"]["enum"] == list(FORMATS)


def keys(schema: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every key of a schema with its place."""
    found = []
    for name, part in schema.get("properties", {}).items():
        found += [(f"{path}{name}", part), *keys(part, f"{path}{name}.")]
    return found


@pytest.mark.parametrize(("key", "part"), keys(SCHEMA), ids=[key for key, _ in keys(SCHEMA)])
def test_every_key_is_described_and_can_be_left_out(key: str, part: dict[str, Any]) -> None:
    assert part["description"].endswith(".")
    assert "default" in part
    assert "title" in part or "title" in SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")]


def places(schema: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every key that a config may have, those of entries included, with its place."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")] | schema
    found = []
    for name, part in schema.get("properties", {}).items():
        found += [(f"{path}{name}", part), *places(part, f"{path}{name}.")]
    if isinstance(entries := schema.get("additionalProperties"), dict):
        found += places(entries, f"{path}NAME.")
    if "items" in schema:
        found += places(schema["items"], f"{path.removesuffix('.')}[].")
    if "then" in schema:
        found += places(schema["then"], path)
    return found


def documented() -> dict[str, str]:
    """The keys of the tables of config/README.md, with the cells of their defaults."""
    text = (ROOT / "config/README.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| (.*?) ?\| .+ \|$", text, re.MULTILINE)
    return {key: default.strip() for key, default in rows if not key.endswith(("/", ".yaml"))}


def test_the_readme_of_configs_has_every_key_and_its_default() -> None:
    known = dict(places(SCHEMA))
    told = documented()
    assert sorted(told) == sorted(known)
    for key, part in known.items():
        if (default := part.get("default")) is not None and default != {}:
            assert yaml.safe_load(told[key].strip("`")) == default, key


def test_the_readme_of_configs_has_every_name() -> None:
    text = (ROOT / "config/README.md").read_text()
    schedules = (*PatchSchedule.NAMED, *WindowSchedule.NAMED)
    for name in (*names(), *BASELINES, *schedules):
        assert f"`{name}`" in text
