"""Links lead somewhere, and files, names in files and public names are those of the code."""

import re
from pathlib import Path
from types import ModuleType

import pytest

import hsi
import restore
from tests.docs.pages import PAGES, ROOT, anchors, inline_code, links, name, prose

FOLDERS = "engine|restore|hsi|workflow|config|tests|profiles|benchmarks|docs"
FILE = re.compile(rf"^({FOLDERS})/[\w./-]*$")
NAME_IN_FILE = re.compile(rf"`([\w.]+)`\s+(?:\(|in\s+|to\s+)`((?:{FOLDERS})/[\w./-]+\.\w+)`")
# What runs write: paths below a folder of results.
WRITTEN = re.compile(r"\.(csv|png|html)$")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.text.startswith("https://"):
            continue
        path, _, anchor = link.text.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_in_the_text_exist(page: Path) -> None:
    for code in inline_code(page):
        if FILE.match(code.text):
            places = [ROOT, page.parent, ROOT / "results/reference"]
            written = WRITTEN.search(code.text)
            assert written or any((place / code.text).exists() for place in places), code


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_names_are_in_the_files_that_recipes_name(page: Path) -> None:
    for found, path in NAME_IN_FILE.findall(prose(page)):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert found.split(".")[-1] in text, f"{name(page)}: `{found}` is not in `{path}`"


def test_every_page_can_be_reached_from_the_readme() -> None:
    readme = ROOT / "README.md"
    reached = {(readme.parent / link.text.partition("#")[0]).resolve() for link in links(readme)}
    assert {path for path in PAGES if path.is_relative_to(ROOT / "docs")} <= reached


@pytest.mark.parametrize("package", [restore, hsi], ids=lambda package: package.__name__)
def test_the_tables_of_the_python_page_are_the_public_lists(package: ModuleType) -> None:
    page = prose(ROOT / "docs/python.md")
    tables = re.findall(r"^\| name \|.*?\n\n", page, re.MULTILINE | re.DOTALL)
    table = tables[[restore, hsi].index(package)]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", first(row))]
    assert sorted(named) == sorted(package.__all__)


def first(row: str) -> str:
    """Return the first cell of a table's row."""
    return row.split("|")[1] if "|" in row else ""
