"""Mistakes end in one line and the right exit status."""

import json
import logging
from typing import Annotated

import pytest
import typer

from engine import command
from engine.command import application, main, say_json
from engine.errors import Partial, UserError


def run(error: BaseException | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    app = application("Test.")

    @app.command()
    def work(tile_size: int = 0, most: Annotated[int, typer.Option("--at-most", "-m")] = 0) -> None:
        if error is not None:
            raise error

    @app.command()
    def rest() -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["prog", "work"])
        with pytest.raises(SystemExit) as ended:
            main(app, "prog")
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (None, 0, ""),
        (UserError("a.png: empty\nfile"), 2, "prog: a.png: empty file\n"),
        (
            UserError("`tile_size` 0: expected less than `most`, see `prog work` and `other`"),
            2,
            "prog: --tile-size 0: expected less than --at-most, see `prog work` and `other`\n",
        ),
        (NotADirectoryError(20, "Not a directory", "a/b"), 2, "prog: a/b: Not a directory\n"),
        (OSError("cut short"), 2, "prog: cut short\n"),
        (Partial("1 of 2 failed"), 1, "prog: 1 of 2 failed\n"),
        (
            MemoryError("Unable to allocate 3 TiB"),
            3,
            "prog: memory ran out (Unable to allocate 3 TiB); free some, or work on smaller "
            "parts\n",
        ),
        (
            KeyError("bands"),
            3,
            "prog: unexpected KeyError: 'bands'; a fault of this program: report it with what "
            "`--debug` shows\n",
        ),
    ],
)
def test_exit_status_and_line(
    error: Exception | None, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(error, capsys) == (status, line)


def test_debug_shows_the_traceback_of_a_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTORE_HSI_DEBUG", "1")
    status, text = run(RecursionError("too deep"), capsys)
    assert status == 3
    assert "Traceback" in text
    assert text.splitlines()[-1].startswith("prog: unexpected RecursionError: too deep")


def test_warnings_name_options_too() -> None:
    app = application("Test.")

    @app.command()
    def work(tile_size: int = 0) -> None:
        pass

    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s: or add `%s`, `%s`", (), None)
    record.args = ("a.png", "tile_size", "other")
    assert command._Lines(app).format(record).partition(" ")[2] == (
        "a.png: or add --tile-size, `other`"
    )


def test_unknown_option_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    app = application("Test.")

    @app.command()
    def work() -> None:
        pass

    @app.command()
    def rest() -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["prog", "work", "--nosuch"])
        with pytest.raises(SystemExit) as ended:
            main(app, "prog")
    assert ended.value.code == 2
    assert "No such option" in capsys.readouterr().err


def test_json_has_null_for_what_is_not_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"kappa": float("nan"), "names": ["Wald", "Straße"], "rows": [{"oa": 1.5}]})
    said = capsys.readouterr().out
    assert json.loads(said) == {"kappa": None, "names": ["Wald", "Straße"], "rows": [{"oa": 1.5}]}
    assert "Straße" in said
