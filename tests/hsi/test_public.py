"""The public list: light to import, documented, and every example runs."""

import doctest
import inspect
import subprocess
import sys
import time
from pathlib import Path

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
