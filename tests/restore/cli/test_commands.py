"""Bad input to the commands ends in one line that names it; odd but sound images work."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch
from PIL import Image

from restore.images import files
from restore.networks.denoiser import load_model, save
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (40, 44), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (40, 44, 4), dtype=np.uint8)
FLOAT = RNG.random((40, 44)).astype(np.float32)
HOLED = np.where(np.arange(44) == 3, np.nan, FLOAT).astype(np.float32)


def restore(*arguments: object) -> int:
    """Run the command line in this process, as its console script does."""
    from restore.__main__ import run

    before = sys.argv
    sys.argv = ["restore", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as ended:
            run()
    finally:
        sys.argv = before
    return int(ended.value.code or 0)


def make(folder: Path, kind: str) -> Path:
    """Write a set of one image of a kind."""
    folder.mkdir()
    if kind == "text":
        (folder / "a.png").write_text("hello")
    elif kind == "zero bytes":
        (folder / "a.png").touch()
    elif kind in ("float", "nan", "16 bit", "float64"):
        pixels = {"float": FLOAT, "nan": HOLED, "16 bit": np.uint16(GREY) * 256}
        tifffile.imwrite(folder / "a.tif", pixels.get(kind, FLOAT.astype(float)))
    elif kind == "palette":
        Image.fromarray(COLOUR[..., :3]).quantize(16).save(folder / "a.png")
    else:
        arrays = {
            "one pixel": GREY[:1, :1],
            "thin": np.zeros((20000, 1), np.uint8),
            "RGBA": COLOUR,
            "grey": GREY,
        }
        Image.fromarray(arrays[kind]).save(folder / "a.png")
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Write an untrained network, which changes nothing."""
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    save(tmp_path / "m.safetensors", network, "dncnn-s-25", {})
    return tmp_path / "m.safetensors"


UNREADABLE = {
    "text": (
        "a.png: expected PNG, JPEG, TIFF, BMP, WebP, TGA, PGM, PPM, AVIF, JPEG 2000, JPEG XL, HEIC "
        "or RAW, found something else; convert"
    ),
    "zero bytes": "a.png: the file is empty; copy it again",
    "float": "a.tif: expected 8 or 16 bit pixels, found float32, whose scale is not known; save it",
    "nan": "a.tif: expected finite values, found 40 NaN or infinite; fill them first",
    "float64": (
        "a.tif: expected samples of up to 16 bit without sign, or of float32, found 64-bit "
        "floating point; convert"
    ),
}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("command", ["degrade", "benchmark"])
def test_what_cannot_be_read_is_one_line(
    command: str, kind: str, tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = make(tmp_path / "set", kind), tmp_path / "out.csv"
    given: list[object] = [folder, out, "noise:25"]
    if command == "benchmark":
        given = ["--model", weights, "--images", folder, "--degradation", "noise:25", "--out", out]
    assert restore(command, *given) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"restore: {folder}/{UNREADABLE[kind]}")
    assert not out.exists()


@pytest.mark.parametrize("kind", ["one pixel", "thin", "RGBA", "palette", "16 bit"])
def test_odd_but_sound_images_are_degraded(kind: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "set", kind)
    shape = files.as_uint8(files.read(next(folder.iterdir()))).shape[:2]
    for text, suffix in (("noise:25", "tif"), ("jpeg:10", "jpg")):
        assert restore("degrade", folder, tmp_path / text, text) == 0
        assert files.read(tmp_path / text / f"a.{suffix}").pixels.shape == shape


