"""A tiny project, before and after its run."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.workflow.tiny_project import Project, make_project


@pytest.fixture(scope="session")
def installed() -> None:
    """The workflow's rules call the commands of this environment."""
    if not shutil.which("restore", path=str(Path(sys.executable).parent)):
        pytest.skip("the package is not installed in this environment; run `make test`")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that has not run."""
    return make_project(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, installed: None) -> Project:
    """A project that has run once."""
    project = make_project(tmp_path_factory.mktemp("project"))
    done = project.run()
    assert done.returncode == 0, done.stderr
    (project.folder / "output.txt").write_text(done.stdout + done.stderr)
    return project
