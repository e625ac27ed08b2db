"""`hsi classify` as users run it: block by block, killed, interrupted, on a full disk."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from spectral.io import envi as spectral_envi

from hsi import classify as classify_module
from hsi.classify import classify
from hsi.errors import HsiError
from hsi.formats import read
from hsi.map_files import Options
from hsi.map_state import MapState
from hsi.model import make_classifier
from hsi.scene import Scene, open_scene, write_scene
from hsi.splits import make_split
from hsi.train import train

SMALL = {"hidden": "8,6", "dropout": "0"}


@pytest.fixture(scope="module")
def files(tmp_path_factory, scene, labels, cpu):
    """A scene as file, and models of it."""
    folder = tmp_path_factory.mktemp("maps")
    write_scene(folder / "stripes.hdr", scene)
    (folder / "quick.yaml").write_text("steps: 12\nbatch_size: 16\nlearning_rate: 0.005\n")
    split = make_split(labels, "random:0.1", seed=0, window=9)
    for name in ("cnn2d", "svm"):
        how = {"window": 9, "components": 5, "settings": SMALL} if name == "cnn2d" else {}
        made = make_classifier(name, **how)
        train(
            made, scene, labels, split, folder / f"{name}.safetensors",
            compute=cpu, schedule_name=str(folder / "quick.yaml"),
        )  # fmt: skip
    return folder


def run(files, out, cpu, model="cnn2d", **options):
    scene = open_scene(files / "stripes.hdr")
    return classify(scene, files / f"{model}.safetensors", out, Options(**options), compute=cpu)


def parts(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("suffix", [".npy", ".hdr"])
def test_map_probabilities_and_confidence(files, tmp_path, cpu, scene, suffix, caplog):
    found = run(files, tmp_path / f"m{suffix}", cpu, probabilities=True, confidence=True, block=11)
    numbers = np.asarray(read(found.map, "labels").array)
    shares = np.asarray(read(found.probabilities, "cube").array)
    assert numbers.dtype == np.uint8
    assert (shares.shape, shares.dtype) == ((*scene.shape, 3), np.float32)
    assert np.array_equal(numbers, np.array([1, 2, 7])[shares.argmax(axis=2)])
    confidence = np.asarray(read(found.confidence, "labels").array)
    assert np.array_equal(np.squeeze(confidence), shares.max(axis=2))
    assert found.picture.is_file()
    record = json.loads(found.record.read_text())
    assert sum(record["pixels"].values()) == 30 * 27
    assert record["scaling"] == "of the training"
    assert parts(tmp_path) == []
    if suffix == ".hdr":
        image = spectral_envi.open(str(found.map))
        assert image.metadata["file type"] == "ENVI Classification"
        assert image.metadata["class names"][7] == "class 7"
        bands = spectral_envi.open(str(found.probabilities)).metadata["band names"]
        assert bands == ["class 1", "class 2", "class 7"]


def test_georeference_goes_into_the_map(files, tmp_path, cpu, scene):
    place = {"map info": ["UTM", "1", "1", "500000", "4480000", "20", "20", "16", "North"]}
    placed = replace(scene, georeference=place)
    found = classify(placed, files / "svm.safetensors", tmp_path / "m.hdr", compute=cpu)
    assert read(found.map, "labels").georeference["map info"][3] == "500000"


def test_what_exists_stays_unless_asked(files, tmp_path, cpu):
    (tmp_path / "m.png").write_text("mine")
    with pytest.raises(HsiError, match=r"m.npy: m.png exists; add --overwrite"):
        run(files, tmp_path / "m.npy", cpu)
    assert [path.name for path in tmp_path.iterdir()] == ["m.png"]
    run(files, tmp_path / "m.npy", cpu, overwrite=True)
    first = (tmp_path / "m.npy").read_bytes()
    with pytest.raises(HsiError, match=r"m.npy, m.png, m.json exists"):
        run(files, tmp_path / "m.npy", cpu)
    run(files, tmp_path / "m.npy", cpu, overwrite=True, block=7)
    assert (tmp_path / "m.npy").read_bytes() == first


def test_a_map_never_replaces_its_own_scene(files, tmp_path, cpu, scene):
    write_scene(tmp_path / "stripes.hdr", scene)
    opened = open_scene(tmp_path / "stripes.img")
    before = (tmp_path / "stripes.img").read_bytes()
    for name in ("stripes.hdr", "other/../stripes.hdr"):
        (tmp_path / "other").mkdir(exist_ok=True)
        with pytest.raises(HsiError, match=r"would replace .*stripes.hdr, which it is made from"):
            classify(
                opened, files / "svm.safetensors", tmp_path / name, Options(overwrite=True),
                compute=cpu,
            )  # fmt: skip
    assert (tmp_path / "stripes.img").read_bytes() == before


def test_a_full_disk_is_one_line_and_leaves_nothing(files, tmp_path, cpu, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(HsiError, match="MiB more than the disk has left"):
        run(files, tmp_path / "m.npy", cpu)
    assert list(tmp_path.iterdir()) == []


def test_other_trouble_with_the_disk_is_one_line(files, tmp_path, cpu, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("hsi.rasters.NumPyRaster.flush", broken)
    with pytest.raises(HsiError, match=r"m.npy: not written: Input/output error"):
        run(files, tmp_path / "m.npy", cpu)
    assert not (tmp_path / "m.npy").exists()


class Stop(BaseException):
    """Like Ctrl-C."""


def stop_after(monkeypatch, blocks):
    """Stop the classification behind so many blocks, and count those that are classified."""
    seen = []
    plain = classify_module.classified

    def counted(*arguments):
        for item in plain(*arguments):
            if len(seen) == blocks:
                raise Stop
            seen.append(item[0])
            yield item

    monkeypatch.setattr(classify_module, "classified", counted)
    return seen


@pytest.mark.parametrize("model", ["cnn2d", "svm"])
def test_a_stopped_map_goes_on_behind_its_last_block(files, tmp_path, cpu, monkeypatch, model):
    options = {"block": 7, "probabilities": model == "cnn2d"}
    whole = run(files, tmp_path / "whole.npy", cpu, model, **options)
    with monkeypatch.context() as patch:
        seen = stop_after(patch, 9)
        with pytest.raises(Stop):
            run(files, tmp_path / "m.npy", cpu, model, **options)
        assert len(seen) == 9
    assert not (tmp_path / "m.npy").exists()
    assert parts(tmp_path) == [".m.npy.part"]
    with monkeypatch.context() as patch:
        seen = stop_after(patch, 99)
        found = run(files, tmp_path / "m.npy", cpu, model, **options)
        assert len(seen) == 5 * 4 - 9
    assert found.map.read_bytes() == whole.map.read_bytes()
    if model == "cnn2d":
        assert found.probabilities.read_bytes() == whole.probabilities.read_bytes()
    assert parts(tmp_path) == []


@pytest.mark.parametrize("change", ["model", "block", "confidence", "scene"])
def test_a_changed_job_starts_anew(files, tmp_path, cpu, monkeypatch, scene, change):
    with monkeypatch.context() as patch:
        stop_after(patch, 9)
        with pytest.raises(Stop):
            run(files, tmp_path / "m.npy", cpu, block=7)
    seen = stop_after(monkeypatch, 99)
    options = Options(block=9 if change == "block" else 7, confidence=change == "confidence")
    path = files / ("svm.safetensors" if change == "model" else "cnn2d.safetensors")
    source = files / "stripes.hdr"
    if change == "scene":
        source = tmp_path / "stripes.hdr"
        write_scene(source, Scene("Stripes", scene.cube + 1, scene.wavelengths))
    classify(open_scene(source), path, tmp_path / "m.npy", options, compute=cpu)
    assert len(seen) == (4 * 3 if change == "block" else 5 * 4)


def test_blocks_chosen_before_are_kept(files, tmp_path, cpu, monkeypatch):
    """Otherwise another amount of free memory would throw away what is done."""
    monkeypatch.setattr("hsi.map_memory.LARGEST", 8)
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(Stop):
            run(files, tmp_path / "m.npy", cpu)
    monkeypatch.setattr("hsi.map_memory.LARGEST", 64)
    seen = stop_after(monkeypatch, 99)
    run(files, tmp_path / "m.npy", cpu)
    assert len(seen) == 4 * 4 - 5


def test_a_kill_while_files_take_their_names(files, tmp_path, cpu, monkeypatch):
    whole = run(files, tmp_path / "whole.hdr", cpu, probabilities=True)
    with monkeypatch.context() as patch:

        def killed(*_):
            raise Stop

        patch.setattr("hsi.georasters.EnviRaster._describe", killed)
        with pytest.raises(Stop):
            run(files, tmp_path / "m.hdr", cpu, probabilities=True)
    assert (tmp_path / "m_probabilities.img").is_file()
    found = run(files, tmp_path / "m.hdr", cpu, probabilities=True)
    assert found.map.with_suffix(".img").read_bytes() == whole.map.with_suffix(".img").read_bytes()
    assert found.probabilities.read_bytes() == whole.probabilities.read_bytes()
    assert parts(tmp_path) == []


def test_a_torn_journal_is_mended(tmp_path):
    key = {"a": 1}
    with MapState(tmp_path / "m", key) as state:
        state.begin((4, 4))
        state.add([0, 2], 1.5)
    with state.journal.open("a") as file:
        file.write('{"finished": [3')
    with MapState(tmp_path / "m", key) as state:
        assert (state.block, state.finished, state.seconds) == ((4, 4), {0, 2}, 1.5)
        state.add([5], 2.0)
        with pytest.raises(HsiError, match="another run is writing this map"):
            MapState(tmp_path / "m", key).__enter__()
    with MapState(tmp_path / "m", key) as state:
        assert state.finished == {0, 2, 5}
    with MapState(tmp_path / "m", {"a": 2}) as state:
        assert state.block is None


SLOW = """
import sys, time
import hsi.classify as module
plain = module.classified
def slow(*arguments):
    for item in plain(*arguments):
        time.sleep(0.02)
        yield item
