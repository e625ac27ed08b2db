"""What is known of the commands that pages show: their names, options and targets."""

import re
import shlex
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

import typer.main

import hsi.__main__
import restore.__main__
from tests.docs.pages import ROOT

APPS = {"restore": restore.__main__.app, "hsi": hsi.__main__.app}


class Unknown(Exception):
    """A page shows what there is not, or what no rule of these tests covers."""


@cache
def command(program: str, name: str) -> Any:
    """Return a sub-command of `restore` or `hsi`."""
    group: Any = typer.main.get_command(APPS[program])
    if name not in group.commands:
        raise Unknown(f"{program} has no command {name!r}")
    return group.commands[name]


def options(program: str, name: str) -> set[str]:
    """Return the options of a sub-command."""
    made = command(program, name)
    return {option for param in made.params for option in (*param.opts, *param.secondary_opts)} | {
        "--help"
    }


@cache
def all_options() -> frozenset[str]:
    """Return the options of all commands of both programs."""
    found = {"--debug", "--version", "--install-completion", "--show-completion"}
    for program, app in APPS.items():
        group: Any = typer.main.get_command(app)
        for name in group.commands:
            found |= options(program, name)
    return frozenset(found)


def parse(program: str, words: list[str]) -> None:
    """Parse a whole command line without running it: arguments, options, and their types."""
    made = command(program, words[0])
    try:
        made.make_context(words[0], list(words[1:]), resilient_parsing=False)
    except typer.Exit:  # of --help
        pass
    except Exception as error:
        raise Unknown(f"{program} {words[0]}: {error}") from error


def check_named_options(program: str, name: str, words: list[str]) -> None:
    """Check that options exist, where a page shows a part of a command line."""
    for word in words:
        if word.startswith("--") and word.split("=")[0] not in options(program, name):
            raise Unknown(f"{program} {name} has no option {word}")


def targets_of_make() -> set[str]:
    """Return the targets that people call."""
    (found,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return set(found.split())


def targets_of_snakemake() -> set[str]:
    """Return the names of the workflow's rules."""
    texts = [path.read_text() for path in (ROOT / "Snakefile", *ROOT.glob("workflow/rules/*.smk"))]
    return {name for text in texts for name in re.findall(r"^rule (\w+):", text, re.MULTILINE)}


def check_pip(words: list[str]) -> None:
    """Check an installation: this package, with an extra that it has."""
    if words[0] != "install":
        raise Unknown(f"pip {words[0]}")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for word in words[1:]:
        package, _, extra = word.rstrip("]").partition("[")
        if package in (project["name"], "."):
            if extra and extra not in project["optional-dependencies"]:
                raise Unknown(f"no extra {extra}")
        else:
            raise Unknown(f"pip install {word}: not our package")


def split_line(line: str, variables: Mapping[str, str]) -> list[str]:
    """Cut a line into words: variables are put in, comments are left out."""
    for _ in range(3):  # variables in variables
        line = re.sub(r"\$(\w+)", lambda found: variables.get(found[1], found[0]), line)
    return shlex.split(line, comments=True)
