import pytest

from engine.errors import UserError
from engine.memory import parse_bytes, resident_bytes, size_in_words


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GiB", 2 * 2**30),
        ("2 GB", 2 * 10**9),
        ("1.5G", 3 * 2**29),
        ("500m", 500 * 2**20),
        ("123", 123),
        ("7B", 7),
    ],
)
def test_sizes(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "much", "2 GiBs", "-1G", "iB", "3i"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UserError, match="expected a size such as 2GiB"):
        parse_bytes(text)


def test_sizes_in_words():
    assert size_in_words(1.34 * 2**30) == "1.3 GiB"
    assert size_in_words(640 * 2**20) == "640 MiB"


def test_this_process_holds_something():
    assert 2**20 < resident_bytes() < 2**40
