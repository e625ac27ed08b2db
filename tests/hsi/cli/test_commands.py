import json
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from hsi.formats.envi import read as envi
from hsi.formats.envi import write as envi_write
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene, write_scene
from tests.hsi.cli.conftest import hsi

RUN = "from hsi.__main__ import run; run()"


def test_help_is_quick_and_loads_no_library():
    code = "import sys; import hsi.__main__; assert not {'torch', 'spectral', 'sklearn', 'matplotlib', 'pandas', 'rasterio', 'h5py'} & set(sys.modules)"  # noqa: E501
    subprocess.run([sys.executable, "-c", code], check=True)
    best = min(_seconds("--help") for _ in range(3))
    assert best < 2.0  # under one second on an idle machine


def _seconds(*arguments: str) -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, capture_output=True)
    return time.monotonic() - began


def test_from_scene_to_tables(files, capsys):
    model, run = files / "m" / "model.safetensors", files / "r"
    assert (files / "split.png").is_file()
    assert hsi("info", files / "stripes.hdr") == 0
    assert "30 rows × 27 columns × 16 bands" in capsys.readouterr().out
    args = ("--split", files / "split.npz", "--out", model, "--schedule", "demo")
    assert hsi("train", files / "stripes.hdr", files / "gt.npy", "--classifier", "svm", *args) == 0
    assert hsi("classify", files / "stripes.hdr", model, run / "map.npy") == 0
    assert {p.name for p in run.iterdir()} == {"map.npy", "map.png", "map.json"}
    assert json.loads((run / "map.json").read_text())["seconds_map"] > 0
    args = ("--split", files / "split.npz", "--out", run, "--model", model)
    assert hsi("score", run / "map.npy", files / "gt.npy", *args) == 0
    assert "OA " in capsys.readouterr().out
    assert hsi("score", run / "map.npy", files / "gt.npy", *args, "--json") == 0
    assert 0 <= json.loads(capsys.readouterr().out)["oa"] <= 100
    assert hsi("summary", run, "--out", files / "t") == 0
    assert len(list((files / "t").glob("*.csv"))) == 6
    maps = (run / "map.npy", files / "gt.npy")
    capsys.readouterr()
    assert hsi("compare", *maps, files / "gt.npy", "--split", files / "split.npz") == 0
    assert "McNemar: chi-squared" in capsys.readouterr().out

    # ENVI in, ENVI Classification out, with names.
    assert hsi("classify", files / "stripes.hdr", model, files / "e") == 0
    classes = open_labels(files / "e" / "map.hdr")
    assert np.array_equal(classes.ground_truth, np.load(run / "map.npy"))
    assert classes.class_names == ("class 1", "class 2", "class 7")


def test_reduced_file_and_network(files):
    (files / "quick.yaml").write_text("steps: 3\nbatch_size: 8\n")
    reduced = files / "pca.npz"
    assert hsi("reduce", files / "stripes.hdr", reduced, "--components", 13) == 0
    out, log = files / "n.safetensors", files / "log" / "train.csv"
    args = ("--split", files / "split.npz", "--out", out, "--schedule", files / "quick.yaml")
    args += ("--log", log, "--reduced", reduced, "--window", 9, "--device", "cpu")
    scene = files / "stripes.hdr"
    assert hsi("train", scene, files / "gt.npy", "--classifier", "hybridsn", *args) == 0
    assert log.is_file()
    assert log.with_suffix(".png").is_file()
    args = ("--reduced", reduced, "--block", 11, "--probabilities")
    assert hsi("classify", scene, out, files / "n" / "map.npy", *args) == 0
    assert np.load(files / "n" / "map_probabilities.npy").shape == (30, 27, 3)


