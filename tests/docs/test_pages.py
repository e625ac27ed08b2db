"""Every command and every Python block of the pages runs; what is only parsed parses."""

import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml

from tests.docs import commands
from tests.docs.commands import Unknown
from tests.docs.pages import PAGES, PARSED, ROOT, RUN, Line, blocks, inline_code, name
from tests.docs.pages import commands as lines_of
from tests.docs.reader import Reader, dry_runs

PROGRAMS = ("restore", "hsi")


@pytest.mark.parametrize("page", [page for page in RUN if any(blocks(page))], ids=name)
def test_every_block_of_a_page_runs(page: Path, reader: Reader) -> None:
    noisy = reader.names["noisy"].copy()
    reader.read(page)
    assert np.array_equal(reader.names["noisy"], noisy)


@pytest.mark.parametrize("page", [page for page in PAGES if page in PARSED], ids=name)
def test_every_command_of_a_page_that_is_not_run_parses(page: Path) -> None:
    variables: dict[str, str] = {}
    for block in blocks(page):
        if block.language == "sh":
            for line in lines_of(block):
                parse(line, variables)
        elif block.language == "yaml":
            schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
            jsonschema.validate(yaml.safe_load(block.text), schema)


def parse(line: Line, variables: dict[str, str]) -> None:
    key, equals, value = line.text.partition("=")
    if equals and key.isidentifier():
        variables[key] = value.strip('"')
        return
    match commands.split_line(line.text, variables):
        case []:
            return
        case ["restore" | "hsi" as program, *arguments]:
            commands.parse(program, arguments)
        case ["make", target]:
            assert target in commands.targets_of_make(), line
        case ["snakemake", *arguments]:
            check_targets(arguments)
        case ["pip", *arguments]:
            commands.check_pip(arguments)
        case ["cp", source, _]:
            assert (ROOT / source).exists(), line
        case _:
            pytest.fail(f"{line}: no rule of tests/docs parses such a line")


def check_targets(arguments: list[str]) -> None:
    first = next(iter(arguments), "--")
    if not first.startswith("-") and first not in commands.targets_of_snakemake():
        raise Unknown(f"snakemake has no target {first}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_and_options_in_the_text_exist(page: Path) -> None:
    for code in inline_code(page):
        match code.text.split():
            case ["restore" | "hsi" as program, command, *rest]:
                commands.check_named_options(program, command, rest)
            case ["make", target]:
                assert target in commands.targets_of_make(), code
            case ["snakemake", *rest]:
                check_targets(rest)
            case [option, *_] if option.startswith("--"):
                assert option.split("=")[0] in commands.all_options(), code


@pytest.mark.parametrize(
    "text",
    [
        "wget photos",
        "restore paint photos",
        "hsi split labels.mat --how blocks:16 --oud split.npz",
        "make coffee",
        "pip install lightning",
        "hsi train scene.hdr labels.mat --classifier svm --split first.npz --schedule none.yaml",
    ],
)
def test_a_line_that_no_rule_covers_or_no_command_takes_fails(text: str, reader: Reader) -> None:
    with pytest.raises(Exception, match=re.escape(f"shown in README.md:1: {text}")):
        reader.run(Line(ROOT / "README.md", 1, text))


def test_a_config_that_the_workflow_refuses_fails(reader: Reader) -> None:
    (reader.folder / "my.yaml").write_text("restore: {modles: {}}\n")
    reader.run(Line(ROOT / "README.md", 1, "snakemake --configfile my.yaml"))
    with pytest.raises(AssertionError, match=r"shown in README\.md:1"):
        dry_runs(reader.runs)
