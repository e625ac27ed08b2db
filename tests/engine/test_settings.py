"""Settings: defaults filled in, and every mistake told in one line."""

from pathlib import Path
from typing import Any

import pytest

from engine import settings
from engine.errors import UserError

SCHEMA: dict[str, Any] = {
    "title": "settings",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "seed": {
            "title": "a whole number, 0 or more",
            "type": "integer",
            "minimum": 0,
            "default": 0,
        },
        "kind": {"title": "a kind", "enum": ["grey", "colour"], "default": "grey"},
        "levels": {"$ref": "#/$defs/levels", "default": ["noise:25"]},
        "models": {
            "title": "models by name",
            "type": "object",
            "default": {},
            "propertyNames": {"title": "a name such as net-25", "pattern": "^net-[0-9]+$"},
            "additionalProperties": {"$ref": "#/$defs/levels"},
        },
        "scene": {
            "title": "a scene",
            "type": ["object", "null"],
            "default": None,
            "additionalProperties": False,
            "required": ["cube"],
            "properties": {
                "cube": {"title": "a file", "type": "string", "format": "file"},
                "window": {
                    "title": "an odd whole number from 3 to 99",
                    "type": "integer",
                    "minimum": 3,
                    "maximum": 99,
                    "not": {"multipleOf": 2},
                    "default": 25,
                },
            },
        },
    },
    "$defs": {
        "levels": {
            "title": "a list of levels such as [noise:25]",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"title": "a level such as noise:25", "type": "string", "pattern": "^noise:"},
        }
    },
}


def check_file(name: str) -> None:
    if not Path(name).is_file():
        raise UserError(f"expected a file, found '{name}', which is not there; mend the path")


def validate(config: dict[str, Any]) -> dict[str, Any]:
    return settings.validate(config, SCHEMA, "my.yaml", {"file": check_file})


def test_defaults_are_filled_in_at_every_depth() -> None:
    assert validate({"scene": {"cube": __file__}}) == {
        "seed": 0,
        "kind": "grey",
        "levels": ["noise:25"],
        "models": {},
        "scene": {"cube": __file__, "window": 25},
    }


def test_the_order_is_the_schemas_so_that_equal_settings_look_equal() -> None:
    assert list(validate({"levels": ["noise:5"], "seed": 1})) == list(SCHEMA["properties"])


def test_defaults_are_copies() -> None:
    validate({})["levels"].append("noise:50")
    assert validate({})["levels"] == ["noise:25"]


def test_a_section_may_be_empty() -> None:
    assert validate({"scene": None})["scene"] is None