def test_convert_keeps_the_cube(files, scene):
    assert hsi("convert", files / "stripes.hdr", files / "copy.npy") == 0
    assert np.array_equal(np.load(files / "copy.npy"), scene.cube)
    assert hsi("convert", files / "copy.npy", files / "again.hdr") == 0
    assert np.array_equal(envi.read(files / "again.hdr", None, "cube").array, scene.cube)
    assert hsi("convert", files / "stripes.hdr", files / "again.hdr") == 2
    assert hsi("convert", files / "stripes.hdr", files / "again.hdr", "--overwrite") == 0
    assert np.array_equal(open_scene(files / "again.hdr").wavelengths, scene.wavelengths)


def test_files_are_stacked_and_counted(files, scene, capsys):
    parts = [files / "1.hdr", files / "2.hdr"]
    for path in parts:
        write_scene(path, scene)
    assert hsi("stack", *parts, "--out", files / "both.hdr") == 0
    assert np.array_equal(open_scene(files / "both.hdr").cube[..., 16:], scene.cube)
    assert hsi("stack", *parts, "--out", files / "both.hdr") == 2
    assert hsi("stack", *parts, "--out", parts[0], "--overwrite") == 2
    assert "the output would overwrite an input" in capsys.readouterr().err
    assert hsi("info", files / "both.hdr", "--count") == 0
    told = capsys.readouterr().out
    assert "pixels without data: 0 of 810" in told
    assert "left out: nothing" in told
    assert hsi("info", files / "both.hdr", "--json") == 0
    assert json.loads(capsys.readouterr().out)["left out"] == "nothing"


def test_scenes_are_appended_and_one_is_tested(files, scene, labels, capsys):
    both = ("append", files / "stripes.hdr", files / "stripes.hdr", "--out", files / "both.hdr")
    truths = ("--labels", files / "gt.npy", "--labels", files / "gt.npy")
    assert hsi(*both, *truths[:2]) == 2
    assert "--labels: expected 2, one per scene, found 1" in capsys.readouterr().err
    assert not (files / "both.hdr").exists()
    assert hsi(*both, *truths) == 0
    rows, columns = scene.shape
    told = capsys.readouterr().out
    assert f"scene 2 stripes: {rows} × {columns} pixels" in told
    assert np.array_equal(open_scene(files / "both.hdr").cube[-rows:], scene.cube)
    assert hsi(*both, *truths) == 2
    assert "both.hdr" in capsys.readouterr().err
    how = f"loso:{files / 'both-scenes.hdr'}"
    args = ("--how", how, "--seed", 1, "--window", 9, "--out", files / "loso.npz")
    assert hsi("split", files / "both-labels.hdr", *args) == 0
    count = int((labels.ground_truth > 0).sum())
    assert (
        f"loso:both-scenes: {count} training pixels, {count} test pixels" in capsys.readouterr().out
    )
    quick = ("--classifier", "svm", "--split", files / "loso.npz")
    model = files / "loso.safetensors"
    assert hsi("train", files / "both.hdr", files / "both-labels.hdr", *quick, "--out", model) == 0
    scored = ("--split", files / "loso.npz", "--out", files / "scored")
    made = files / "both-map.hdr"
    assert hsi("classify", files / "both.hdr", model, made) == 0
    assert hsi("score", made, files / "both-labels.hdr", *scored) == 0
    metrics = json.loads((files / "scored" / "scores.json").read_text())
    assert metrics["split"] == "loso:both-scenes"
    assert metrics["oa"] > 90


def test_npy_says_what_it_does_not_keep(files, caplog):
    assert hsi("convert", files / "stripes.hdr", files / "copy.npy") == 0
    assert "copy.npy: .npy keeps the values alone, without wavelengths;" in caplog.text


