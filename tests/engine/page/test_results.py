"""The results page: whole, small, and honest about what is missing."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from engine.errors import UserError
from engine.page import images, results
from engine.page.folder import ResultsFolder
from engine.page.results import MOST_BYTES, write_page
from tests.engine.page.results_folder import CLASS_MARKUP, MARKUP, make_view, write_results


def made(root: Path) -> tuple[str, dict[str, Any]]:
    """Return a folder's page and the data in it."""
    write_page(root, root / "index.html")
    page = (root / "index.html").read_text()
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return page, json.loads(found[0])


def test_a_whole_run(tmp_path: Path) -> None:
    page, data = made(write_results(tmp_path))
    assert "missing from the results" not in page
    assert not re.search(r'(src|href)="(?!data:|#|\./)', page)
    assert [one["title"] for one in data["compared"]] == ["set, noise:15", "set, noise:25"]
    assert data["levels"][0]["x"] == [15, 25]
    assert [one["name"] for one in data["levels"][0]["series"]] == [
        *("input", "dncnn-b", "dncnn-b (shipped)", "nlm"),
    ]
    assert [run["title"] for run in data["scenes"][0]["runs"]] == [
        *("hybridsn, random:0.1, seed 0", "hybridsn, blocks:8, seed 0"),
    ]
    assert data["histories"][0]["steps"] == 20
    assert "31.50" in page
    assert "ours −0.30" in page
    assert "85.0 to 94.0" in page
    assert "a" * 64 in page
    assert "c" * 64 in page
    assert (tmp_path / "index.html").stat().st_size < 1_000_000


def test_the_same_results_are_the_same_page(tmp_path: Path) -> None:
    root = write_results(tmp_path)
    assert made(root)[0] == made(root)[0]


@pytest.mark.parametrize("half", ["images", "scenes"])
def test_half_a_run_is_a_page(tmp_path: Path, half: str) -> None:
    alone = {"images": {"scene": None}, "scenes": {"images": False}}[half]
    page, _ = made(write_results(tmp_path, **alone))  # type: ignore[arg-type]
    assert "missing from the results" not in page
    said = {"images": "No scene was classified", "scenes": "No image was scored"}[half]
    assert said in page


def test_one_model_at_one_level(tmp_path: Path) -> None:
    root = write_results(tmp_path, scene=None)
    table = root / "restore/psnr_ssim_summary.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:2]) + "\n")
    page, data = made(root)
    assert data["levels"] == []
    assert "no curve to draw" in page
    assert "Classical" not in page


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    root = write_results(tmp_path)
    (root / "restore/strips/set/noise:25.panels/panels.json").unlink()
    with pytest.raises(UserError, match=r"noise:25.panels/panels.json: expected the list"):
        made(root)
    for gone in ("restore/strips/set/noise:25.panels", "hsi/field/blocks:8/hybridsn/seed0"):
        for file in (root / gone).iterdir():
            file.unlink()
        (root / gone).rmdir()
    (root / "hsi/overall_accuracy_summary.csv").unlink()
    page, _ = made(root)
    assert "<code>restore/strips/set/noise:25.panels</code>" in page
    assert "<code>hsi/field/blocks:8/hybridsn/seed0/map.npy</code>" in page
    assert "<code>hsi/overall_accuracy_summary.csv</code>" in page


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    page, _ = made(tmp_path)
    assert "<code>config.yaml</code>" in page
    with pytest.raises(UserError, match="expected a folder of results, found none"):
        write_page(tmp_path / "none", tmp_path / "index.html")
    with pytest.raises(UserError, match=r"ends with \.html"):
        write_page(tmp_path, tmp_path / "index.htm")


def test_five_hundred_maps_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_results(tmp_path, images=False, runs=500)
    page, data = made(root)
    assert len(data["scenes"][0]["runs"]) == 500
    assert len(page.encode()) < MOST_BYTES
    monkeypatch.setattr(results, "MAPS", 300_000)
    page, data = made(root)
    assert data["scenes"][0]["step"] > 1
    assert "one row and column in" in page
    monkeypatch.setattr(results, "MAPS", 60_000)
    page, data = made(root)
    assert 0 < len(data["scenes"][0]["runs"]) < 500
    assert "The maps do not fit the page" in page


