"""Unfinished work stays for the next run until it is removed; one process holds it."""

from pathlib import Path

import pytest

from engine.lock import unfinished


def test_work_stays_after_an_error_and_goes_when_it_is_done(tmp_path: Path) -> None:
    folder = tmp_path / ".m.part"
    with pytest.raises(KeyError), unfinished(folder):
        (folder / "state").write_text("half")
        raise KeyError
    with unfinished(folder) as work:
        assert work.held is True
        assert (folder / "state").read_text() == "half"
        work.remove()
        assert not folder.exists()


def test_what_a_kill_in_the_middle_of_a_write_left_is_deleted(tmp_path: Path) -> None:
    (tmp_path / ".part-of-a-write").touch()
    with unfinished(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_the_folder_of_another_run_is_not_touched(tmp_path: Path) -> None:
    with unfinished(tmp_path):
        writing = tmp_path / ".part-of-a-write"
        writing.touch()
        with unfinished(tmp_path) as other:
            assert other.held is False
            other.remove()
        assert writing.exists()
