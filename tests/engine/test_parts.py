import pytest

from engine.errors import UserError
from engine.parts import read_part


class MyError(UserError):
    """One package's own."""


@pytest.mark.parametrize(
    ("text", "part"), [("1/1", (1, 1)), ("3/10", (3, 10)), ("10/10", (10, 10))]
)
def test_a_part_is_read(text: str, part: tuple[int, int]) -> None:
    assert read_part(text, "strip") == part


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/4/2", "1.0/4"])
def test_anything_else_names_the_argument_and_the_form(text: str) -> None:
    with pytest.raises(MyError, match=f"^`shard` {text}: expected K/N with K from 1 to N"):
        read_part(text, "shard", MyError)
