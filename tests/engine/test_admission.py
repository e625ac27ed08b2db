"""Whatever a parser raises is one line; what cannot fit or be is refused before it is read."""

import pytest

from engine import memory
from engine.errors import UserError, parsing


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        (KeyError("x"), "a.bin: expected a cube ('x'); copy it again"),
        (ValueError("two\nlines"), "a.bin: expected a cube (two lines); copy it again"),
        (UserError("no band"), "a.bin: no band"),
        (UserError("a.bin: no band"), "a.bin: no band"),
        (MemoryError(), "a.bin: expected a file that fits into memory, found one that does not"),
    ],
)
def test_any_exception_of_a_parser_is_one_line(raised: Exception, line: str) -> None:
    class Own(UserError):
        pass

    with (
        pytest.raises(UserError) as error,
        parsing("a.bin", "expected a cube", Own, "copy it again"),
    ):
        raise raised
    assert str(error.value) == line


def test_stopping_passes() -> None:
    with pytest.raises(KeyboardInterrupt), parsing("a", "expected a cube"):
        raise KeyboardInterrupt


def test_admission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_on_host", lambda: 2**30)
    memory.admit(memory.FLOOR, 1)
    memory.admit(2**29, 2**22)
    memory.admit(2**29, None)
    with pytest.raises(UserError, match=r"1032 times .* 1 KiB .* states 512 MiB"):
        memory.admit(2**29, 2**10)
    with pytest.raises(UserError, match=r"2 times .* 1 KiB .* states 512 MiB"):
        memory.admit(2**29, 2**10, ratio=2)
    with pytest.raises(UserError, match=r"at most the 1\.0 GiB of memory .* states 2\.0 GiB"):
        memory.admit(2**31, None)
