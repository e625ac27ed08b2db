"""Retrieval on a small scene: the views, the choice of the epoch, tables, pages, bad input."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import hsi.retrieval.retrieve as module
from engine.tables import read_csv
from hsi.__main__ import app
from hsi.errors import HsiError
from hsi.retrieval.ablation import ABLATION, COLUMNS, DSCMR, dscmr, methods
from hsi.retrieval.baselines import cosine
from hsi.retrieval.draws import Setting, draw_of
from hsi.retrieval.losses import Losses
from hsi.retrieval.network import KINDS, Encoders
from hsi.retrieval.retrieve import MEANS, retrieve, summarise
from hsi.retrieval.training import Course, Training
from hsi.retrieval.views import ViewMaker, components
from hsi.scenes.labels import Labels, make_labels
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split

QUICK = Setting(window=3, components=4, course=Course(epochs=4, batch_size=16))


def test_a_patch_holds_all_but_the_centre(scene: Scene, labels: Labels) -> None:
    split = make_split(labels, "random:0.2")
    cube = components(scene, "mnf", 4, split.train)
    assert cube[split.train].std(axis=0).max() == pytest.approx(1, rel=1e-5)
    found = ViewMaker(scene, cube, 5).views(labels, split.train)
    for spectrum, patch, (row, column), number in zip(
        found.spectra, found.patches, found.positions.tolist(), found.classes, strict=True
    ):
        assert np.array_equal(spectrum, cube[row, column])
        assert labels.indices[row, column] == number
        others = [
            cube[row + r, column + c]
            for r in range(-2, 3)
            for c in range(-2, 3)
            if (r, c) != (0, 0)
        ]  # the labelled pixels lie two pixels inside
        assert np.array_equal(patch, np.array(others))
    # A changed centre changes nothing of the patch.
    row, column = found.positions[3]
    cube = cube.copy()
    cube[row, column] += 1
    again = ViewMaker(scene, cube, 5).views(labels, split.train)
    assert np.array_equal(again.patches[3], found.patches[3])
    assert not np.array_equal(again.spectra[3], found.spectra[3])
    assert np.array_equal(cosine(found)[1], found.patches.mean(axis=1))


def test_test_pixels_do_not_decide_the_epoch(scene: Scene, labels: Labels) -> None:
    split = make_split(labels, "random:0.2")
    draw = draw_of(scene, labels, split, QUICK)
    assert len(draw.learning) + len(draw.validation) == len(draw.training)
    sides = [{tuple(p) for p in v.positions.tolist()} for v in (draw.learning, draw.validation)]
    assert not sides[0] & sides[1]
    found = dscmr(draw, Losses())
    shuffled = replace(draw.test, classes=np.roll(draw.test.classes, 7), spectra=-draw.test.spectra)
    other = dscmr(replace(draw, test=shuffled), Losses())
    assert (found.chosen, found.terms) == (other.chosen, other.terms)
    assert found.reached != other.reached


def test_training_is_the_same_for_the_same_seed(scene: Scene, labels: Labels) -> None:
    draw = draw_of(scene, labels, make_split(labels, "random:0.2"), QUICK)

    def learned(seed: int) -> Any:
        given = {"course": QUICK.course, "seed": seed, "device": torch.device("cpu")}
        training = Training(draw.training, Losses(), draw.classes, **given)
        before = training.terms()
        for _ in range(4):
            training.learn()
        assert training.terms()[0] < before[0]
        return training.embed(draw.test)[0]

    assert np.array_equal(learned(0), learned(0))
    assert not np.array_equal(learned(0), learned(1))


def test_anchored_encoders_start_from_the_plain_cosine(scene: Scene, labels: Labels) -> None:
    draw = draw_of(scene, labels, make_split(labels, "random:0.2"), QUICK)
    given = {"course": QUICK.course, "seed": 0, "device": torch.device("cpu")}
    training = Training(draw.training, Losses(), draw.classes, encoders="anchored", **given)
    for found, expected in zip(training.embed(draw.test), cosine(draw.test), strict=True):
        assert found.shape == (len(draw.test), 128)
        np.testing.assert_allclose(found[:, : expected.shape[1]], expected, rtol=1e-5, atol=1e-6)
        assert not found[:, expected.shape[1] :].any()
    before = training.terms()
    for _ in range(4):
        training.learn()
    assert training.terms()[0] < before[0]
    wide = Encoders(200, 1600, 3, torch.Generator(), anchored=True)  # more components than SPACE
    assert wide(torch.ones(2, 200), torch.ones(2, 1600))[1].shape == (2, 200)


def test_validation_pixels_choose_the_encoders(scene: Scene, labels: Labels) -> None:
    split = make_split(labels, "random:0.2")
    noise = np.random.default_rng(0).normal(0, 2 * scene.cube.std(), scene.cube.shape)
    scene = Scene("noisy", scene.cube + noise)
    draw = draw_of(scene, labels, split, QUICK)
    found = dict(methods(scene, labels, split, draw, {DSCMR: Losses()}))
    of_kind = {kind: found[f"{DSCMR}, {kind} encoders"] for kind in KINDS}
    better = max(KINDS, key=lambda kind: of_kind[kind].validation)
    assert of_kind["published"].validation != of_kind["anchored"].validation
    assert found[DSCMR] is of_kind[better]
    for kind in KINDS:
        alone = replace(draw, setting=replace(QUICK, encoders=kind))
        rows = dict(methods(scene, labels, split, alone, {DSCMR: Losses()}))
        assert list(rows) == [DSCMR, "cca", "cosine of mnf", "cosine of pca", "chance"]
        assert rows[DSCMR].reached == of_kind[kind].reached


def test_the_command_writes_tables_and_a_page(tmp_path, scene, labels) -> None:
    np.save(tmp_path / "scene.npy", scene.cube)
    np.save(tmp_path / "labels.npy", labels.ground_truth)
    words = [str(tmp_path / "scene.npy"), str(tmp_path / "labels.npy")]
    for seed in (0, 1):
        path = str(tmp_path / f"{seed}.npz")
        asked = ["split", words[1], "--how", "random:0.2", "--seed", str(seed), "--out", path]
        assert CliRunner().invoke(app, asked).exit_code == 0
        words += ["--split", path]
    words += ["--out", str(tmp_path / "out"), "--window", "3", "--components", "4"]
    words += ["--epochs", "2", "--queries", "50", "--device", "cpu"]
    done = CliRunner().invoke(app, ["retrieve", *words])
    assert done.exit_code == 0, done.output
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "patch_to_spectrum.png",
        "retrieval.csv",
        "retrieval.html",
        "retrieval_means.csv",
        "spectrum_to_patch.png",
    ]
    table = read_csv(out / "retrieval.csv")
    assert tuple(table.columns) == COLUMNS
    kinds = [f"{DSCMR}, {kind} encoders" for kind in KINDS]
    wanted = [*ABLATION, *kinds, "cca", "cosine of mnf", "cosine of pca", "chance"]
    assert table["method"].tolist() == 2 * wanted
    for _, of_draw in table.set_index("method").groupby("draw"):
        learned = of_draw.loc[list(ABLATION), "chosen"]
        (kind,) = {kind for kind in KINDS if learned.str.contains(kind).all()}
        same = of_draw.loc[[DSCMR, f"{DSCMR}, {kind} encoders"]]
        assert same.nunique().max() == 1  # one training, in two rows
    assert set(table["queries"]) == {"50"}
    values = table["map"].astype(float)
    assert (
        values[table["method"] == DSCMR] > 1.3 * values[table["method"] == "chance"].max()
    ).all()
    means = read_csv(out / "retrieval_means.csv")
    assert tuple(means.columns) == MEANS
    page = (out / "retrieval.html").read_text()
    assert 'src="spectrum_to_patch.png"' in page
    assert DSCMR in page


def test_an_interrupted_run_resumes(tmp_path, scene, labels, monkeypatch) -> None:
    splits = [make_split(labels, "random:0.2", seed=seed) for seed in (0, 1)]
    few = {"J1": Losses(1, 0, 0), DSCMR: Losses()}
    whole = retrieve(scene, labels, splits, tmp_path / "whole", QUICK, ablation=few)
    made = []

    def stop_at_second(scene: Any, labels: Any, split: Any, setting: Any) -> Any:
        made.append(split.seed)
        if len(made) == 2:
            raise KeyboardInterrupt
        return draw_of(scene, labels, split, setting)

    monkeypatch.setattr(module, "draw_of", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        retrieve(scene, labels, splits, tmp_path / "cut", QUICK, ablation=few)
    again = retrieve(scene, labels, splits, tmp_path / "cut", QUICK, ablation=few)
    assert made == [0, 1, 1]
    pd.testing.assert_frame_equal(again, whole)


def test_means_and_intervals() -> None:
    rows = [
        {
            **dict.fromkeys(COLUMNS, ""),
            "scene": "s",
            "split": "random:0.1",
            "draw": draw,
            "window": 7,
            "features": "mnf",
            "method": method,
            "map": f"{value}",
            "map_spectrum_to_patch": "1",
            "map_patch_to_spectrum": "2",
            "apart": "",
        }
        for draw, values in enumerate([(50, 53, 40), (60, 65, 50)])
        for method, value in zip(("J1", DSCMR, "cca"), values, strict=True)
    ]
    means = summarise(pd.DataFrame(rows)).set_index("method")
    assert means.loc[DSCMR, ["map", "draws", "beyond_j1", "beyond_cca"]].tolist() == [
        "59.00", 2, "+4.00", "+14.00",
    ]  # fmt: skip
    assert means.loc[DSCMR, ["beyond_j1_from", "beyond_j1_to"]].tolist() == ["-8.71", "+16.71"]
    assert means.loc[DSCMR, "apart"] == ""


def refused(tmp_path: Any, scene: Scene, labels: Labels, split: Any, **changed: Any) -> str:
    with pytest.raises(HsiError) as error:
        retrieve(scene, labels, [split], tmp_path / "out", replace(QUICK, **changed))
    assert not (tmp_path / "out").exists()
    return str(error.value)


def test_bad_input_is_one_line(tmp_path, scene, labels) -> None:
    split = make_split(labels, "random:0.2")
    for window in (1, 4, 29):
        found = refused(tmp_path, scene, labels, split, window=window)
        assert f"`window` {window}: expected an odd number of pixels, 3 at least" in found
    found = refused(tmp_path, scene, labels, split, features="ica")
    assert found == "`features` ica: expected one of mnf, pca"
    with pytest.raises(HsiError, match="`encoders` deep: expected one of auto, published, anch"):
        replace(QUICK, encoders="deep")
    found = refused(tmp_path, scene, labels, split, components=99)
    assert "components: expected 1 to 16, the usable bands, found 99" in found
    found = refused(tmp_path, scene, labels, split, inner="random:2")
    assert found.startswith("validation pixels: `inner`")
    one = replace(split, test=split.test & (labels.ground_truth == 1))
    assert "two classes with pixels to retrieve, found 1 " in refused(tmp_path, scene, labels, one)
    one = replace(split, train=split.train & (labels.ground_truth == 7))
    assert "two classes with pixels to train on, found 7 " in refused(tmp_path, scene, labels, one)
    with pytest.raises(HsiError, match=r"each once, found random:0\.2 of seed 0 twice"):
        retrieve(scene, labels, [split, split], tmp_path / "out", QUICK)
    with pytest.raises(HsiError, match="`epochs` 0: expected at least 1"):
        Course(epochs=0)
    holed = scene.cube.copy()
    holed[np.nonzero(split.train)[0][0], np.nonzero(split.train)[1][0]] = 0
    found = refused(tmp_path, Scene("holed", holed), labels, split)
    assert "expected data at every pixel of the split, found none at 1, first at row 2" in found
    other = make_labels("other", np.roll(labels.ground_truth, 3, axis=0))
    assert "made from others" in refused(tmp_path, scene, other, split)


def test_classes_without_test_pixels_are_named(scene, labels, caplog) -> None:
    split = make_split(labels, "random:0.2")
    lacking = replace(split, test=split.test & (labels.ground_truth != 7))
    draw_of(scene, labels, lacking, QUICK)
    assert "classes without test pixels are not retrieved: 7 class 7" in caplog.text
