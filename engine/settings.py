"""Settings of a run: check them against a JSON schema and fill in the defaults.

The message about a mistake names the file, the key, what was expected, what was found and what to
do. What was expected is the `title` of the key in the schema. A `format` in the schema names a
check that the caller supplies, for example that a folder of images exists. A check may return what
a text means: two texts of one list, or two keys, that mean the same are refused.

`python -m engine.settings FILE` names the line of a mistake in the YAML of a file.
"""

import argparse
import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from engine.errors import UserError
from engine.untrusted.yaml_file import read_yaml, refuse_bombs

Check = Callable[[str], object]


def load(path: Path | str) -> dict[str, Any]:
    """Read a YAML file of settings.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict

    Raises
    ------
    UserError
        The file is missing, is not YAML, or holds something else than keys with values.
    """
    found = read_yaml(path, "YAML")
    if not isinstance(found, dict):
        raise UserError(f"{path}: expected keys with values, found {_found(found)}")
    return found


def _refuse_control(value: Any, source: str) -> None:
    """Raise a UserError about text of several lines or with other control characters."""
    for path, item, _ in _parts(value):
        if isinstance(item, str) and any(ord(letter) < 32 or ord(letter) == 127 for letter in item):
            raise UserError(
                f"{source}: {_key(path)}: expected one line of text, found {item!r}; remove the "
                "line break or control character"
            )


def _parts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any, bool]]:
    """Yield keys, with the path of what has them, and plain values with theirs; whether a key."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield path, key, True
            yield from _parts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _parts(item, (*path, index))
    else:
        yield path, value, False


def validate(
    config: Mapping[str, Any],
    schema: Mapping[str, Any],
    source: str,
    checks: Mapping[str, Check] | None = None,
) -> dict[str, Any]:
    """Check settings before any work starts, and fill in what they leave out.

    Parameters
    ----------
    config : mapping
        The settings, as read from YAML.
    schema : mapping
        JSON schema, draft 2020-12, with a `title` for every key that can be wrong and a `default`
        for every key that can be left out. References have the form ``#/$defs/name``.
    source : str
        File name of the settings, for messages.
    checks : mapping of str to callable, optional
        For each `format` of the schema, a function that raises UserError on a bad value. It may
        return what the value means: no two unique items, and no two keys, may mean the same.

    Returns
    -------
    dict
        A new, complete mapping in the order of the schema.

    Raises
    ------
    UserError
        About the first mistake: settings that hold themselves or grow beyond all use by aliases
        come first, then keys that are not text, text of several lines, unknown keys, and bad
        values; among these the order is that of the file.
    """
    refuse_bombs(config, source)
    _refuse_unquoted(config, source)
    _refuse_control(config, source)
    errors = list(_validator(schema, checks or {}).iter_errors(dict(config)))
    if errors:
        unknown = [error for error in errors if error.validator == "additionalProperties"]
        first = (unknown or errors)[0]
        key = _key(first.absolute_path)
        raise UserError(f"{source}: {key}{': ' if key else ''}{_fault(first)}")
    completed: dict[str, Any] = _complete(dict(config), schema, schema)
    return completed


def expect_known(name: str, known: Iterable[str], what: str) -> None:
    """Refuse a name that is not among the known ones.

    Parameters
    ----------
    name : str
    known : iterable of str
    what : str
        What was expected, such as 'a classifier'.

    Raises
    ------
    UserError
        With the nearest known name, or all of them where none is near.
    """
    if name not in (names := list(known)):
        raise UserError(f"expected {what}, found '{name}'; {_nearest(name, names)}")


def _refuse_unquoted(value: Any, source: str) -> None:
    """Raise a UserError if YAML reads a key as something else than text: 2019, on, null."""
    for path, key, is_key in _parts(value):
        if is_key and not isinstance(key, str):
            where = f"{_key(path)}: " if path else ""
            raise UserError(
                f"{source}: {where}expected text for a key, found {_found(key)} "
                f"({type(key).__name__}); put it in quotes"
            )


def _validator(schema: Mapping[str, Any], checks: Mapping[str, Check]) -> Any:
    """Return a validator of jsonschema that also refuses texts that mean the same."""
    from jsonschema import Draft202012Validator, FormatChecker, validators

    formats = FormatChecker(formats=())
    for name, check in checks.items():
        formats.checks(name, raises=UserError)(_passes(check))
    plain = Draft202012Validator.VALIDATORS

    def unique_items(validator: Any, asked: Any, value: Any, part: Any) -> Iterator[Any]:
        yield from plain["uniqueItems"](validator, asked, value, part) or ()
        if asked and isinstance(value, list):
            yield from _alike(value, _resolved(part.get("items", {}), schema), checks)

    def property_names(validator: Any, named: Any, value: Any, part: Any) -> Iterator[Any]:
        yield from plain["propertyNames"](validator, named, value, part) or ()
        if isinstance(value, Mapping):
            yield from _alike(value, _resolved(named, schema), checks)

    own = {"uniqueItems": unique_items, "propertyNames": property_names}
    return validators.extend(Draft202012Validator, own)(schema, format_checker=formats)


def _alike(
    texts: Iterable[object], part: Mapping[str, Any], checks: Mapping[str, Check]
) -> Iterator[Any]:
    """Yield an error about the first text that means the same as an earlier, other one."""
    from jsonschema import ValidationError

    if (check := checks.get(part.get("format", ""))) is None:
        return
    seen: list[tuple[str, object]] = []
    for text in texts:
        try:
            meaning = check(text) if isinstance(text, str) else None
        except UserError:  # told where the format is checked
            continue
        earlier = next((other for other, known in seen if known == meaning), text)
        if earlier != text:
            said = f"'{text}' means the same as '{earlier}'; remove one"
            return (yield ValidationError(said, validator="alike"))
        if meaning is not None:
            seen.append((str(text), meaning))


def _passes(check: Check) -> Callable[[object], bool]:
    def passes(value: object) -> bool:
        if isinstance(value, str):  # another type is the `type` keyword's business
            check(value)
        return True

    return passes


def _key(path: Iterable[str | int]) -> str:
    """Return the path of a key as text: hsi.seeds[0]."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]


