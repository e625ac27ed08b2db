"""Edited code changes the revision of what it can change, comments do not."""

from pathlib import Path

import pytest

from engine import revision


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "ownpkg"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "noise.py").write_text('"""Doc."""\nSIGMA = 25\n')
    (folder / "train.py").write_text(
        "def train():\n    from ownpkg import noise\n    return noise\n"
    )
    (folder / "other.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(revision, "OWN", ("ownpkg",))
    return folder


def revision_of(*modules: str) -> str:
    for cached in (revision._read, revision._file):
        cached.cache_clear()
    return revision.code_revision(*modules)


def test_change_in_an_import_inside_a_function_counts(package: Path) -> None:
    before = revision_of("ownpkg.train")
    (package / "noise.py").write_text("SIGMA = 50\n")
    assert revision_of("ownpkg.train") != before


@pytest.mark.parametrize(
    "text",
    [
        "if X:\n    pass\nelse:\n    import ownpkg.noise",
        "try:\n    pass\nexcept OSError:\n    import ownpkg.noise",
        "try:\n    pass\nfinally:\n    from ownpkg import noise",
        "class A:\n  async def b(self):\n    with c:\n      from ownpkg.noise import SIGMA",
        "match x:\n  case 1:\n    for y in z:\n      pass\n    else:\n      import ownpkg.noise",
    ],
)
def test_imports_count_wherever_statements_stand(package: Path, text: str) -> None:
    (package / "train.py").write_text(text)
    before = revision_of("ownpkg.train")
    (package / "noise.py").write_text("SIGMA = 50\n")
    assert revision_of("ownpkg.train") != before


def test_comments_docstrings_and_strangers_do_not_count(package: Path) -> None:
    before = revision_of("ownpkg.train")
    (package / "noise.py").write_text('"""Another."""\n\n# why\nSIGMA = 25\n')
    (package / "other.py").write_text("X = 2\n")
    assert revision_of("ownpkg.train") == before
