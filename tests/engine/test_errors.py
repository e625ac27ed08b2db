"""Errors read in one line, with or without what the system adds."""

import pytest

from engine.errors import why

LOST = FileNotFoundError(2, "No such file or directory", "a/b")


@pytest.mark.parametrize(
    ("error", "first", "whole"),
    [
        (LOST, "No such file or directory", "[Errno 2] No such file or directory: 'a/b'"),
        (OSError("cut short"), "cut short", "cut short"),
        (ValueError("one line\nand  another"), "one line", "one line and another"),
        (EOFError(), "EOFError", "EOFError"),
    ],
)
def test_why(error: Exception, first: str, whole: str) -> None:
    assert why(error) == first
    assert why(error, whole=True) == whole