module.classified = slow
module.SECONDS_BETWEEN_FLUSHES = 0.0
from hsi.cli import run
sys.argv[0] = "hsi"
run()
"""


def test_interrupted_and_killed_it_goes_on(files, tmp_path, cpu):
    out = tmp_path / "m.npy"
    # As from a terminal: in the background of a shell SIGINT is ignored from the start.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + SLOW
    command = [sys.executable, "-c", code, "classify", str(files / "stripes.hdr")]
    command += [str(files / "cnn2d.safetensors"), str(out), "--block", "3", "--device", "cpu"]
    command += ["--precision", "float32"]
    journal = tmp_path / ".m.npy.part" / "blocks.jsonl"
    for how, lines in ((signal.SIGINT, 3), (signal.SIGKILL, 12)):
        started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        limit = time.monotonic() + 240
        while time.monotonic() < limit:
            if journal.is_file() and journal.read_text().count("finished") > lines:
                break
            time.sleep(0.01)
        started.send_signal(how)
        _, said = started.communicate(timeout=240)
        assert not out.exists()
        if how == signal.SIGINT:
            assert started.returncode == 130
            assert said.splitlines()[-1] == "hsi: stopped; run the same line again to go on"
            assert "Traceback" not in said
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    assert "goes on behind" in done.stderr
    whole = run(files, tmp_path / "whole.npy", cpu)
    assert np.array_equal(np.load(out), np.load(whole.map))


def test_confidence_and_probabilities_are_refused_where_there_are_none(files, tmp_path, cpu):
    with pytest.raises(HsiError, match="--confidence: svm has none"):
        run(files, tmp_path / "m.npy", cpu, "svm", confidence=True)
    with pytest.raises(HsiError, match="--probabilities: svm has none"):
        run(files, tmp_path / "m.npy", cpu, "svm", probabilities=True)


def test_bands_in_another_order_give_the_same_map(files, tmp_path, cpu, scene):
    order = np.random.default_rng(0).permutation(16)
    mixed = Scene("mixed", scene.cube[..., order], scene.wavelengths[order])
    found = classify(mixed, files / "cnn2d.safetensors", tmp_path / "m.npy", compute=cpu)
    plain = run(files, tmp_path / "plain.npy", cpu)
    assert np.array_equal(np.load(found.map), np.load(plain.map))
    assert json.loads(found.record.read_text())["bands"]["matched_by"] == "wavelength"


def test_other_bands_are_interpolated_and_scaling_refitted_only_where_asked(
    files, tmp_path, cpu, scene, caplog
):
    between = np.linspace(400, 2400, 46)
    cube = np.stack([np.interp(between, scene.wavelengths, s) for s in scene.cube.reshape(-1, 16)])
    cube, between = np.delete(cube, 9, axis=1), np.delete(between, 9)
    finer = Scene("finer", cube.reshape(*scene.shape, 45) * 2.0, between)
    model = files / "cnn2d.safetensors"
    with pytest.raises(HsiError, match="--resample-bands interpolates"):
        classify(finer, model, tmp_path / "m.npy", compute=cpu)
    options = Options(resample_bands=True, refit_scaling=True)
    with caplog.at_level("INFO"):
        found = classify(finer, model, tmp_path / "m.npy", options, compute=cpu)
    record = json.loads(found.record.read_text())
    assert record["bands"] == {"count": 16, "matched_by": "interpolated"}
    assert record["scaling"] == "refitted on this scene"
    assert "mean and standard deviation are refitted on this scene" in caplog.text
    again = classify(scene, model, tmp_path / "n.npy", Options(refit_scaling=True), compute=cpu)
    assert (np.load(found.map) == np.load(again.map)).mean() > 0.9


def test_memory_is_planned_and_said(files, tmp_path, cpu, caplog):
    with pytest.raises(HsiError, match=r"--memory 2 MiB: expected at least .* are held already"):
        run(files, tmp_path / "m.npy", cpu, memory=2 * 2**20)
    with pytest.raises(HsiError, match=r"--block 30: takes about .* more than --memory 2 MiB"):
        run(files, tmp_path / "m.npy", cpu, memory=2 * 2**20, block=30)
    assert list(tmp_path.iterdir()) == []
    with caplog.at_level("INFO"):
        run(files, tmp_path / "m.npy", cpu, memory=64 * 2**30)
    assert "blocks of 30 × 27 pixels, peak about" in caplog.text
    assert "of 64.0 GiB" in caplog.text
