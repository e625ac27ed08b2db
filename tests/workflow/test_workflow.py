"""The workflow from end to end, on a tiny project: what it writes, and what it does again."""

import copy
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from engine.device import Compute
from restore.networks.denoiser import load
from restore.networks.shipped import find, identity_of
from tests.workflow.tiny_project import CONFIG, Project

CPU = Compute(torch.device("cpu"), "float32", "test")
CONTRACT = {
    "restore/psnr_ssim.csv": (
        "model,set,degradation,level,image,psnr_db,ssim,psnr_input_db,ssim_input,seed,"
        "weights_sha256,precision"
    ),
    "hsi/per_class_accuracy.csv": (
        "scene,split,classifier,seed,class_id,class_name,train_pixels,test_pixels,recall,"
        "precision,f1"
    ),
    "hsi/mcnemar.csv": (
        "scene,split,seed,first,second,both_right,only_first_right,only_second_right,"
        "neither_right,chi_squared,p_value"
    ),
    "hsi/overall_accuracy.csv": (
        "scene,split,classifier,seed,oa,aa,kappa,seconds_train,seconds_map"
    ),
}


def changed(**restore: Any) -> dict[str, Any]:
    """The project's config with other keys in its section `restore`."""
    config = copy.deepcopy(CONFIG)
    config["restore"] |= restore
    return config


@pytest.mark.parametrize("table", CONTRACT)
def test_tables_have_the_columns_of_the_contract(finished: Project, table: str) -> None:
    lines = (finished.folder / "results" / table).read_text().splitlines()
    assert lines[0] == CONTRACT[table]
    assert len(lines) > 1


def test_every_file_of_the_contract_is_there(finished: Project) -> None:
    run = "hsi/field/random:0.3/hybridsn/seed0"
    names = [
        "restore/psnr_ssim_summary.csv",
        "hsi/overall_accuracy_summary.csv",
        *(f"{run}/{name}" for name in ("map.png", "map.npy", "confusion.csv", "confusion.png")),
        "report.html",
        "index.html",
        "headlines.txt",
        "config.yaml",
    ]
    assert [name for name in names if not (finished.folder / "results" / name).is_file()] == []


def test_summary_has_a_row_a_method(finished: Project) -> None:
    summary = pd.read_csv(finished.folder / "results/restore/psnr_ssim_summary.csv")
    assert summary.model.tolist() == ["dncnn-s-25", "dncnn-s-25", "nlm"]
    trained, shipped, _ = summary.schedule
    assert trained == "user's short (20 steps)"
    assert shipped == load("dncnn-s-25", CPU).schedule + ", shipped"
    assert summary.weights_sha256[1] == identity_of(find("dncnn-s-25"))
    assert {"psnr_published_db", "psnr_difference_db", "schedule"} <= set(summary.columns)


def test_accuracies_stand_beside_the_coordinates_only_control(finished: Project) -> None:
    overall = pd.read_csv(finished.folder / "results/hsi/overall_accuracy.csv")
    assert overall.classifier.tolist() == ["hybridsn", "coordinates"]


