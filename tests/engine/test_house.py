"""The house stands as drawn: imports run one way, and help needs nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {"engine": {"engine"}, "restore": {"restore", "engine"}, "hsi": {"hsi", "engine"}}


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_one_way(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found: list[str] = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found = [node.module]
            rooms = {name.split(".")[0] for name in found} & ALLOWED.keys()
            assert rooms <= ALLOWED[package], f"{path} imports {sorted(rooms)}"


@pytest.mark.parametrize("package", ["restore", "hsi"])
def test_help_imports_nothing_heavy(package: str) -> None:
    heavy = ("torch", "lightning", "spectral", "skimage", "sklearn", "matplotlib", "pandas")
    script = (
        f"import sys, {package}.cli; "
        f"sys.exit(' '.join(name for name in {heavy} if name in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