def test_a_page_that_cannot_be_small_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "MOST_BYTES", 1000)
    with pytest.raises(UserError, match="would be larger than"):
        write_page(write_results(tmp_path), tmp_path / "index.html")


def test_markup_in_names_stays_text(tmp_path: Path) -> None:
    names = (CLASS_MARKUP, 'it\'s "wood"', "oats")
    root = write_results(tmp_path, scene=MARKUP, image_set=MARKUP, names=names)
    page, data = made(root)
    assert page.count("<script") == 2  # the data and the page's own
    assert "<img src=x" not in page
    assert data["scenes"][0]["classes"][0]["name"] == CLASS_MARKUP
    assert data["compared"][0]["title"] == f"{MARKUP}, noise:15"


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    outside = make_view("outside", ("corn", "woods"))
    outside.save(tmp_path / "view.npz")
    root = write_results(tmp_path / "results")
    (root / "hsi/link").symlink_to(tmp_path)
    folder = ResultsFolder(root)
    for parts in (("hsi", "..", "view.npz"), ("..",), ("hsi", "link", "view.npz"), ("hsi/field",)):
        assert folder.find(*parts) is None
    assert folder.find("hsi", "field", "view.npz") is not None


def test_a_run_is_shown_with_the_classes_it_is_scored_on(tmp_path: Path) -> None:
    root = write_results(tmp_path)
    path = root / "hsi/field/blocks:8/split_seed0.npz"
    with np.load(path) as arrays:
        np.savez(path, **dict(arrays), classes=np.full((24, 30), 2, np.int16))
    first, second = made(root)[1]["scenes"][0]["runs"]
    assert first["truth"] is None
    assert second["truth"]["rows"] == 24


def test_confidence_of_an_earlier_map_is_not_shown(tmp_path: Path) -> None:
    root = write_results(tmp_path)
    record = root / "hsi/field/blocks:8/hybridsn/seed0/map.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"layers": ["margin"]}))
    page, data = made(root)
    named, unnamed = data["scenes"][0]["runs"]
    assert named["confidence"]["rows"] == 24
    assert unnamed["confidence"] is None
    assert "missing from the results" not in page


def test_wrong_files_are_one_line(tmp_path: Path) -> None:
    root = write_results(tmp_path)
    home = root / "hsi/field/blocks:8/hybridsn/seed0"
    np.save(home / "map.npy", np.zeros((3, 3), np.uint8))
    with pytest.raises(UserError, match=r"map.npy: expected 24 × 30 pixels .*found 3 × 3"):
        made(root)
    (home / "map.npy").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"map.npy: expected an array of rows and columns"):
        made(root)
    (home / "map.npy").unlink()
    (root / "hsi/field/view.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"view.npz: expected a file of hsi look"):
        made(root)


def test_the_command(tmp_path: Path) -> None:
    root = write_results(tmp_path / "results")
    command = [sys.executable, "-m", "engine.page", str(root), str(tmp_path / "index.html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"index\.html: 0\.\d MB", done.stderr)
    (root / "config.yaml").write_text(yaml.safe_dump(["a", "list"]))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"page: .*config.yaml: expected keys with values, found .*\n", done.stderr)


def test_a_gain_is_that_of_the_table_not_of_rounded_means() -> None:
    """11.335 is 11.34 in the table, and 31.50 - 20.17 is 11.33."""
    row = {"model": "dncnn-s-25", "schedule": "best (9 steps), shipped", "set": "test"} | {
        "degradation": "noise", "level": "25", "psnr_db": "31.50", "psnr_input_db": "20.17",
        "psnr_gain_db": "11.34",
    }  # fmt: skip
    assert images.scores([row])[0]["gain"] == "+11.34"
    assert images.scores([row | {"psnr_gain_db": "-0.10"}])[0]["gain"] == "−0.10"
    assert images.scores([row | {"psnr_gain_db": ""}])[0]["gain"] == ""
