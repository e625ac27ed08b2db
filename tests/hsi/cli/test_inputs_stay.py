"""No command writes over what it reads, however the output is called and whatever is allowed."""

import shutil

import pytest

from hsi.scenes.scene import write_scene
from tests.hsi.cli.conftest import hsi


@pytest.fixture
def inputs(tmp_path, monkeypatch, scene):
    """Three ENVI scenes: data beside the header, with its whole name in it, and named by it."""
    for name in ("a", "b", "c"):
        write_scene(tmp_path / f"{name}.hdr", scene)
    (tmp_path / "b.hdr").rename(tmp_path / "b.img.hdr")
    (tmp_path / "c.img").rename(tmp_path / "c.dat")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "convert {name} {header}",
        "degrade {name} {header} gaussian:5",
        "denoise {name} {header}",
        "stack {name} a.hdr --out {header}",
        "append a.hdr {name} --out {header}",
    ],
)
@pytest.mark.parametrize(
    ("name", "header"), [("a.hdr", "a.hdr"), ("b.img", "b.hdr"), ("c.dat", "c.hdr")]
)
def test_a_scene_is_not_replaced_by_what_is_made_of_it(inputs, capsys, command, name, header):
    before = {path.name: path.read_bytes() for path in inputs.iterdir()}
    assert hsi(*command.format(name=name, header=header).split(), "--overwrite") == 2
    said = capsys.readouterr().err
    assert "would overwrite an input" in said or "which it is made from" in said
    assert {path.name: path.read_bytes() for path in inputs.iterdir()} == before


def test_strips_are_not_joined_over_their_scene_or_model(small_models, tmp_path, scene, capsys):
    write_scene(tmp_path / "s.hdr", scene)
    model = tmp_path / "m.safetensors"
    shutil.copy(small_models / "svm.safetensors", model)
    strips = [tmp_path / f"{number}.npy" for number in (1, 2)]
    for number, strip in enumerate(strips, 1):
        part = ("--strip", f"{number}/2", "--device", "cpu")
        assert hsi("classify", tmp_path / "s.hdr", model, strip, *part) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()
    out = (tmp_path / "s.hdr", *strips, "--overwrite")
    assert hsi("join", tmp_path / "s.hdr", model, *out) == 2
    assert "would replace" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("made", "arguments"),
    [
        ("labels.png", ("split", "labels.png", "--how", "random:0.1", "--out", "labels.npz")),
        ("labels.npz", ("split", "labels.npz", "--how", "random:0.1", "--out", "labels.npz")),
        ("masks.npz", ("split", "gt.npy", "--how", "mask:masks.npz", "--out", "masks.npz")),
        ("scene.npz", ("reduce", "scene.npz", "scene.npz", "--components", "5")),
        (
            "labels.png",
            ("train", "stripes.hdr", "labels.png", "--classifier", "svm", "--split", "split.npz",
             "--out", "m.safetensors", "--log", "labels.csv"),
        ),
    ],
)  # fmt: skip
def test_what_is_read_is_never_replaced(files, monkeypatch, capsys, made, arguments):
    monkeypatch.chdir(files)
    (files / made).write_bytes(b"years of work")
    assert hsi(*arguments) == 2
    assert f"{made}: the output would overwrite an input" in capsys.readouterr().err
    assert (files / made).read_bytes() == b"years of work"
