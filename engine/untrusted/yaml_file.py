"""YAML files: how much they become, and how deep, is seen before anything walks through them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from engine.errors import UserError, why

_MOST_VALUES = 100_000  # once aliases are followed
_MOST_LEVELS = 50


def read_yaml(path: Path | str, expected: str) -> Any:
    """Read a YAML file of bounded size once its aliases are followed.

    Parameters
    ----------
    path : Path
    expected : str
        What the file should be, for messages.

    Raises
    ------
    UserError
        The file is missing, is not YAML, holds itself, stands for more than `_MOST_VALUES`, or
        gives a key twice.
    """
    try:
        found = yaml.load(Path(path).read_text(encoding="utf-8"), _EachKeyOnce)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise UserError(f"{path}:{where} expected {expected}; {problem}") from error
    except (OSError, ValueError, RecursionError) as error:  # ValueError: numbers, dates, UTF-8
        raise UserError(f"{path}: expected {expected} ({why(error)})") from error
    refuse_bombs(found, str(path))
    return found


class _EachKeyOnce(yaml.SafeLoader):
    """Reads plain values; YAML's own reader lets the last of equal keys win without a word.

    It also takes minutes for thousands of levels.
    """

    levels = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.levels += 1
        if self.levels > _MOST_LEVELS + 2:  # with the value in the last
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            problem = f"there are more than {_MOST_LEVELS} levels"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        node = super().compose_node(parent, index)
        self.levels -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            named = (key.tag, str(key.value))
            if named in seen:
                problem = f"the key '{key.value}' is there twice; remove one"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(named)
        return node


def refuse_bombs(value: object, source: str) -> None:
    """Raise a UserError about settings that hold themselves, or grow beyond all use by aliases."""
    sizes: dict[int, tuple[int, int]] = {}

    def size(item: object) -> tuple[int, int]:
        """Return how many values there are, and how many levels."""
        if not isinstance(item, Mapping | list | tuple | set):
            return 1, 0
        if id(item) not in sizes:
            sizes[id(item)] = (-1, 0)  # until it is counted
            parts = [*item.keys(), *item.values()] if isinstance(item, Mapping) else item
            counts, levels = zip((0, 0), *map(size, parts), strict=True)
            sizes[id(item)] = (1 + sum(counts), 1 + max(levels))
            if sizes[id(item)][1] > _MOST_LEVELS + 1:
                raise UserError(f"{source}: expected at most {_MOST_LEVELS} levels of keys")
        if sizes[id(item)][0] < 0:
            raise UserError(f"{source}: expected plain values, found one that holds itself")
        return sizes[id(item)]

    if (count := size(value)[0]) > _MOST_VALUES:
        raise UserError(
            f"{source}: expected at most {_MOST_VALUES} values, found aliases that stand for "
            f"{count:.2g}; write them out"
        )
