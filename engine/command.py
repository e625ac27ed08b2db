"""How both command lines start, log, and report a mistake in one line."""

import logging
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from engine.errors import Partial, UserError, why

_STOPPED = 130  # as shells number it: 128 and SIGINT
# Newer releases of typer carry click inside, older ones depend on it: reach it through typer.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]


def application(help: str) -> typer.Typer:
    """Make a command group with `--debug` and `--version`.

    Parameters
    ----------
    help : str
        What the command is for, in one line.
    """
    app = typer.Typer(
        help=help,
        no_args_is_help=True,
        add_completion=False,
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
        logging.basicConfig(
            level=level, stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%H:%M:%S"
        )
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

    Exit status: 0 all done; 1 some items failed (each named); 2 bad arguments or input;
    130 stopped by Ctrl-C. With `--debug`, a traceback is shown as well.
    """
    try:
        status = app(prog_name=prog, standalone_mode=False)
        if status == _STOPPED:  # newer releases of typer turn Ctrl-C into this status, silently
            raise KeyboardInterrupt
    except _USAGE_ERROR as error:
        error.show()  # type: ignore[attr-defined]
        status = 2
    except Partial as error:
        status = _say(prog, _with_options(error, app), 1)
    except UserError as error:
        status = _say(prog, _with_options(error, app), 2)
    except BrokenPipeError:
        # The reader (head, less) has gone: nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:  # of a path that was given: a folder for a file, no permission
        status = _say(prog, _without_number(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        print(f"{prog}: stopped; run the same line again to go on", file=sys.stderr)
        status = _STOPPED
    sys.exit(status if isinstance(status, int) else 0)


def expect_file(path: Path, suffix: str) -> None:
    """Refuse a name that no file of a kind can have or be written to, before any work."""
    if path.suffix != suffix:
        raise UserError(f"{path}: expected a name that ends with {suffix}")
    if path.is_dir():
        raise UserError(f"{path}: expected a file to write, found a folder; name a file in it")
    expect_folder(path.parent)


def expect_folder(path: Path) -> None:
    """Refuse a folder to write into that is a file, or lies below one, before any work."""
    for part in (path, *path.parents):
        if part.exists() and not part.is_dir():
            raise UserError(f"{path}: expected a folder to write into, but {part} is a file")


def expect_apart(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs that would replace what they are made from, before any work."""
    read = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in read:
            raise UserError(f"{path}: it would be replaced, but is read from; write elsewhere")


def _without_number(error: OSError) -> OSError:
    """Give an error that names the file and the reason, and no [Errno]."""
    if error.filename is None:
        return error
    return OSError(f"{error.filename}: {why(error)}").with_traceback(error.__traceback__)


def _say(prog: str, error: Exception, status: int) -> int:
    if os.environ.get("RESTORE_HSI_DEBUG"):
        import traceback

        traceback.print_exception(error)
    print(f"{prog}: {why(error, whole=True)}", file=sys.stderr)
    return status


def _with_options(error: UserError | Partial, app: typer.Typer) -> UserError | Partial:
    """Return the error with the options for the arguments that its message names in backticks."""
    group = typer.main.get_command(app)
    options = {
        param.name: max(param.opts, key=len)
        for command in getattr(group, "commands", {"": group}).values()
        for param in command.params
        if param.param_type_name == "option"
    }
    message = re.sub(r"`(\w+)`", lambda found: options.get(found[1], found[0]), str(error))
    return type(error)(message).with_traceback(error.__traceback__)
