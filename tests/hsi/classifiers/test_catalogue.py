"""The catalogue says of each classifier what the classifier itself does."""

import subprocess
import sys

import pytest

from hsi.classifiers.catalogue import CATALOGUE, SCHEDULES, entry, names, networks
from hsi.classifiers.model import CLASSIFIERS, make_classifier
from hsi.classifiers.schedules import schedule
from hsi.classifiers.window import NetworkClassifier
from hsi.errors import HsiError


@pytest.mark.parametrize("name", names())
def test_an_entry_is_what_is_made(name: str) -> None:
    listed, made = CATALOGUE[name], make_classifier(name)
    assert made.name == name
    assert made.stepwise == listed.stepwise
    assert made.has_probabilities == listed.has_probabilities
    assert isinstance(made, NetworkClassifier) == listed.network
    if isinstance(made, NetworkClassifier):
        assert made.window == (listed.window or 25)
        assert made.components == (listed.components or 30)
        assert made.kind.name == listed.architecture


@pytest.mark.parametrize("name", names())
def test_only_what_takes_a_window_accepts_one(name: str) -> None:
    if CATALOGUE[name].takes_window:
        assert make_classifier(name, window=13).options["window"] == 13
    else:
        with pytest.raises(HsiError, match="window"):
            make_classifier(name, window=9)


def test_every_network_has_a_published_schedule_and_no_control() -> None:
    for name, listed in CATALOGUE.items():
        if name in networks():
            assert listed.published_schedule in SCHEDULES
        else:
            assert listed.published_schedule is None


@pytest.mark.parametrize("name", SCHEDULES)
def test_named_schedules_are_there(name: str) -> None:
    assert schedule(name, 1000).name == name


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(HsiError, match="`classifier` hybrid: expected one of hybridsn, "):
        entry("hybrid")


def test_the_list_exists_once_and_is_light() -> None:
    assert list(CLASSIFIERS) == names()
    script = (
        "import sys, hsi.classifiers.catalogue; "
        "sys.exit(' '.join({'torch', 'numpy', 'sklearn'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