def test_tables_are_made_where_torch_is_not_imported(finished: Project, tmp_path: Path) -> None:
    """It takes seconds to import, in each job."""
    scores = "results/restore/scores/test/noise/dncnn-s-25.csv"
    weights = "results/restore/models/dncnn-s-25/seed0.safetensors"
    run = "results/hsi/field/random:0.3"
    model = f"{run}/coordinates/seed0/model.safetensors"
    for package, arguments in (
        ("restore", ["summary", scores, f"--model={weights}", "--model=dncnn-b", "--out", "r"]),
        ("restore", ["models"]),
        (
            "hsi",
            [
                *("score", f"{run}/coordinates/seed0/map.npy", "field_gt.npy", "--model", model),
                *("--split", f"{run}/split_seed0.npz", "--out", "h"),
            ],
        ),
    ):
        done = subprocess.run(
            [
                *(sys.executable, "-c"),
                f"import sys; sys.modules['torch'] = None; sys.argv[0] = '{package}';"
                f"from {package}.__main__ import run; run()",
                *(str(tmp_path / each) if each in ("r", "h") else each for each in arguments),
            ],
            cwd=finished.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    made = pd.read_csv(tmp_path / "r/psnr_ssim_summary.csv")
    assert made.schedule.tolist() == ["user's short (20 steps)"]
    whole = finished.folder / run / "coordinates/seed0/scores.json"
    one, other = (json.loads(path.read_text()) for path in (tmp_path / "h/scores.json", whole))
    assert one["oa"] == other["oa"]


def test_the_end_of_a_run_says_the_figures_and_where_they_lie(finished: Project) -> None:
    said = (finished.folder / "output.txt").read_text()
    headlines = (finished.folder / "results/headlines.txt").read_text()
    assert headlines.strip() in said
    assert (
        "  schedules  dncnn-s-25: user's short (20 steps); dncnn-s-25 (shipped): best" in headlines
    )
    assert re.search(r"dncnn-s-25 [\d.]+, dncnn-s-25 \(shipped\) [\d.]+, nlm", headlines)
    assert "results/report.html" in headlines
    assert len(headlines.splitlines()) == 8
    assert said.partition("results/index.html\n")[0].endswith("\nLook at it: ")


def test_the_results_page_holds_all_and_fetches_nothing(finished: Project) -> None:
    page = (finished.folder / "results/index.html").read_text()
    assert not re.search(r'(src|href)="(?!data:|#|\./)', page)
    assert "missing from the results" not in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    panels = data["compared"][0]["images"][0]["panels"]
    assert [panel["name"] for panel in panels] == [
        *("test0", "noise:25", "nlm", "dncnn-s-25", "dncnn-s-25 (shipped)"),
    ]
    (scene,) = data["scenes"]
    assert [run["classifier"] for run in scene["runs"]] == ["hybridsn", "coordinates"]
    assert [run["confidence"] is not None for run in scene["runs"]] == [True, False]
    assert scene["spectra"]["rows"] == 28
    assert len(data["histories"]) == 2


def test_the_report_is_one_file_that_needs_no_network(finished: Project) -> None:
    page = (finished.folder / "results/report.html").read_text()
    for fetched in ('src="http', 'href="http', "@import", "url(http"):
        assert fetched not in page
    for shown in ("noise:25.png", "comparison.png", "curves.png", "overall_accuracy.html"):
        assert shown in page
    assert "is <strong>not</strong> the published one" in page


def test_a_second_run_does_nothing(finished: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.folder.glob("results/**/*")}
    again = finished.run()
    assert again.returncode == 0
    assert "Nothing to be done" in again.stderr
    assert {p: p.stat().st_mtime_ns for p in finished.folder.glob("results/**/*")} == before


def test_another_noise_level_makes_only_what_depends_on_it(finished: Project) -> None:
    config = finished.configure(
        changed(models={"dncnn-s-25": ["noise:25", "noise:20"]}), "another.yaml"
    )
    assert finished.jobs(config) == {
        "degrade test: noise:20",
        "score dncnn-s-25 on test, noise",
        "draw test, noise:20",
        "join the scores of images",
        "lay out the table restore/psnr_ssim",
        "lay out the table restore/psnr_ssim_summary",
        "pick the headline figures",
        "write down the settings",
        "write the report",
        "write the results page",
    }


def test_another_schedule_trains_again_and_leaves_scenes_alone(finished: Project) -> None:
    jobs = finished.jobs(finished.configure(changed(schedule="demo"), "another.yaml"))
    assert "train dncnn-s-25" in jobs
    assert not [job for job in jobs if "field" in job or "degrade" in job or "nlm" in job]


def test_an_edited_schedule_file_trains_again(finished: Project) -> None:
    schedule = finished.folder / "user's short.yaml"
    text, when = schedule.read_text(), schedule.stat()
    try:
        schedule.write_text(text.replace("20", "21"))
        assert "train dncnn-s-25" in finished.jobs("my.yaml")
    finally:
        schedule.write_text(text)
        os.utime(schedule, ns=(when.st_atime_ns, when.st_mtime_ns))


def test_one_half_runs_alone(project: Project) -> None:
    jobs = project.jobs(project.configure({"hsi": CONFIG["hsi"]}, "scenes.yaml"))
    assert "write the report" in jobs
    assert not [job for job in jobs if "dncnn" in job]


def test_a_killed_run_goes_on_where_it_was(project: Project, finished: Project) -> None:
    weights = "results/restore/models/dncnn-s-25/seed0.safetensors"
    degraded = "results/restore/degraded/test/noise:25/degraded.json"
    log = project.folder / "results/logs/restore/train/dncnn-s-25.log"
    assert project.run(degraded).returncode == 0
    first = subprocess.Popen(
        project.command(weights),
        cwd=project.folder,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: log.is_file() and "device:" in log.read_text(), first)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (project.folder / weights).exists()
    kept = (project.folder / degraded).stat().st_mtime_ns

    second = project.run(degraded, weights)
    assert second.returncode == 0, second.stderr
    assert (project.folder / degraded).stat().st_mtime_ns == kept
    resumed, unbroken = (load_file(p.folder / weights) for p in (project, finished))
    assert resumed.keys() == unbroken.keys()
    assert all((resumed[name] == unbroken[name]).all() for name in unbroken)
    folder = (project.folder / weights).parent
    assert not list(folder.glob(".training/.resume/*/state.safetensors"))


def wait_for(condition: Any, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "the training did not start"
        time.sleep(0.05)
