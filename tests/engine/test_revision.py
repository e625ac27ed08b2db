"""Edited code changes the revision of what it can change, comments do not."""

import json
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
    monkeypatch.setattr(revision, "_file_of_kept", lambda: tmp_path / "kept" / "revisions.json")
    return folder


def revision_of(*modules: str) -> str:
    for cached in (revision._read, revision._file, revision._kept):
        cached.cache_clear()  # as in another process
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


def test_what_was_parsed_once_is_not_parsed_again(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = revision_of("ownpkg.train")
    parsed: list[bytes] = []
    parse = revision._parsed

    def counted(source: bytes) -> tuple[str, list[str]]:
        parsed.append(source)
        return parse(source)

    monkeypatch.setattr(revision, "_parsed", counted)
    assert revision_of("ownpkg.train") == before
    assert not parsed
    (package / "noise.py").write_text("SIGMA = 50\n")
    assert revision_of("ownpkg.train") != before
    assert parsed == [b"SIGMA = 50\n"]


def test_a_name_that_becomes_a_module_is_one(package: Path) -> None:
    (package / "train.py").write_text("from ownpkg.later import thing\n")
    (package / "later").mkdir()
    (package / "later" / "__init__.py").write_text("thing = 1\n")
    before = revision_of("ownpkg.train")
    (package / "later" / "thing.py").write_text("X = 1\n")
    assert revision_of("ownpkg.train") != before


@pytest.mark.parametrize("text", [b"", b"[]", b'{"a": 1}', b'{"a": [1]}', b"\xff", b'{"a'])
def test_a_damaged_file_of_what_was_parsed_is_made_anew(package: Path, text: bytes) -> None:
    before = revision_of("ownpkg.train")
    kept = revision._file_of_kept()
    whole = kept.read_bytes()
    kept.write_bytes(text)
    assert revision_of("ownpkg.train") == before
    assert kept.read_bytes() == whole


def test_no_place_for_what_was_parsed_is_no_error(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = revision_of("ownpkg.train")
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(revision, "_file_of_kept", lambda: tmp_path / "file" / "revisions.json")
    assert revision_of("ownpkg.train") == before


def test_only_so_many_sources_are_kept(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "MOST", 3)
    before = revision_of("ownpkg.train")
    for value in range(9):
        (package / "noise.py").write_text(f"SIGMA = {value}\n")
        revision_of("ownpkg.train")
    assert 0 < len(json.loads(revision._file_of_kept().read_bytes())) <= 3
    (package / "noise.py").write_text("SIGMA = 25\n")
    assert revision_of("ownpkg.train") == before
