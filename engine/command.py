"""What both command lines share: they start, log, and report a mistake in one line."""

import json
import logging
import math
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer

from engine.errors import Partial, Paused, UserError, why
from engine.memory import is_exhausted

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]

_STOPPED = 130  # as shells number it: 128 and SIGINT
_FAULT = 3
_PAUSED = 75
# Newer releases of typer carry click inside, older ones depend on it: reach it through typer.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]


def application(help: str) -> typer.Typer:
    """Return a command group with the options `--debug` and `--version`.

    Parameters
    ----------
    help : str
        The purpose of the command, in one line.
    """
    app = typer.Typer(
        help=help,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def options(
        debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
        _version_asked: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
        ] = False,
    ) -> None:
        level = logging.DEBUG if debug else logging.INFO
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Lines(app))
        logging.basicConfig(level=level, handlers=[handler])
        for noisy in ("PIL", "matplotlib", "h5py", "fsspec", "rasterio", "tifffile"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        if debug:
            os.environ["RESTORE_HSI_DEBUG"] = "1"

    return app


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("restore-hsi"))
        raise typer.Exit


def main(app: typer.Typer, prog: str) -> NoReturn:
    """Run a command line and end the process.

    The exit status is 0 if all is done, 1 if some items failed (each named), 2 for bad arguments or
    input, 3 where memory ran out or the program itself is at fault, 75 where it paused as it was
    asked to, and 130 after Ctrl-C. Every error is one line; with `--debug`, a traceback is shown as
    well.
    """
    try:
        status = app(prog_name=prog, standalone_mode=False)
        if status == _STOPPED:  # newer releases of typer turn Ctrl-C into this status, silently
            raise KeyboardInterrupt
    except _USAGE_ERROR as error:
        error.show()  # type: ignore[attr-defined]
        status = 2
    except Partial as error:
        status = _say(prog, app, error, 1)
    except UserError as error:
        status = _say(prog, app, error, 2)
    except Paused as error:
        status = _say(prog, app, error, _PAUSED)
    except BrokenPipeError:
        # The reader (head, less) has gone. Write nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:  # about a path in the arguments: a folder for a file, no permission
        status = _say(prog, app, error, 2)
    except (KeyboardInterrupt, typer.Abort):
        print(f"{prog}: stopped; run the same command again to resume", file=sys.stderr)
        status = _STOPPED
    except Exception as error:  # the last net: whatever is left is one line, too
        status = _say(prog, app, error, _FAULT)
    sys.exit(status if isinstance(status, int) else 0)


def say_json(value: object) -> None:
    """Print a value as JSON; a float that is not a number becomes null."""

    def plain(part: object) -> object:
        if isinstance(part, dict):
            return {key: plain(inner) for key, inner in part.items()}
        if isinstance(part, list):
            return [plain(inner) for inner in part]
        return None if isinstance(part, float) and not math.isfinite(part) else part

    typer.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def read_input(path: Path, what: str) -> None:
    """Write all that comes from standard input to a file.

    Parameters
    ----------
    path : Path
    what : str
        What is expected, for messages: 'an image'.

    Raises
    ------
    UserError
        Standard input is a terminal, or nothing comes.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise UserError(
            f"standard input: expected {what} from a pipe or a file, found a terminal; send it "
            "through a pipe (|, <), or name a file"
        )
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    if path.stat().st_size == 0:
        raise UserError(
            f"standard input: expected {what}, found nothing; see whether the program before the "
            "pipe failed"
        )


@contextmanager
def kept_output() -> Iterator[BinaryIO]:
    """Keep standard output for one thing: whatever else is printed meanwhile goes to the log.

    Yields
    ------
    binary file
        Standard output. What libraries print, from C too, goes to standard error.

    Raises
    ------
    UserError
        Standard output is a terminal.
    """
    if sys.stdout.isatty():
        raise UserError(
            "standard output: expected a pipe or a file, found a terminal; send it through a pipe "
            "(|, >), or name a file"
        )
    sys.stdout.flush()
    number = sys.stdout.fileno()
    kept = os.dup(number)
    os.dup2(sys.stderr.fileno(), number)
    try:
        with open(kept, "wb", closefd=False) as out:
            yield out
    finally:
        sys.stdout.flush()
        os.dup2(kept, number)
        os.close(kept)


def expect_file(path: Path, suffix: str) -> None:
    """Raise a UserError if `path` is no file to write that ends with `suffix`."""
    if path.suffix != suffix:
        raise UserError(f"{path}: expected a name that ends with {suffix}")
    if path.is_dir():
        raise UserError(f"{path}: expected a file to write, found a folder; name a file in it")
    expect_folder(path.parent)


def expect_folder(path: Path) -> None:
    """Raise a UserError if the folder to write into is a file, or is below one."""
    for part in (path, *path.parents):
        if part.exists() and not part.is_dir():
            raise UserError(f"{path}: expected a folder to write into, but {part} is a file")


def expect_apart(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raise a UserError if an output would overwrite an input."""
    read = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in read:
            raise UserError(f"{path}: the output would overwrite an input; choose another path")


def expect_own(beside: Path, out: Path) -> None:
    """Raise a UserError if a file that is written beside an output is there without the output.

    It is another's, then: whoever names an output asks for no other file to be replaced.
    """
    if beside.exists() and not out.exists():
        raise UserError(
            f"{beside}: would be replaced, as it is written beside {out}; move it, or name another "
            "output"
        )


def _say(prog: str, app: typer.Typer, error: Exception, status: int) -> int:
    if os.environ.get("RESTORE_HSI_DEBUG"):
        import traceback

        traceback.print_exception(error)
    print(f"{prog}: {_line(error, app)}", file=sys.stderr)
    return status


class _Lines(logging.Formatter):
    """The time and a message, whose arguments are written as the options that give them."""

    def __init__(self, app: typer.Typer) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self._app = app

    def format(self, record: logging.LogRecord) -> str:
        return _as_options(super().format(record), self._app)


def _as_options(line: str, app: typer.Typer) -> str:
    if "`" not in line:
        return line
    options = _options(app)
    return re.sub(r"`(\w+)`", lambda found: options.get(found[1], found[0]), line)


def _line(error: Exception, app: typer.Typer) -> str:
    """Return one line: the system's errors without their number, arguments as options."""
    if isinstance(error, UserError | Partial | Paused):
        return _as_options(why(error, whole=True), app)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {why(error)}"
    if isinstance(error, OSError):
        return why(error, whole=True)
    if is_exhausted(error):
        return f"memory ran out ({why(error)}); free some, or work on smaller parts"
    return (
        f"unexpected {type(error).__name__}: {why(error, whole=True)}; a fault of this program: "
        f"report it with what `--debug` shows"
    )


def _options(app: typer.Typer) -> dict[str, str]:
    """Return the options of all commands by the names of the arguments that they give."""
    group = typer.main.get_command(app)
    return {
        str(param.name): max(param.opts, key=len)
        for command in getattr(group, "commands", {"": group}).values()
        for param in command.params
        if param.param_type_name == "option"
    }