@pytest.mark.parametrize("kind", ["one pixel", "thin"])
def test_too_small_for_a_scale_or_a_score_is_one_line(
    kind: str, tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "set", kind)
    size = "1x1" if kind == "one pixel" else "1x20000"
    assert restore("degrade", folder, tmp_path / "out", "bicubic:3") == 2
    line = f"restore: {folder}/a.png: an image of {size} is too small for scale 3; take it out"
    assert line in capsys.readouterr().err
    given = ("--degradation", "noise:25", "--out", tmp_path / "o.csv")
    assert restore("benchmark", "--model", weights, "--images", folder, *given) == 2
    line = f"restore: {folder}/a.png: SSIM needs at least 11x11 pixels, found an image of {size}"
    assert line in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["RGBA", "palette", "16 bit"])
def test_odd_but_sound_images_are_scored(kind: str, tmp_path: Path, weights: Path) -> None:
    folder, out = make(tmp_path / "set", kind), tmp_path / "o.csv"
    given = ("--degradation", "noise:25", "--degradation", "bicubic:2", "--out", out)
    given += ("--device", "cpu", "--precision", "float32")
    assert restore("benchmark", "--model", weights, "--images", folder, *given) == 0
    rows = pd.read_csv(out)
    assert list(rows.image) == ["a", "a"]
    assert rows.psnr_db.between(5, 60).all()


@pytest.mark.parametrize("kind", ["text", "zero bytes", "float64"])
def test_denoise_names_what_failed_and_ends_with_1(
    kind: str, tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "set", kind)
    assert restore("denoise", folder, tmp_path / "out", "--model", weights) == 1
    said = capsys.readouterr().err
    assert f"restore: {next(folder.iterdir())}" in said  # of one image, the reason itself
    assert said.count(UNREADABLE[kind].split("; ")[0]) == 1
    journal = (tmp_path / "out" / "denoise.jsonl").read_text()
    assert UNREADABLE[kind].split("; ")[0] in journal


@pytest.mark.parametrize("kind", ["one pixel", "thin", "RGBA", "palette", "16 bit", "float"])
def test_denoise_keeps_odd_images(kind: str, tmp_path: Path, weights: Path) -> None:
    folder = make(tmp_path / "set", kind)
    given = ("--model", weights, "--device", "cpu", "--precision", "float32")
    assert restore("denoise", folder, tmp_path / "out", *given) == 0
    source = next(folder.iterdir())
    before, after = files.read(source), files.read(tmp_path / "out" / source.name)
    # Float pixels take the way through 0..255 and back.
    assert np.allclose(before.pixels, after.pixels, rtol=0, atol=1e-6 * (kind == "float"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--degradation", "noise:-1"], "noise sigma must be from 0 to 255, not -1"),
        (["--degradation", "jpeg:0"], "JPEG quality must be a whole number from 1 to 100, not 0"),
        (["--degradation", "bicubic:7"], "bicubic scale must be 2, 3 or 4, not 7"),
        (["--degradation", "noise:25", "--rounding", "no"], "--rounding no: expected auto, on or"),
        (["--degradation", "noise:25", "--border", "x"], "--border x: expected auto or a number"),
        (["--degradation", "noise:25", "--luma", "bt709"], "--luma bt709: expected auto, matlab"),
    ],
)
def test_wrong_values_are_one_line(
    given: list[str],
    message: str,
    tmp_path: Path,
    weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, out = make(tmp_path / "set", "grey"), tmp_path / "o.csv"
    assert restore("benchmark", "--model", weights, "--images", folder, *given, "--out", out) == 2
    assert f"restore: {message}" in capsys.readouterr().err
    if len(given) == 2:
        assert restore("degrade", folder, tmp_path / "out", given[1]) == 2
        assert f"restore: {message}" in capsys.readouterr().err


def test_choices_reach_the_table(tmp_path: Path, weights: Path) -> None:
    folder, out = make(tmp_path / "set", "grey"), tmp_path / "o.csv"
    given = ("--degradation", "noise:25", "--device", "cpu", "--precision", "float32", "--out", out)
    asked = ("--rounding", "off", "--border", "2", "--luma", "full", "--seed", 3)
    assert restore("benchmark", "--model", weights, "--images", folder, *given, *asked) == 0
    row = pd.read_csv(out).iloc[0]
    assert (row.precision, row.seed) == ("float32; rounding off; border 2", 3)


def test_a_training_pauses_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        image = np.random.default_rng(number).integers(0, 255, (40, 40), np.uint8)
        tifffile.imwrite(tmp_path / f"{number}.tif", image)
    (tmp_path / "short.yaml").write_text("{steps: 3, batch_size: 2, patch: 16}")
    command = (
        *("train", "dncnn-s-25", "--images", tmp_path, "--schedule", tmp_path / "short.yaml"),
        *("--device", "cpu", "--out", tmp_path / "m.safetensors", "--state", tmp_path / "states"),
    )
    assert restore(*command, "--until", "soon") == 2
    assert "--until soon: expected a time such as 90s" in capsys.readouterr().err
    for step in (1, 2):
        assert restore(*command, "--until", "0.001s") == 75
        assert f"paused at step {step} of 3, as asked" in capsys.readouterr().err
        assert not (tmp_path / "m.safetensors").exists()
    assert restore(*command, "--until", "0.001s") == 0
    assert (tmp_path / "m.safetensors").is_file()
    assert not (tmp_path / "states").exists()


def test_import_says_what_it_recognised_and_refuses_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = load_model("dncnn-s-25", device="cpu", precision="float32")
    network = shipped.network
    torch.save(network.state_dict(), tmp_path / "dncnn_25.pth")
    out = tmp_path / "out.safetensors"
    assert restore("import", tmp_path / "dncnn_25.pth", out) == 0
    assert capsys.readouterr().out == f"{out}: dncnn-s-25\n"
    torch.save(network, tmp_path / "model.pth")
    assert restore("import", tmp_path / "model.pth", tmp_path / "other.safetensors") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"restore: {tmp_path / 'model.pth'}: refused, because loading it would")
    assert not (tmp_path / "other.safetensors").exists()


