"""The library names arguments, the command line names options."""

import inspect

import pytest

from hsi.cli.arguments import naming_options
from hsi.cli.training import train
from hsi.errors import HsiError


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`window` 24: expected an odd number", "--window 24: expected an odd number"),
        ("`classifier` svm: it has no `settings`", "--classifier svm: it has no --set"),
        ("x; `resample_bands` interpolates", "x; --resample-bands interpolates"),
        ("`block` 9: more than `memory`", "--block 9: more than --memory"),
        ("m.npy: no argument here", "m.npy: no argument here"),
    ],
)
def test_arguments_become_options(message: str, shown: str) -> None:
    def command() -> None:
        raise HsiError(message)

    with pytest.raises(HsiError) as error:
        naming_options(command)()
    assert str(error.value) == shown


def test_the_options_of_a_command_stay() -> None:
    assert inspect.signature(naming_options(train)) == inspect.signature(train)
