"""A fingerprint of the code behind a result, so that a change of the code remakes the result.

Snakemake compares the parameters of a rule, but not the modules behind its command; rules therefore
give the fingerprint of these modules as a parameter.

A workflow asks for hundreds of modules, in each of its processes. To parse them takes more than a
second, so what they are made of is kept in the cache folder of the user, by their sources.
"""

import ast
import hashlib
import json
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from engine.artifacts import write_text
from engine.errors import UserError

OWN = ("engine", "restore", "hsi")
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # where statements hold others
MOST = 4000  # sources that are kept
# What decides the digest of a source, beside the source: Python writes its trees as it likes.
_FORM = f"1 {platform.python_version()} {OWN}\0".encode()


def code_revision(*modules: str) -> str:
    """Return a hash of modules and of all modules of this project that they import, at any depth.

    Comments, docstrings and layout do not change the hash.

    Parameters
    ----------
    *modules : str
        Dotted names, such as 'restore.training.train'.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in sorted(_closure(modules)):
        digest.update(f"{name}\0{_read(name).digest}\0".encode())
    _keep()
    return digest.hexdigest()[:16]


def _closure(modules: tuple[str, ...]) -> set[str]:
    seen: set[str] = set()
    pending = list(modules)
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(_read(name).imports)
    return seen


@dataclass(frozen=True)
class _Module:
    """What a module is made of.

    Attributes
    ----------
    digest : str
        Of its code, without docstrings.
    imports : tuple of str
        Modules of this project.
    """

    digest: str
    imports: tuple[str, ...]


@cache
def _read(name: str) -> _Module:
    """Return a module's code and imports."""
    source = _source(name).read_bytes()
    key = hashlib.sha256(_FORM + source).hexdigest()
    known = _kept().get(key)
    if known is None:
        known = _new[key] = _parsed(source)
    digest, found = known
    return _Module(digest, tuple(name for name in found if _is_module(name)))


def _parsed(source: bytes) -> tuple[str, list[str]]:
    """Return the digest of a source, and what it may import of this project: modules, or names."""
    tree = ast.parse(source)
    found: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:  # imports and docstrings are statements: expressions need no look
        node = pending.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
        for block in BLOCKS:
            pending.extend(getattr(node, block, ()))
    own = sorted(name for name in found if name.split(".")[0] in OWN)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), own


_new: dict[str, tuple[str, list[str]]] = {}  # parsed, and not kept yet


def _file_of_kept() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("restore-hsi") / "revisions.json"


@cache
def _kept() -> dict[str, tuple[str, list[str]]]:
    """Return what earlier processes have parsed, by the SHA-256 of form and source."""
    try:
        found: Any = json.loads(_file_of_kept().read_bytes())
        return {
            str(key): (str(digest), [str(name) for name in names])
            for key, (digest, names) in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):  # none, or damaged
        return {}


def _keep() -> None:
    """Keep what this process has parsed; where that cannot be written, the next parses again."""
    if _new:
        known = _kept()
        if len(known) + len(_new) > MOST:
            known.clear()
        known.update(_new)
        _new.clear()
        with suppress(OSError, UserError):
            write_text(_file_of_kept(), json.dumps(known))


def _drop_docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        node.body = node.body[1:] or [ast.Pass()]


def _is_module(name: str) -> bool:
    return _file(name) is not None


def _source(name: str) -> Path:
    path = _file(name)
    if path is None:
        raise ValueError(f"{name} is no module of {', '.join(OWN)}")
    return path


@cache
def _file(name: str) -> Path | None:
    """Return the file of a module, without importing it or its parents: some are slow to import."""
    package, *rest = name.split(".")
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        base = Path(folder).joinpath(*rest)
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path.is_file():
                return path
    return None