def test_runs_of_other_settings_are_other_runs(files):
    (files / "quick.yaml").write_text("steps: 2\nbatch_size: 8\n")
    scene, truth = files / "stripes.hdr", files / "gt.npy"
    folders = []
    for window in (9, 11):
        model, folder = files / f"{window}.safetensors", files / f"w{window}"
        args = ("--split", files / "split.npz", "--out", model, "--schedule", files / "quick.yaml")
        args += ("--classifier", "cnn2d", "--components", 5, "--window", window)
        assert hsi("train", scene, truth, *args) == 0
        assert hsi("classify", scene, model, folder / "map.npy") == 0
        args = ("--split", files / "split.npz", "--model", model, "--out", folder)
        assert hsi("score", folder / "map.npy", truth, *args) == 0
        folders.append(folder)
    assert hsi("summary", *folders, "--out", files / "t") == 0
    means = pd.read_csv(files / "t" / "overall_accuracy_summary.csv")
    assert means.window.tolist() == [9, 11]
    assert means.seeds.tolist() == [1, 1]


def test_names_are_drawn_as_they_are(files):
    names = ["none", "$a_$", r"$\foo$", *(f"class {n}" for n in range(3, 8))]
    truth = np.load(files / "gt.npy")
    envi_write.write_classification(
        files / "named.hdr", truth, class_names=names, colours=np.zeros((8, 3), np.uint8)
    )
    args = ("--how", "random:0.1", "--window", 9, "--out", files / "named.npz")
    assert hsi("split", files / "named.hdr", *args) == 0
    args = ("--split", files / "named.npz", "--out", files / "r")
    assert hsi("score", files / "named.hdr", files / "named.hdr", *args) == 0
    confusion = pd.read_csv(files / "r" / "confusion.csv", index_col=0)
    assert confusion.columns.tolist() == ["$a_$", r"$\foo$", "class 7"]


def test_a_map_is_scored_on_the_split_it_was_learned_from(files, capsys, caplog):
    model, scene = files / "m.safetensors", files / "stripes.hdr"
    args = ("--classifier", "svm", "--split", files / "split.npz", "--out", model)
    assert hsi("train", scene, files / "gt.npy", *args) == 0
    assert hsi("classify", scene, model, files / "map.npy") == 0
    args = ("--how", "random:0.5", "--window", 9, "--out", files / "other.npz")
    assert hsi("split", files / "gt.npy", *args) == 0
    scored = ("score", files / "map.npy", files / "gt.npy", "--out", files / "r", "--split")
    for known in ((), ("--model", model)):  # by the record beside the map, by the model
        assert hsi(*scored, files / "other.npz", *known) == 2
        assert "from other training pixels (random:0.1, seed 0)" in capsys.readouterr().err
        assert hsi(*scored, files / "split.npz", *known) == 0
    compared = ("compare", files / "map.npy", files / "gt.npy", files / "gt.npy", "--split")
    assert hsi(*compared, files / "other.npz") == 2
    assert "first map: its classifier learned from other" in capsys.readouterr().err
    assert hsi(*compared, files / "split.npz") == 0
    for foreign in ("[1]", '{"a": 1}'):  # not a record of ours: nothing is known of the map
        (files / "map.json").write_text(foreign)
        assert hsi(*scored, files / "split.npz", "--model", model) == 0
        assert "map.json: no record of hsi classify" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "nothing.hdr"), "nothing.hdr: no such file"),
        (("convert", "{}/gt.npy", "{}/x.tif"), "expected a cube"),
        (("convert", "{}/stripes.hdr", "{}/x.xyz"), "expected a name that ends with one of .hdr"),
        (("convert", "{}/stripes.hdr", "{}/stripes.hdr"), "the output would overwrite an input"),
        (("convert", "{}/stripes.hdr", "{}/gt.npy"), "expected no such file, found one"),
        (("classify", "{}/stripes.hdr", "{}/none", "{}/m.xyz"), "no such file"),
        (("split", "{}/gt.npy", "--how", "mask:", "--out", "{}/s.npz"), "expected a file, such as"),
        (("split", "{}/gt.npy", "--how", "third", "--out", "{}/s.npz"), "--how third: expected"),
        (("split", "{}/gt.npy", "--how", "random:0.1", "--out", "{}/s.npy"), "ends with .npz"),
        (
            ("train", "{}/stripes.hdr", "{}/gt.npy", "--classifier", "cnn", "--split",
             "{}/split.npz", "--out", "{}/m.safetensors"),
            "--classifier cnn: expected one of hybridsn",
        ),
        (
            ("train", "{}/stripes.hdr", "{}/gt.npy", "--classifier", "hybridsn", "--set",
             "dihedral", "--split", "{}/split.npz", "--out", "{}/m.safetensors"),
            "--set dihedral: expected KEY=VALUE",
        ),
        (
            ("train", "{}/stripes.hdr", "{}/gt.npy", "--classifier", "hybridsn", "--window", "31",
             "--components", "13", "--split", "{}/split.npz", "--out", "{}/m.safetensors"),
            "expected a scene of at least the window's 31 × 31 pixels",
        ),
        (
            ("train", "{}/stripes.hdr", "{}/gt.npy", "--classifier", "hybridsn", "--window", "9",
             "--components", "17", "--split", "{}/split.npz", "--out", "{}/m.safetensors"),
            "components: expected 1 to 16, the usable bands, found 17",
        ),
        (("study", "{}/stripes.hdr", "{}/gt.npy", "--split", "{}/split.npz", "--out", "{}/s"),
         "ends with .csv"),
        (
            ("classify", "{}/stripes.hdr", "{}/split.npz", "{}/m", "--memory", "0"),
            "0: expected a size such as 2GiB",
        ),
        (("compare", "{}/gt.npy", "{}/stripes.hdr", "{}/gt.npy", "--split", "{}/split.npz"),
         "second map: expected (30, 27) pixels"),
        (("classify", "{}/stripes.hdr", "{}/none", "{}/m"), "no such file"),
        (("classify", "{}/stripes.hdr", "{}/none", "{}/m", "--block", "0"), "--block 0: expected"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_status_2(files, capsys, arguments, message):
    assert hsi(*(str(part).replace("{}", str(files)) for part in arguments)) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("hsi: ")]
    assert len(lines) == 1
    assert message in lines[0]


