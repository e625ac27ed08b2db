"""The reference of a command line, written from the commands themselves."""

import inspect
from typing import Any, get_args

import typer.main


def reference(program: str, app: typer.Typer) -> str:
    """Return a page in Markdown: every command with its arguments, options and defaults."""
    group: Any = typer.main.get_command(app)
    parts = [
        f"# The command line `{program}`",
        f"{group.help}",
        f"`{program} --help` prints the same. Before the command: `--debug` shows tracebacks, "
        "`--version` the version, `--install-completion` installs completion for your shell.",
    ]
    for name in sorted(group.commands):
        parts += _command(program, name, group.commands[name])
    return "\n\n".join(parts) + "\n"


def _command(program: str, name: str, command: Any) -> list[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    words = [_metavar(one) for one in arguments]
    words += [f"{_flag(one)} {_metavar(one)}" for one in options if one.required]
    words += ["[OPTIONS]"] if any(not one.required for one in options) else []
    usage = " ".join([program, name, *words])
    parts = [f"## {program} {name}", inspect.cleandoc(command.help or ""), f"```text\n{usage}\n```"]
    if arguments:
        rows = [f"| `{_metavar(one)}` | {_cell(one.help)} |" for one in arguments]
        parts.append("\n".join(["| argument | |", "|---|---|", *rows]))
    if options:
        rows = [f"| `{_named(one)}` | {_cell(one.help)} | {_default(one)} |" for one in options]
        parts.append("\n".join(["| option | | default |", "|---|---|---|", *rows]))
    return parts


def _metavar(param: Any) -> str:
    return str(param.metavar or param.name).upper()


def _flag(option: Any) -> str:
    return max(option.opts, key=len)


def _named(option: Any) -> str:
    return _flag(option) if option.is_flag else f"{_flag(option)} {_kind(option)}"


def _kind(option: Any) -> str:
    """Return what an option takes, such as TEXT; newer releases of typer describe it otherwise."""
    if (described := getattr(option, "type_descriptor", None)) is None:
        return str(option.type.name).upper()
    kind = next(iter(get_args(described.annotation)), described.annotation)  # of a list's items
    name = getattr(kind, "__name__", "text")
    return {"str": "TEXT", "int": "INTEGER"}.get(name, name.upper())


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if option.is_flag or option.default in (None, ""):
        return ""
    return f"`{option.default}`"
