"""The documentation site: its parts, and, slow, all of it without a warning."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from tests.docs.commands import APPS
from tests.docs.pages import ROOT

SITE = ROOT / "docs/site"


@pytest.fixture
def site(monkeypatch):
    """The modules of docs/site, which is no package."""
    monkeypatch.syspath_prepend(str(SITE))
    names = ("build", "commands", "tutorials")
    yield {name: importlib.import_module(name) for name in names}
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("program", APPS)
def test_every_command_and_option_is_in_the_reference(program, site):
    page = site["commands"].reference(program, APPS[program])
    group = typer.main.get_command(APPS[program])
    assert re.findall(rf"^## {program} (\S+)$", page, re.MULTILINE) == sorted(group.commands)
    for command in group.commands.values():
        for param in command.params:
            assert f"`{max(param.opts, key=len)}" in page or param.param_type_name == "argument"
            assert " ".join((param.help or "").split()).replace("|", "\\|") in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) in (3, 4) for row in rows)


def test_every_page_is_in_the_contents(site):
    blocks = re.findall(r"```{toctree}\n(.*?)```", (SITE / "index.md").read_text(), re.DOTALL)
    listed = {line for block in blocks for line in block.splitlines() if line[:1].isalpha()}
    pages = {Path(page).with_suffix("").as_posix() for page in site["build"].PAGES.values()}
    cards = {page for page in pages if page.startswith("reference/weights/")}
    assert pages - cards - {"index"} <= listed


def test_links_become_those_of_the_site(site, tmp_path, monkeypatch):
    build = site["build"]
    monkeypatch.setattr(build, "SOURCE", tmp_path)
    text = (
        "[a](../config/README.md#keys) [b](../tests/test_house.py) [c](https://example.org/x) "
        "![d](cubes.png) [e](scenes.md) [f](#here)"
    )
    assert build.relinked(text, ROOT / "docs/denoise.md", "denoise.md") == (
        "[a](reference/config.md#keys) b (`tests/test_house.py`) [c](https://example.org/x) "
        "![d](pictures/docs-cubes.png) [e](scenes.md) [f](#here)"
    )
    assert (tmp_path / "pictures/docs-cubes.png").is_file()


def test_a_tutorial_shows_what_its_run_made(site, tmp_path):
    page = tmp_path / "first.md"
    page.write_text(
        "# First\n\n```yaml\n# a.yaml\nkey: 1\n```\n\n```sh\ncat a.yaml\n"
        "printf 'x,y\\n1,2\\n' > t.csv\nprintf picture > p.png\n```\n\n"
        "<!-- picture: p.png: A picture -->\n\n<!-- table: t.csv: y -->\n"
    )
    text = site["tutorials"].made(page, tmp_path / "runs", tmp_path / "pictures")
    assert "```{code-block} text\n:class: output\n\n# a.yaml\nkey: 1\n```" in text
    assert "![A picture](pictures/first-p.png)\n\n*A picture.*" in text
    assert "| y |\n|---|\n| 2 |" in text
    assert (tmp_path / "pictures/first-p.png").read_text() == "picture"
    page.write_text("```sh\nfalse\n```\n")
    with pytest.raises(SystemExit, match="`false` ended with 1"):
        site["tutorials"].made(page, tmp_path / "runs", tmp_path / "pictures")
    page.write_text("<!-- picture: none.png: Nothing -->\n")
    with pytest.raises(SystemExit, match=r"the run made no none\.png"):
        site["tutorials"].made(page, tmp_path / "runs", tmp_path / "pictures")


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    for package in ("sphinx", "furo", "myst_parser", "numpydoc"):
        pytest.importorskip(package, reason="restore-hsi[docs] is missing")
    done = subprocess.run(
        [sys.executable, SITE / "build.py", tmp_path / "site"],
        cwd=ROOT, check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = [
        path.relative_to(tmp_path / "site").as_posix() for path in Path(tmp_path).rglob("*.html")
    ]
    assert {"index.html", "tutorials/images.html", "reference/hsi.html", "limits.html"} <= set(
        pages
    )
    text = (tmp_path / "site/reference/python-restore.html").read_text()
    assert "restore.denoise_folder" in text
