"""`restore denoise` with standard input and standard output."""

import io
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.command import main
from engine.errors import UserError
from restore.__main__ import app
from restore.folders import pipes

ROOT = Path(__file__).resolve().parents[3]
MODEL = ("--model", "dncnn-s-25", "--device", "cpu")


class Pipe(io.BytesIO):
    """A standard stream that is no terminal."""

    def isatty(self):
        return False

    @property
    def buffer(self):
        return self


@pytest.fixture
def restore(monkeypatch):
    """Run the command with bytes as standard input; return status, standard output and errors."""

    def run(*words, sent=b""):
        out, err = Pipe(), io.StringIO()
        monkeypatch.setattr(pipes, "kept_output", lambda: nullcontext(out))
        monkeypatch.setattr(sys, "stdin", Pipe(sent))
        monkeypatch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            monkeypatch.setattr(sys, "argv", ["restore", "denoise", *map(str, words)])
            main(app, "restore")
        return ended.value.code, out.getvalue(), err.getvalue()

    return run


def picture(form, mode="RGB", **options):
    shape = (20, 30) if mode == "L" else (20, 30, 3)
    noisy = np.random.default_rng(0).normal(128, 25, shape).clip(0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(noisy).save(out, form, **options)
    return out.getvalue()


def opened(data):
    with Image.open(io.BytesIO(data)) as image:
        return image.format, np.asarray(image)


@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "RGB"), ("JPEG", "RGB"), ("TIFF", "L"), ("BMP", "RGB"), ("WEBP", "RGB"), ("PPM", "L")],
)
def test_both_ways_as_a_file(form, mode, restore, tmp_path):
    sent, name = picture(form, mode), {"PPM": "a.pgm"}.get(form, f"a.{form.lower()}")
    status, out, _ = restore("-", "-", *MODEL, sent=sent)
    assert status == 0
    found, pixels = opened(out)
    assert found == form
    (tmp_path / name).write_bytes(sent)
    assert restore(tmp_path / name, tmp_path / "out", *MODEL, "--format", "same")[0] == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / name)), pixels)
    assert pixels.std() < opened(sent)[1].std() / 2


def test_as_a_program_nothing_else_is_on_standard_output(tmp_path):
    """Not even what a library prints, from C too."""
    script = (
        "import os, sys\n"
        "from restore.networks import denoiser\n"
        "load = denoiser.load\n"
        "def loud(*given):\n"
        "    print('from Python')\n"
        "    os.write(1, b'from C')\n"
        "    return load(*given)\n"
        "denoiser.load = loud\n"
        "from restore.__main__ import run\n"
        "run()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, "denoise", "-", "-", *MODEL],
        cwd=ROOT, check=False, input=picture("PNG"), capture_output=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert opened(run.stdout)[0] == "PNG"
    assert run.stdout.endswith(b"IEND\xaeB`\x82")
    assert b"from C" in run.stderr
    assert b"from Python" in run.stderr
    assert b"by dncnn-s-25" in run.stderr  # the log


def test_one_of_the_two(restore, tmp_path):
    sent, kept = picture("PNG"), tmp_path / "a.png"
    assert restore("-", kept, *MODEL, sent=sent)[0] == 0
    assert opened(kept.read_bytes())[1].shape == (20, 30, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]  # no journal
    assert opened(restore(kept, "-", *MODEL)[1])[0] == "PNG"
    assert opened(restore(kept, "-", *MODEL, "--format", "tiff")[1])[0] == "TIFF"
    status, _, said = restore("-", kept, *MODEL, sent=picture("TIFF"))
    assert status == 2
    assert said == f"restore: {kept} exists; use --overwrite to replace it\n"
    assert restore("-", kept, *MODEL, "--overwrite", sent=picture("PNG"))[0] == 0


def raw_preview():
    out = io.BytesIO()
    tifffile.imwrite(out, np.zeros((8, 8, 3), np.uint8), subfiletype=1)
    return out.getvalue()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", "restore: standard input: expected an image, found nothing"),
        (b"no image at all", "restore: standard input: expected PNG, JPEG"),
        (picture("PNG")[:900], "restore: standard input: "),
        (raw_preview(), "restore: standard input: expected an image, found a camera RAW"),
        (b"II*\0\x10\0\0\0CR\2\0", "restore: standard input: expected an image, found a camera"),
    ],
)
def test_bad_bytes_are_one_line(sent, expected, restore):
    status, out, said = restore("-", "-", *MODEL, sent=sent)
    assert status in (1, 2)
    assert out == b""
    lines = [line for line in said.splitlines() if "standard input" in line]
    assert len(lines) == 1
    assert lines[0].startswith(expected)
    assert "/restore-" not in said


def test_what_is_no_single_image_is_one_line(restore, tmp_path):
    (tmp_path / "a.png").write_bytes(picture("PNG"))
    for words, expected in [
        ((tmp_path, "-"), "expected one image, found a folder"),
        ((tmp_path / "b.png", "-"), "no such image"),
        (("-", tmp_path), "expected an image to write, found a folder"),
        (("-", f"{tmp_path}/new.png/"), "expected an image to write, found a folder"),
        (("-", tmp_path / "a.xyz"), "expected an image name ending in one of"),
    ]:
        status, out, said = restore(*words, sent=picture("PNG"))
        assert (status, out) == (2, b"")
        (line,) = said.splitlines()
        assert expected in line


def test_a_terminal_is_no_pipe(monkeypatch, tmp_path):
    class Terminal(Pipe):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(UserError, match="standard output: expected a pipe or a file"):
        pipes.denoise_piped("a.png", "-")
    with pytest.raises(UserError, match="standard input: expected an image from a pipe"):
        pipes.denoise_piped("-", str(tmp_path / "a.png"))


def test_a_slash_at_the_end_names_a_folder(restore, tmp_path):
    (tmp_path / "a.tif").write_bytes(picture("TIFF"))
    assert restore(tmp_path / "a.tif", f"{tmp_path}/out.tif/", *MODEL)[0] == 0
    assert (tmp_path / "out.tif/a.tif").is_file()
    status, _, said = restore(tmp_path / "a.tif", f"{tmp_path}/a.tif/", *MODEL)
    assert status == 2
    assert "expected a folder, found a file; leave out the slash" in said


def test_a_sheet_is_not_the_output(restore, tmp_path):
    out = tmp_path / "o.png"
    code, _, said = restore("-", out, *MODEL, "--compare", out, sent=picture("PNG"))
    assert code == 2
    assert f"--compare {out}: expected a file of its own, found the name of an output" in said
    assert not out.exists()
