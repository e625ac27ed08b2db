"""One holds the lock; who waits gets it afterwards, even where its folder went in between."""

import errno
import fcntl
import shutil
import sys
import threading
import types
from pathlib import Path

import pytest
import torch

from engine import lock
from engine.errors import UserError
from engine.lock import locked
from engine.training.checkpoint import Checkpoint


def test_one_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "work" / "lock"
    with locked(path) as first:
        assert first is True
        with locked(path) as second:
            assert second is False
    with locked(path) as third:
        assert third is True


def test_a_place_that_takes_no_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object, **__: object) -> None:  # as /proc does, and network folders that went
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", nothing)
    expected = r"work: expected a place .* name another place"
    with pytest.raises(UserError, match=expected), locked(tmp_path / "work" / "lock"):
        pass


def test_a_lock_that_is_a_dangling_link_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "gone" / "lock")
    with pytest.raises(UserError, match="expected a place"), locked(tmp_path / "lock"):
        pass


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), locked(tmp_path / "lock"):
        raise ValueError("mine")
    with locked(tmp_path / "lock") as held:
        assert held is True


def test_who_waits_holds_a_lock_that_others_see(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    waits, release = threading.Event(), threading.Event()
    found: list[bool | None] = []

    def wait() -> None:
        with locked(folder / "lock", waits.set) as held:
            found.append(held)
            with locked(folder / "lock") as third:
                found.append(third)
            release.wait(10)

    with locked(folder / "lock"):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert waits.wait(10)
        assert not found
        shutil.rmtree(folder)  # as the end of a training or a run does
    release.set()
    waiting.join(10)
    assert found == [True, False]


def test_a_folder_that_goes_while_the_file_opens_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, opened = tmp_path / "work", Path.open

    def gone(path: Path, *args: str) -> object:
        monkeypatch.setattr(Path, "open", opened)
        folder.rmdir()
        return opened(path, *args)

    monkeypatch.setattr(Path, "open", gone)
    with locked(folder / "lock") as held:
        assert held is True


def test_a_file_system_without_locks_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")  # Lustre mounted without flock

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "lock") as held:
        assert held is None
    with Checkpoint(tmp_path / "m.safetensors", {}) as checkpoint:
        checkpoint.save({"step": torch.tensor(3)})
        found = checkpoint.load()
    assert found == {"step": torch.tensor(3)}


def test_a_training_leaves_the_unfinished_state_of_another_alone(tmp_path: Path) -> None:
    with Checkpoint(tmp_path / "a.safetensors", {"name": "a"}) as first:
        writing = first.folder / ".part-of-a-write"
        writing.touch()
        with Checkpoint(tmp_path / "b.safetensors", {"name": "b"}) as second:
            second.save({"step": torch.tensor(1)})
        assert writing.exists()
    with pytest.raises(KeyError), Checkpoint(tmp_path / "a.safetensors", {"name": "a"}):
        writing.touch()
        raise KeyError
    with Checkpoint(tmp_path / "a.safetensors", {"name": "a"}):
        assert not writing.exists()
    assert not (tmp_path / ".resume").exists()


def test_locks_of_windows_by_a_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`msvcrt.locking` locks bytes for the open file; a stand-in does so with fcntl."""

    def locking(number: int, mode: int, size: int) -> None:
        assert (mode, size) == (2, 1)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PermissionError(13, "Permission denied") from error

    found = lock.find_spec
    monkeypatch.setattr(lock, "find_spec", lambda name: None if name == "fcntl" else found(name))
    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setattr(lock, "_BETWEEN", 0.01)
    path = tmp_path / "a" / "lock"
    said: list[str] = []
    with lock.locked(path) as first:
        assert first is True
        with lock.locked(path) as second:
            assert second is False
    holder = path.open("a")
    fcntl.flock(holder, fcntl.LOCK_EX)

    def let_go() -> None:
        said.append("waits")
        holder.close()

    with lock.locked(path, let_go) as third:
        assert third is True
    assert said == ["waits"]

    def none(number: int, mode: int, size: int) -> None:
        raise OSError(errno.ENOSYS, "no locks")

    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=none, LK_NBLCK=2))
    with lock.locked(path) as fourth:
        assert fourth is None