def test_a_whole_float_becomes_a_whole_number() -> None:
    assert repr(validate({"seed": 3.0})["seed"]) == "3"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sed": 1}, "unknown key 'sed'; did you mean 'seed'?"),
        ({"zzz": 1}, "unknown key 'zzz'; known: seed, kind, levels, models, scene"),
        (
            {"scene": {"cube": __file__, "windw": 3}},
            "scene: unknown key 'windw'; did you mean 'window'?",
        ),
        ({"seed": -1}, "seed: expected a whole number, 0 or more, found -1"),
        ({"seed": True}, "seed: expected a whole number, 0 or more, found true"),
        ({"seed": "one"}, "seed: expected a whole number, 0 or more, found 'one'"),
        ({"kind": "gray"}, "kind: expected a kind, found 'gray'; did you mean 'grey'?"),
        (
            {"levels": []},
            "levels: expected a list of levels such as [noise:25], found an empty list",
        ),
        (
            {"levels": "noise:25"},
            "levels: expected a list of levels such as [noise:25], found 'noise:25'; "
            "write [noise:25]",
        ),
        (
            {"models": {"net-1": [{"noise": 25}]}},
            "models.net-1[0]: expected a level such as noise:25, found {noise: 25}; "
            "write noise:25 without a space",
        ),
        ({"levels": ["noise:5", "noise:5"]}, "levels: 'noise:5' is listed twice; remove one"),
        ({"models": {"nett": ["noise:5"]}}, "models: 'nett': expected a name such as net-25"),
        ({"scene": {}}, "scene: the key 'cube' is missing; give a file"),
        (
            {"scene": {"cube": __file__, "window": 24}},
            "scene.window: expected an odd whole number from 3 to 99, found 24",
        ),
        (
            {"scene": {"cube": "no.mat"}},
            "scene.cube: expected a file, found 'no.mat', which is not there; mend the path",
        ),
        ({"scene": 3}, "scene: expected a scene, found 3"),
    ],
)
def test_a_mistake_is_one_line(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as raised:
        validate(config)
    assert str(raised.value) == f"my.yaml: {message}"


def test_an_unknown_key_is_told_first() -> None:
    with pytest.raises(UserError, match="unknown key 'sede'"):
        validate({"seed": -1, "sede": 3})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2", r"my\.yaml: line 2, column 2: expected YAML; "),
        (
            "a: 1\nb: 2\na: 3",
            r"my\.yaml: line 3, column 1: expected YAML; the key 'a' is there twice",
        ),
        (
            "a: [{b: 1, c: 2, b: 1}]",
            r"line 1, column 18: expected YAML; the key 'b' is there twice",
        ),
        ("- a\n- b", r"my\.yaml: expected keys with values, found \[a, b\]$"),
        ("", r"my\.yaml: expected keys with values, found nothing$"),
    ],
)
def test_a_file_that_holds_no_settings(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as raised:
        settings.load(path)
    assert "\n" not in str(raised.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml: expected YAML \(No such"):
        settings.load(tmp_path / "none.yaml")


BOMB = "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60))
FIFTY = "a: " + "[" * 49 + "1" + "]" * 49


def test_fifty_levels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text(FIFTY)
    found = settings.load(path)["a"]
    for _ in range(49):
        (found,) = found
    assert found == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "at most 100000 values, found aliases that stand for"),
        ("restore: &r {models: *r}\n", "holds itself"),
        ("seed: " + "9" * 5000, "expected YAML"),
        ("a: " + "[" * 3000, "line 1, column 55: expected YAML; there are more than 50 levels"),
        ("a: " + "[" * 60 + "]" * 60, "there are more than 50 levels"),
        ("".join(f"{' ' * n}a:\n" for n in range(60)), "there are more than 50 levels"),
        (CHAIN, "at most 50 levels"),
    ],
)
def test_bombs_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bomb.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        settings.load(path)
    assert "\n" not in str(error.value)


def test_an_alias_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("a: &a [1, 2]\nb: *a\nc: *a\n")
    assert settings.load(path) == {"a": [1, 2], "b": [1, 2], "c": [1, 2]}


def test_text_of_several_lines_is_refused() -> None:
    with pytest.raises(UserError, match=r"c: device: expected one line of text, found 'cpu\\n'"):
        settings.validate({"device": "cpu\n"}, {"type": "object"}, "c")


ALIKE = {
    "type": "object",
    "properties": {
        "shares": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/share"}},
        "free": {"type": "array", "items": {"$ref": "#/$defs/share"}},
        "named": {"type": "object", "propertyNames": {"$ref": "#/$defs/share"}},
    },
    "$defs": {"share": {"title": "a share", "format": "share"}},
}


def share(text: str) -> float | None:
    """What a text means; None where it is written in one way alone."""
    if text == "half":
        return None
    try:
        return float(text)
    except ValueError:
        raise UserError(f"expected a share, found '{text}'; write 0.5") from None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"shares": ["0.2", ".3", "0.20"]}, "shares: '0.20' means the same as '0.2'; remove one"),
        ({"shares": ["0.2", "0.2"]}, "shares: '0.2' is listed twice; remove one"),
        ({"named": {"1": 0, "1.0": 0}}, "named: '1.0' means the same as '1'; remove one"),
        ({"shares": ["x", "0.2"]}, "shares[0]: expected a share, found 'x'; write 0.5"),
    ],
)
def test_texts_that_mean_the_same_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as raised:
        settings.validate(config, ALIKE, "my.yaml", {"share": share})
    assert str(raised.value) == f"my.yaml: {message}"


def test_texts_that_mean_other_things_are_taken() -> None:
    config = {"shares": ["0.2", "half", "0.3", 1], "free": ["1", "1.0"], "named": {"1": 0}}
    assert settings.validate(config, ALIKE, "my.yaml", {"share": share}) == config
    assert settings.validate({"shares": ["1", "1.0"]}, ALIKE, "my.yaml")


def test_the_command_names_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("a: 1\n")
    settings.main([str(path)])
    assert capsys.readouterr() == ("", "")
    path.write_text("a: 1\na: 2\n")
    with pytest.raises(SystemExit) as left:
        settings.main([str(path)])
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"settings: {path}: line 2, column 1: expected YAML; the key 'a'")