def _fault(error: Any) -> str:
    """Return what is wrong with one value, from a jsonschema ValidationError."""
    schema, value = error.schema, error.instance
    if error.validator == "format":
        return str(error.cause)
    if error.validator == "alike":
        return str(error.message)
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", ()))
        name = next(key for key in value if key not in known)
        return f"unknown key '{name}'; {_nearest(str(name), known)}"
    if error.validator == "required":
        missing = next(key for key in schema["required"] if key not in value)
        wanted = schema["properties"].get(missing, {}).get("title", "it")
        return f"the key '{missing}' is missing; give {wanted}"
    expected = schema.get("title") or f"one of {', '.join(map(str, schema.get('enum', ())))}"
    if "propertyNames" in error.absolute_schema_path:
        return f"'{value}': expected {expected}"
    if error.validator == "enum" and isinstance(value, str):
        return f"expected {expected}, found '{value}'; {_nearest(value, schema['enum'])}"
    if error.validator == "uniqueItems":
        twice = next(item for n, item in enumerate(value) if item in value[:n])
        return f"{_found(twice)} is listed twice; remove one"
    return f"expected {expected}, found {_found(value)}{_slip(schema, value)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    known = [str(choice) for choice in known]
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"


def _slip(schema: Mapping[str, Any], value: object) -> str:
    """Return the remedy for the most common mistakes in YAML, or ''."""
    if schema.get("type") == "string" and isinstance(value, dict) and len(value) == 1:
        (name, level), *_ = value.items()
        return f"; write {name}:{level} without a space"
    if schema.get("type") == "array" and isinstance(value, str | int | float):
        return f"; write [{value}]"
    return ""


def _found(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list) and not value:
        return "an empty " + ("list" if isinstance(value, list) else "mapping")
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000).strip()
    text = text.removesuffix("...").strip()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a part of a schema with what its reference names filled in."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return {**root["$defs"][name], **schema} if name else schema


def _complete(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """Return a copy of `value` with the defaults of the schema filled in, at every depth."""
    schema = _resolved(schema, root)
    if isinstance(value, list):
        return [_complete(item, schema.get("items", {}), root) for item in value]
    if isinstance(value, Mapping):
        named = schema.get("properties", {})
        filled = {
            key: value[key] if key in value else deepcopy(part["default"])
            for key, part in named.items()
            if key in value or "default" in part
        }
        filled |= {key: item for key, item in value.items() if key not in named}
        rest = schema.get("additionalProperties") or {}
        return {key: _complete(item, named.get(key, rest), root) for key, item in filled.items()}
    if schema.get("type") == "integer" and isinstance(value, float):
        return int(value)
    return value


def main(arguments: Sequence[str] | None = None) -> None:
    """Name the line of a YAML file that is no YAML; say nothing where there is none."""
    parser = argparse.ArgumentParser(prog="python -m engine.settings", description=main.__doc__)
    parser.add_argument("file", type=Path, help="a YAML file such as config.yaml")
    asked = parser.parse_args(arguments)
    try:
        load(asked.file)
    except UserError as error:
        parser.exit(2, f"settings: {error}\n")


if __name__ == "__main__":
    main()
