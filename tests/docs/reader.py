"""A reader who runs every block of a page in its order, in a folder with small files."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs import commands
from tests.docs.commands import APPS, Unknown
from tests.docs.pages import ROOT, Line, blocks
from tests.docs.pages import commands as lines_of
from tests.engine.page.results_folder import write_results

# Schedules of a few steps stand for those that pages name; a page's own `--schedule FILE` must be
# there. Options that a page leaves out, and which would make a command long, are added.
SHORT = "short.yaml"
ADDED = {
    "restore train": {"--schedule": SHORT},
    "hsi train": {"--schedule": SHORT},
    "hsi retrieve": {"--epochs": "1", "--queries": "9", "--components": "4"},
    "hsi study": {
        "--schedule": SHORT,
        "--candidates": "candidates.yaml",
        "--folds": "1",
        "--window": "1",
    },
}
SCHEDULES = ("demo", "paper", "notebook", "best")


@dataclass
class Reader:
    """Runs blocks: Python in one namespace, commands in one folder.

    Attributes
    ----------
    folder : Path
        Where everything happens; the current folder.
    names : dict
        The namespace of the page's Python.
    config : dict
        What the page's YAML blocks say: it is put into each config that the page hands to
        `snakemake`, so that the workflow itself checks it.
    runs : list
        Lines that call `snakemake`, with its arguments: planned once the page is read.
    """

    folder: Path
    names: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    runs: list[tuple[str, list[str]]] = field(default_factory=list)

    def read(self, page: Path) -> None:
        """Run every block of a page. A block that no rule covers fails."""
        for block in blocks(page):
            if block.language == "yaml":
                self.config = merged(self.config, yaml.safe_load(block.text))
        for block in blocks(page):
            match block.language:
                case "sh":
                    for line in lines_of(block):
                        self.run(line)
                case "python":
                    self.execute(block)
                case "yaml":
                    pass
                case "snakemake":
                    deployed(block, self.folder / "deployed")
                case language:
                    pytest.fail(f"{block}: no rule runs a block of {language or 'no language'!r}")
        assert self.runs or not self.config, f"{page}: no command reads its YAML"
        if self.runs:
            dry_runs(self.runs)

    def execute(self, block: Line) -> None:
        """Run Python; a named schedule is replaced with a short one."""
        code = block.text
        for schedule in SCHEDULES:
            code = code.replace(f'schedule="{schedule}"', f'schedule="{SHORT}"')
        exec(compile("\n" * (block.number - 1) + code, block.page, "exec"), self.names)

    def run(self, line: Line) -> None:
        """Run a command line in its smallest true form."""
        words = commands.split_line(line.text, {})
        if not words:
            return
        try:
            match words:
                case ["restore" | "hsi", *rest] if {"<", ">", "|"} & set(rest):
                    piped(line.text)
                case ["restore" | "hsi" as program, *arguments]:
                    self.call(program, arguments)
                case ["snakemake", *arguments]:
                    self.plan(line, arguments)
                case ["make", target]:
                    plan_make(target)
                case ["pip", *arguments]:
                    commands.check_pip(arguments)
                case ["python", "-m", "engine.page", results, _]:
                    write_results(self.folder / results)
                    subprocess.run([sys.executable, *words[1:]], cwd=self.folder, check=True)
                case ["cp", source, target]:
                    here = self.folder / source
                    shutil.copy(here if here.exists() else ROOT / source, self.folder / target)
                case [".", ".venv/bin/activate"]:
                    assert ".venv/bin" in (ROOT / "Makefile").read_text()
                case _:
                    raise Unknown("no rule of tests/docs runs such a line")
        except Exception as error:
            error.add_note(f"shown in {line}")
            raise

    def call(self, program: str, arguments: list[str]) -> None:
        """Run `restore` or `hsi` in this process, on small files and with short schedules."""
        expanded = [name for word in arguments for name in self.expand(word)]
        status = APPS[program](
            shortened(program, expanded), prog_name=program, standalone_mode=False
        )
        assert not status, f"exit status {status}"

    def expand(self, word: str) -> list[str]:
        """Return the files that a pattern of the shell names."""
        if "*" not in word or "/" not in word:
            return [word]
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.glob(word))

    def plan(self, line: Line, arguments: list[str]) -> None:
        """Keep a run for Snakemake to plan, with the page's YAML in its config."""
        arguments = [word for word in arguments if word not in ("-n", "--dry-run")]
        if "--workflow-profile" in arguments:  # its executor is not installed here
            at = arguments.index("--workflow-profile")
            assert (ROOT / arguments[at + 1] / "config.yaml").is_file(), arguments[at + 1]
            del arguments[at : at + 2]
        path = self.folder / arguments[arguments.index("--configfile") + 1]
        config = merged(yaml.safe_load(path.read_text()), self.config)
        path.write_text(yaml.safe_dump(config))
        self.runs.append((str(line), arguments))


def piped(text: str) -> None:
    """Run a line with pipes as a shell does."""
    shell = re.sub(r"(^|\| )(restore|hsi) ", rf"\1{sys.executable} -m \2 ", text)
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(shell, shell=True, env=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def deployed(block: Line, folder: Path) -> None:
    """Plan the jobs of a workflow that uses ours as a module, in a folder of its own."""
    for name in ("config", "workflow"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "config/config.yaml", folder / "config")
    assert "/path/to/restore-hsi/" in block.text
    text = block.text.replace("/path/to/restore-hsi", str(ROOT))
    (folder / "workflow/Snakefile").write_text(text)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert "train dncnn-b" in shown.stdout


def shortened(program: str, arguments: list[str]) -> list[str]:
    """Replace a schedule with a short one, and add what keeps a command short."""
    words = list(arguments)
    if "--schedule" in words:
        at = words.index("--schedule") + 1
        if words[at] not in SCHEDULES and not (ROOT / words[at]).is_file():
            raise Unknown(f"no schedule {words[at]}")
        words[at] = SHORT
    for option, value in ADDED.get(f"{program} {words[0]}", {}).items():
        if option not in words:
            words += [option, value]
    return words


def plan_make(target: str) -> None:
    """Let make print what it would do."""
    if target not in commands.targets_of_make():
        raise Unknown(f"make has no target {target}")
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


DRY_RUNS = """
import json, sys
from snakemake.cli import main

snakefile, runs = json.loads(sys.argv[1])
for line, arguments in runs:
    try:
        main(["-n", "--cores", "1", "--snakefile", snakefile, *arguments])
    except SystemExit as left:
        if left.code:
            sys.exit(f"shown in {line}")
"""


def dry_runs(runs: list[tuple[str, list[str]]]) -> None:
    """Plan runs by `snakemake -n`, in one process: configs are checked, and no job runs."""
    what = json.dumps([str(ROOT / "Snakefile"), runs])
    done = subprocess.run(
        [sys.executable, "-c", DRY_RUNS, what], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge mappings, the second ahead; lists are replaced."""
    result = dict(first)
    for key, value in second.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result
