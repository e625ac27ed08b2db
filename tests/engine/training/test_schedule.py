"""Schedules rise and fall as they say; a file with a mistake is one clear line."""

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.training.schedule import Schedule, in_words, read_schedule


def test_rates_follow_warm_up_and_decay() -> None:
    cosine = Schedule("c", 110, 1, learning_rate=1.0, warmup_steps=10, decay="cosine")
    assert cosine.rate(0) == pytest.approx(0.1)
    assert cosine.rate(9) == pytest.approx(1.0)
    assert cosine.rate(60) == pytest.approx(0.5)
    step = Schedule("s", 30, 1, learning_rate=1.0, decay="step", milestones=(10, 20))
    assert [step.rate(s) for s in (9, 10, 20)] == pytest.approx([1.0, 0.1, 0.01])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: 5\nbatch_size: 2\nspeed: 3\n", "unknown key 'speed'"),
        ("steps: five\nbatch_size: 2\n", "steps: expected a whole number, found 'five'"),
        ("batch_size: 2\n", "'steps' is missing"),
        ("steps: 5\nbatch_size: 2\nlearning_rate: fast\n", "learning_rate: expected a number"),
        (
            "steps: 5\nbatch_size: 2\nlearning_rate: 1e-3\n",
            r"a number \(write 0.001\), found '1e-3'",
        ),
        ("steps: [5]\nbatch_size: 2\n", r"steps: expected a whole number, found \[5\]"),
        ("steps: 5\nbatch_size: 2\nmilestones: 5\n", "milestones: expected a list such as"),
        ("steps: 5\nbatch_size: 2\nmilestones: [a]\n", "milestones: expected a whole number"),
        ("steps: 5\nbatch_size: 2\nname: [1]\n", "name: expected text"),
        ("steps: 0\nbatch_size: 2\n", "steps: expected at least 1, found 0"),
        ("steps: [5\n", "expected a YAML file of a schedule"),
        ("- 5\n", "expected keys such as"),
        (f"steps: {'9' * 5000}\nbatch_size: 2\n", "expected a YAML file of a schedule"),
        (f"steps: 5\nbatch_size: 2\nlearning_rate: {'9' * 400}\n", "learning_rate: expected a num"),
        ("[" * 5000, "expected a YAML file of a schedule"),
        ("steps: &a [*a]\n", "holds itself"),
    ],
)
def test_bad_schedule_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_schedule(path, Schedule)
    assert "\n" not in str(error.value)


def test_schedule_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("steps: 5\nbatch_size: 2\nlearning_rate: 1\nmilestones: [2, 4]\ndecay: step\n")
    schedule = read_schedule(path, Schedule)
    assert schedule == Schedule("mine", 5, 2, 1.0, decay="step", milestones=(2, 4))


def test_name_in_tables() -> None:
    assert in_words(Schedule("demo", 900, 8).describe()) == "demo (900 steps)"
    assert in_words(None) == ""