def test_files_that_nobody_named_are_kept(files, capsys):
    picture, curve = files / "mine.png", files / "loss.png"
    for path in (picture, curve):
        path.write_text("mine")
    split = ("split", files / "gt.npy", "--how", "random:0.1", "--out", files / "mine.npz")
    assert hsi(*split) == 2
    assert f"{picture}: would be replaced, as it is written beside" in capsys.readouterr().err
    train = ("train", files / "stripes.hdr", files / "gt.npy", "--classifier", "svm", "--split")
    train += (files / "split.npz", "--out", files / "m.safetensors", "--log", files / "loss.csv")
    assert hsi(*train) == 2
    assert f"{curve}: would be replaced" in capsys.readouterr().err
    assert picture.read_text() == curve.read_text() == "mine"
    picture.unlink()
    assert hsi(*split) == 0
    assert hsi(*split) == 0  # its own
    assert picture.read_bytes()[1:4] == b"PNG"


def test_look_writes_a_page_or_its_data(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    assert hsi("look", "stripes.hdr", "--labels", "gt.npy") == 0
    assert capsys.readouterr().out == "stripes.html\n"
    assert "</html>" in (files / "stripes.html").read_text()
    assert hsi("look", "stripes.hdr") == 2
    assert "stripes.html" in capsys.readouterr().err
    assert hsi("look", "stripes.hdr", "--overwrite") == 0
    assert hsi("look", "stripes.hdr", "gt.npy", "--out", "view.npz") == 0
    assert (files / "view.npz").is_file()
    assert hsi("look", "stripes.hdr", "--out", "look.pdf") == 2
    assert "expected a name that ends with .html or .npz" in capsys.readouterr().err
    assert hsi("look", "stripes.hdr", "none.npy", "--out", "other.html") == 2
    assert "none.npy" in capsys.readouterr().err
    assert not (files / "other.html").exists()
