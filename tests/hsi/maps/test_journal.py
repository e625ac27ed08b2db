"""A map that was stopped, killed or torn resumes behind its last block."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from hsi.blockwise.journal import BlockJournal
from hsi.errors import HsiError
from hsi.maps import classify as classify_module
from hsi.maps.blocks import classified
from hsi.maps.classify import classify
from hsi.maps.options import MapOptions
from hsi.scenes.scene import Scene, open_scene, write_scene
from tests.hsi.small_maps import parts, run


class Stop(BaseException):
    """Like Ctrl-C."""


def stop_after(monkeypatch, count):
    """Stop the classification behind so many blocks, and count those that are classified."""
    seen = []
    plain = classified

    def counted(*arguments):
        for item in plain(*arguments):
            if len(seen) == count:
                raise Stop
            seen.append(item[0])
            yield item

    monkeypatch.setattr(classify_module, "classified", counted)
    return seen


@pytest.mark.parametrize("model", ["cnn2d", "svm"])
def test_a_stopped_map_goes_on_behind_its_last_block(
    small_models, tmp_path, cpu, monkeypatch, model
):
    options = {"block": 7, "probabilities": model == "cnn2d"}
    whole = run(small_models, tmp_path / "whole.npy", cpu, model, **options)
    with monkeypatch.context() as patch:
        seen = stop_after(patch, 9)
        with pytest.raises(Stop):
            run(small_models, tmp_path / "m.npy", cpu, model, **options)
        assert len(seen) == 9
    assert not (tmp_path / "m.npy").exists()
    assert parts(tmp_path) == [".m.npy.part"]
    with monkeypatch.context() as patch:
        seen = stop_after(patch, 99)
        found = run(small_models, tmp_path / "m.npy", cpu, model, **options)
        assert len(seen) == 5 * 4 - 9
    assert found.map.read_bytes() == whole.map.read_bytes()
    if model == "cnn2d":
        assert found.probabilities.read_bytes() == whole.probabilities.read_bytes()
    assert parts(tmp_path) == []


@pytest.mark.parametrize("change", ["model", "block", "confidence", "scene"])
def test_a_changed_job_starts_anew(small_models, tmp_path, cpu, monkeypatch, scene, change):
    with monkeypatch.context() as patch:
        stop_after(patch, 9)
        with pytest.raises(Stop):
            run(small_models, tmp_path / "m.npy", cpu, block=7)
    seen = stop_after(monkeypatch, 99)
    options = MapOptions(block=9 if change == "block" else 7, confidence=change == "confidence")
    path = small_models / ("svm.safetensors" if change == "model" else "cnn2d.safetensors")
    source = small_models / "stripes.hdr"
    if change == "scene":
        source = tmp_path / "stripes.hdr"
        write_scene(source, Scene("Stripes", scene.cube + 1, scene.wavelengths))
    classify(open_scene(source), path, tmp_path / "m.npy", options, compute=cpu)
    assert len(seen) == (4 * 3 if change == "block" else 5 * 4)


def test_blocks_chosen_before_are_kept(small_models, tmp_path, cpu, monkeypatch):
    """Otherwise another amount of free memory would throw away what is done."""
    monkeypatch.setattr("hsi.maps.plan.LARGEST", 8)
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(Stop):
            run(small_models, tmp_path / "m.npy", cpu)
    monkeypatch.setattr("hsi.maps.plan.LARGEST", 64)
    seen = stop_after(monkeypatch, 99)
    run(small_models, tmp_path / "m.npy", cpu)
    assert len(seen) == 4 * 4 - 5


def test_a_kill_while_files_take_their_names(small_models, tmp_path, cpu, monkeypatch):
    whole = run(small_models, tmp_path / "whole.hdr", cpu, probabilities=True)
    with monkeypatch.context() as patch:

        def killed(*_):
            raise Stop

        patch.setattr("hsi.maps.rasters.EnviRaster._describe", killed)
        with pytest.raises(Stop):
            run(small_models, tmp_path / "m.hdr", cpu, probabilities=True)
    assert (tmp_path / "m_probabilities.img").is_file()
    found = run(small_models, tmp_path / "m.hdr", cpu, probabilities=True)
    assert found.map.with_suffix(".img").read_bytes() == whole.map.with_suffix(".img").read_bytes()
    assert found.probabilities.read_bytes() == whole.probabilities.read_bytes()
    assert parts(tmp_path) == []


def test_a_torn_journal_is_mended(tmp_path):
    key = {"a": 1}
    with BlockJournal(tmp_path / "m", key) as state:
        state.begin((4, 4))
        state.add([0, 2], 1.5)
    with state.journal.open("a") as file:
        file.write('{"finished": [3')
    with BlockJournal(tmp_path / "m", key) as state:
        assert (state.block, state.finished, state.seconds) == ((4, 4), {0, 2}, 1.5)
        state.add([5], 2.0)
        with pytest.raises(HsiError, match="another run is writing m;"):
            BlockJournal(tmp_path / "m", key).__enter__()
    with BlockJournal(tmp_path / "m", key) as state:
        assert state.finished == {0, 2, 5}
    with BlockJournal(tmp_path / "m", {"a": 2}) as state:
        assert state.block is None


SLOW = """
import sys, time
import hsi.maps.classify as module
plain = module.classified
def slow(*arguments):
    for item in plain(*arguments):
        time.sleep(0.02)
        yield item
module.classified = slow
module.SECONDS_BETWEEN_FLUSHES = 0.0
from hsi.__main__ import run
sys.argv[0] = "hsi"
run()
"""


def test_interrupted_and_killed_it_goes_on(small_models, tmp_path, cpu):
    out = tmp_path / "m.npy"
    # As from a terminal: in the background of a shell SIGINT is ignored from the start.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + SLOW
    command = [sys.executable, "-c", code, "classify", str(small_models / "stripes.hdr")]
    command += [
        str(small_models / "cnn2d.safetensors"),
        str(out),
        "--block",
        "3",
        "--device",
        "cpu",
    ]
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
            assert said.splitlines()[-1] == "hsi: stopped; run the same command again to resume"
            assert "Traceback" not in said
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    assert "resumes behind" in done.stderr
    whole = run(small_models, tmp_path / "whole.npy", cpu)
    assert np.array_equal(np.load(out), np.load(whole.map))
