"""Mistakes in a config: one line before any work starts; and one run at a time."""

import copy
import fcntl
import re
import shutil
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
from tests.workflow.tiny_project import CONFIG, ROOT, Project

SCHEMA = settings.load(ROOT / "workflow/schemas/config.schema.yaml")


def lines(stderr: str) -> list[str]:
    """What Snakemake says besides that it found its profile."""
    return [line for line in stderr.splitlines() if not line.startswith("Using ")]


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("restore", "train_imags", ["photos/train"], "did you mean 'train_images'?"),
        ("restore", "test_images", ["empty"], "restore.test_images[0]: empty: expected images"),
        (
            "restore",
            "shipped",
            {"dncnn-s-7": ["noise:7"]},
            "restore.shipped: expected the name of shipped weights, found 'dncnn-s-7'; did you",
        ),
        (
            "restore",
            "models",
            {"dncnn-s-999": ["noise:25"]},
            "restore.models: model 'dncnn-s-999': expected dncnn-s-N[-nobn][-direct] (noise level",
        ),
        (
            "restore",
            "denoise",
            [{"input": "photos/train", "output": "clean {x}"}],
            "restore.denoise[0].output: expected a path without braces, found 'clean {x}'; rename",
        ),
        (
            "restore",
            "denoise",
            [{"input": "-in", "output": "clean"}],
            "restore.denoise[0].input: expected a path that does not begin with '-', found '-in'; "
            "write ./-in",
        ),
        (
            "restore",
            "test_images",
            ["photos\n"],
            "restore.test_images[0]: expected one line of text, found 'photos\\n'; remove the",
        ),
        (
            "restore",
            "baselines",
            {"median": ["noise:25"]},
            "restore.baselines: expected a baseline, found 'median'; known: nlm, wavelet, tv, bm3d",
        ),
        (
            "restore",
            "schedule",
            "notebook",
            "restore.schedule: expected a named schedule or a YAML file, found 'notebook'; known: "
            "demo, paper, best",
        ),
        (
            "hsi",
            "schedule",
            "notebok",
            "hsi.schedule: expected a named schedule or a YAML file, found 'notebok'; did you mean "
            "'notebook'?",
        ),
        (
            "hsi",
            "classifiers",
            ["svn"],
            "hsi.classifiers[0]: expected a classifier, found 'svn'; did you mean 'svm'?",
        ),
        (
            "hsi",
            "schedules",
            {"svm": "best"},
            "hsi.schedules: expected a network, found 'svm'; known: hybridsn, hybridsn-11,",
        ),
        (
            "hsi",
            "restoration",
            {"degradations": ["rain:3"]},
            "hsi.restoration.degradations[0]: `degradation` rain:3: expected a form such as",
        ),
        (
            "hsi",
            "restoration",
            {"methods": ["bm4d"]},
            "hsi.restoration.methods[0]: `method` bm4d: expected one of noisy, band-by-band",
        ),
        (
            "hsi",
            "denoise_then_classify",
            {"noises": ["clean", "gaussian:0"]},
            "hsi.denoise_then_classify.noises[1]: `degradation` gaussian:0: expected numbers from",
        ),
        (
            "hsi",
            "denoise_then_classify",
            {"arms": ["denoise", "raw"]},
            "hsi.denoise_then_classify.arms[1]: `method` raw: expected one of noisy, band-by-band",
        ),
        (
            "hsi",
            "denoise_then_classify",
            {"splits": ["mask:a/m.npz", "mask:b/m.npz"]},
            "hsi.denoise_then_classify.splits[0]: a/m.npz: no such file",
        ),
        ("restore", "models", {"dncnn-b": ["jpeg:0"]}, "restore.models.dncnn-b[0]: JPEG quality"),
        (
            "restore",
            "models",
            {"dncnn-b": {"test": {"photos/none": ["noise:25"]}}},
            "restore.models.dncnn-b.test: image set 'photos/none': no such folder",
        ),
        (
            "restore",
            "models",
            {"dncnn-b-color": ["noise:25"]},
            "restore.models.dncnn-b-color: expected test images in colour, found test0 in "
            "photos/test; give it colour sets of its own, as in {test: {CBSD68: [noise:25]}}",
        ),
        (
            "restore",
            "models",
            {"dncnn-r": ["camera:1600"]},
            "restore.models.dncnn-r: expected test images in colour, found test0 in photos/test",
        ),
        ("restore", "models", {"dncnn-r": ["camera:1"]}, "restore.models.dncnn-r[0]: camera ISO"),
        (
            "restore",
            "shipped",
            {"dncnn-b-color": {"test": {"BSD68": ["noise:25"]}}},
            # grey ones in BSD68, or the first of them where the set is at hand
            "restore.shipped.dncnn-b-color: expected test images in colour, found ",
        ),
        (
            "restore",
            "pairs",
            {"night": {"models": ["auto"]}},
            "restore.pairs.night: expected a set of pairs, found 'night'; known: PolyU; or name",
        ),
        (
            "restore",
            "pairs",
            {"night": {"noisy": "photos/test", "models": ["auto"]}},
            "restore.pairs.night: expected both noisy and truth, found one of them; name the other",
        ),
        (
            "restore",
            "pairs",
            {"a": {"noisy": "photos/test", "truth": "photos/train", "models": ["auto"]}},
            "restore.pairs.a: photos/test/test0.png: expected a ground truth that belongs to it",
        ),
        (
            "restore",
            "pairs",
            {"a": {"noisy": "photos/test", "truth": "photos/test", "models": ["auto"]}},
            "restore.pairs.a: truth photos/test: is the folder of the noisy images; name that of",
        ),
        (
            "restore",
            "pairs",
            {"PolyU": {"models": ["dncnn-b-colour"]}},
            "restore.pairs.PolyU.models[0]: expected auto, weights or a baseline, found 'dncnn-b",
        ),
        ("restore", "schedule", "typo.yaml", "restore.schedule: typo.yaml: unknown key 'pach'"),
        (
            "hsi",
            "schedule",
            "user's short.yaml",
            "hsi.schedule: user's short.yaml: unknown key 'patch'",
        ),
        (
            "hsi",
            "splits",
            ["mask:field_gt.npy", "mask:photos/../field_gt.npy"],
            "hsi.splits[1]: two splits are called 'mask:field_gt'; rename one file",
        ),
        (
            "hsi",
            "maps",
            {"m": {"scene": "field.npy", "model": "field.npy", "memory": "2 gigs"}},
            "hsi.maps.m.memory: 2 gigs: expected a size such as 2GiB or 500MiB",
        ),
        (
            "hsi",
            "study",
            {"candidates": "none.yaml"},
            "hsi.study.candidates: expected a file, found no file 'none.yaml'",
        ),
        (
            "hsi",
            "scenes",
            {"field": {"cube": "none.npy", "labels": "field_gt.npy"}},
            "hsi.scenes.field.cube: none.npy: no such file",
        ),
    ],
)
def test_a_mistake_is_one_line_before_any_work(
    project: Project, section: str, key: str, value: object, message: str
) -> None:
    (project.folder / "empty").mkdir()
    (project.folder / "typo.yaml").write_text("steps: 3\nbatch_size: 2\npach: 24\n")
    config = copy.deepcopy(CONFIG)
    config[section][key] = value
    run = project.run(config=project.configure(config))
    assert run.returncode == 2
    (line,) = lines(run.stderr)
    assert line.startswith("snakemake: ")
    assert message in line
    assert not (project.folder / "results").exists()


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


