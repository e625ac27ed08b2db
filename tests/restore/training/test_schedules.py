"""The schedules that come along as files."""

from pathlib import Path

import pytest

from engine.training.schedule import read_schedule
from hsi.classifiers.schedules import WindowSchedule
from restore.networks import shipped
from restore.training.schedules import PatchSchedule

FILES = sorted((Path(__file__).resolve().parents[3] / "config" / "schedules").glob("*.yaml"))
OF_SCENES = ("backbones",)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_a_schedule_is_one_and_names_weights_that_are_there(path: Path) -> None:
    kind = WindowSchedule if path.stem in OF_SCENES else PatchSchedule
    found = read_schedule(path, kind)
    assert found.rate(found.steps - 1) < 0.01 * found.learning_rate  # it comes to rest
    for teacher in getattr(found, "teachers", ()):
        assert shipped.find(teacher.weights).is_file()
