"""The public list: light to import, documented, and every example runs."""

import doctest
import inspect
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import hsi

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", hsi.__all__)
def test_the_examples_run(name: str) -> None:
    # Without the module's own names: what is shown can be copied.
    finder = doctest.DocTestFinder(recurse=False)
    (examples,) = finder.find(getattr(hsi, name), name, module=False, globs={})
    assert examples.examples, f"hsi.{name} has no example"
    runner = doctest.DocTestRunner()
    assert runner.run(examples).failed == 0, f"an example of hsi.{name} fails; see the output above"


@pytest.mark.parametrize("name", hsi.__all__)
def test_every_argument_is_documented(name: str) -> None:
    found = getattr(hsi, name)
    if found is hsi.HsiError:  # takes what every exception takes
        return
    documented = inspect.getdoc(found) or ""
    for argument in inspect.signature(found).parameters:
        assert argument in documented, f"hsi.{name}: {argument} is not documented"


def test_the_list_is_complete() -> None:
    assert sorted(hsi._MODULES) == hsi.__all__
    assert set(hsi.__all__) <= set(dir(hsi))
    with pytest.raises(AttributeError, match="has no attribute 'classifys'"):
        hsi.classifys  # noqa: B018


def test_importing_it_is_light() -> None:
    heavy = ("torch", "numpy", "scipy", "sklearn", "matplotlib", "pandas", "h5py", "typer")
    script = f"import sys, hsi; sys.exit(' '.join(n for n in {heavy} if n in sys.modules) or 0)"
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
        )
        seconds.append(time.perf_counter() - began)
        assert done.returncode == 0, done.stderr
    assert min(seconds) < 0.3


TRUE = np.ones(4, bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hsi.mcnemar(np.ones(4), TRUE), "`first` and `second`: expected bool"),
        (lambda: hsi.mcnemar(TRUE, TRUE[:3]), "expected the same test pixels of both maps"),
        (lambda: hsi.leakage_report(TRUE[None], TRUE[None], 4), "`window` 4: expected an odd"),
        (lambda: hsi.leakage_report(TRUE, np.ones(4), 5), "expected masks of bool"),
        (lambda: hsi.mcnemar([True], TRUE), "`first`: expected ndarray, found list; convert it"),
        (
            lambda: hsi.leakage_report(TRUE[None], TRUE[None], 5.0),
            "`window`: expected a whole number, found",
        ),
        (lambda: hsi.make_split(np.ones((4, 4)), "random:0.2"), "`labels`: expected Labels"),
        (lambda: hsi.classify("a.tif", "m.safetensors", "m.npy"), "`scene`: expected Scene"),
        (lambda: hsi.predict("a.tif", "m.safetensors"), "`scene`: expected Scene, found str; open"),
        (lambda: hsi.degrade(np.ones((4, 4, 3)), "gaussian:25"), "`scene`: expected Scene"),
        (lambda: hsi.false_colour("a.tif"), "`scene`: expected Scene, found str; open it with hsi"),
        (lambda: hsi.score([[1]], None, None), "`numbers`: expected ndarray, found list"),
        (lambda: hsi.save_map("m.png", [[1]], None), "`numbers`: expected ndarray, found list"),
        (lambda: hsi.make_classifier("hybrid"), "`classifier` hybrid: expected one of hybridsn"),
        (lambda: hsi.open_scene("nowhere.hdr"), r"nowhere\.hdr: no such file"),
        (lambda: hsi.load_split("nowhere.npz"), r"nowhere\.npz"),
    ],
)
def test_wrong_input_is_one_clear_error(call: Callable[[], object], message: str) -> None:
    with pytest.raises(hsi.HsiError, match=message):
        call()


def test_wrong_pictures_and_models_are_refused(tmp_path, scene, labels) -> None:
    with pytest.raises(
        hsi.HsiError, match=r"Stripes: `bands` .*: expected three indices from 0 to"
    ):
        hsi.false_colour(scene, (0, 1, 99))
    with pytest.raises(hsi.HsiError, match=r"map\.gif: expected a name that ends with \.png"):
        hsi.save_map(tmp_path / "map.gif", labels.ground_truth, labels)
    with pytest.raises(hsi.HsiError, match="`numbers`: expected class numbers"):
        hsi.save_map(tmp_path / "map.png", np.ones((3, 3)), labels)
    split = hsi.make_split(labels, "random:0.1")
    svm = hsi.make_classifier("svm")
    with pytest.raises(hsi.HsiError, match=r"m\.pt: expected a name that ends with \.safetensors"):
        hsi.train(svm, scene, labels, split, tmp_path / "m.pt")
    with pytest.raises(hsi.HsiError, match="`seed` -1: expected 0 or more"):
        hsi.train(svm, scene, labels, split, tmp_path / "m.safetensors", seed=-1)
    assert list(tmp_path.iterdir()) == []


def test_a_map_in_memory_is_the_map_in_files(tmp_path, scene, labels, cpu) -> None:
    cube = scene.cube.copy()
    cube[4, 5] = 0
    holed = hsi.Scene("holed", cube, scene.wavelengths)
    split = hsi.make_split(labels, "random:0.1")
    path = str(tmp_path / "m.safetensors")
    hsi.train(hsi.make_classifier("svm"), scene, labels, split, path, compute=cpu)
    numbers = hsi.predict(holed, path, compute=cpu)
    assert np.array_equal(numbers, hsi.predict(holed, hsi.load_model(path), block=7, compute=cpu))
    assert numbers[4, 5] == 0
    files = hsi.classify(holed, path, tmp_path / "map.npy", compute=cpu)
    assert np.array_equal(np.load(files.map), numbers)
    written = files.map.stat().st_mtime_ns
    assert hsi.classify(holed, path, tmp_path / "map.npy", compute=cpu) == files  # it is done
    assert files.map.stat().st_mtime_ns == written
    with pytest.raises(hsi.HsiError, match="add `overwrite`"):
        hsi.classify(scene, path, tmp_path / "map.npy", compute=cpu)
    hsi.classify(holed, path, tmp_path / "map.npy", compute=cpu, overwrite=True)
    assert hsi.score(hsi.predict(scene, path, compute=cpu), labels, split).oa > 85
    hsi.save_map(tmp_path / "again.png", numbers, hsi.load_model(path))