def test_a_config_without_work(project: Project) -> None:
    run = project.run(config=project.configure({"seed": 1}))
    assert lines(run.stderr) == [
        "snakemake: my.yaml: expected a section 'restore' or 'hsi', found neither"
    ]


def test_the_command_line_overrides_the_config(project: Project) -> None:
    run = project.run("--dry-run", "--config", "seed=-1")
    assert "snakemake: my.yaml: seed: expected a whole number, 0 or more, found -1" in run.stderr


def test_a_data_folder_that_is_none(project: Project) -> None:
    run = project.run(config=project.configure(CONFIG | {"data_root": "nowhere"}))
    assert run.returncode == 2
    assert lines(run.stderr) == [
        "snakemake: my.yaml: data_root: expected a folder, found no folder 'nowhere'"
    ]


def test_two_folders_of_one_name(project: Project) -> None:
    (project.folder / "other/test").mkdir(parents=True)
    shutil.copy(project.folder / "photos/test/test0.png", project.folder / "other/test")
    config = copy.deepcopy(CONFIG)
    config["restore"]["models"]["dncnn-b"] = {"test": {"other/test": ["noise:25"]}}
    run = project.run("--dry-run", config=project.configure(config))
    assert lines(run.stderr)[-1] == (
        "snakemake: restore.models.dncnn-b.test: two sets are called 'test'; rename one folder"
    )


def test_a_second_run_at_the_same_time_says_so(project: Project) -> None:
    (project.folder / ".snakemake").mkdir()
    with (project.folder / ".snakemake/live.lock").open("w") as live:
        fcntl.flock(live, fcntl.LOCK_EX)
        live.write("process 1 on here")
        live.flush()
        run = project.run()
        assert run.returncode == 2
        assert run.stderr.splitlines()[-1] == (
            "snakemake: another run is at work in this folder (process 1 on here); "
            "wait until it ends"
        )
    assert not (project.folder / "results").exists()


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


def test_the_schema_knows_the_rules_for_overlap_and_the_optimizers() -> None:
    section = SCHEMA["properties"]["restore"]["properties"]
    for rule in section["overlap"]["enum"]:
        assert apart([], [], rule) == ([], [])
    plan = PatchSchedule("plan", 1, 1)
    for optimizer in section["ablation"]["properties"]["optimizers"]["items"]["enum"]:
        assert with_optimizer(plan, optimizer).optimizer == optimizer


def test_a_folder_of_results_has_no_braces(project: Project) -> None:
    named = {"results": "res {y}", "hsi": CONFIG["hsi"]}
    shown = project.run("-n", config=project.configure(named))
    assert shown.returncode == 2
    assert "results: expected a path without braces, found 'res {y}'" in shown.stderr


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