OUTPUTS = {
    "x.csv": "x.csv: expected a file to write, found a folder; name a file in it",
    "x.txt": "x.txt: expected a name that ends with .csv",
    "taken/x.csv": "taken: expected a folder to write into, but",
}


def test_lists_are_json_where_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert restore("models", "--json") == 0
    models = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert {score["images"] for score in models["dncnn-b"]["scores"]} >= {"BSD68"}
    assert restore("models") == 0
    assert "dncnn-b-color " in capsys.readouterr().out
    assert restore("sets", "--json") == 0
    sets = {found["name"]: found for found in json.loads(capsys.readouterr().out)}
    assert (sets["Set12"]["images"], sets["embedded-test"]["state"]) == (12, "embedded")


@pytest.mark.parametrize("out", OUTPUTS)
def test_outputs_that_cannot_be_written_are_told_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    (tmp_path / "x.csv").mkdir()
    (tmp_path / "taken").touch()
    asked = ("--model", "no-such", "--images", "no-such", "--degradation", "noise:25")
    assert restore("benchmark", *asked, "--out", tmp_path / out) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert OUTPUTS[out] in line
    assert restore("verify", "--out", tmp_path / "taken") == 2
    assert "taken is a file" in capsys.readouterr().err
    folder = make(tmp_path / "set", "grey")
    drawn = ("--images", folder, "--degradation", "noise:25", "--out", folder / "a.png")
    assert restore("compare", "--model", "nlm", *drawn) == 2
    assert "a.png: the output would overwrite an input" in capsys.readouterr().err
    train = ("train", "dncnn-b", "--images", "no-such", "--out")
    assert restore(*train, "m.safetensors", "--start-from", "m.safetensors") == 2
    assert "m.safetensors: the output would overwrite" in capsys.readouterr().err
    for wrong in ("x.csv", "x"):
        assert restore(*train, tmp_path / wrong) == 2
        assert "ends with .safetensors" in capsys.readouterr().err
