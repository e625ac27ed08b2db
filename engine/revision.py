"""A fingerprint of the code behind a result, so that a change of the code remakes the result.

Snakemake compares the parameters of a rule, but not the modules behind its command; rules therefore
give the fingerprint of these modules as a parameter.
"""

import ast
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OWN = ("engine", "restore", "hsi")
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # where statements hold others


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
    """Return a module's code and imports. A workflow asks for hundreds: each is parsed once."""
    tree = ast.parse(_source(name).read_bytes())
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
    imports = tuple(sorted(m for m in found if m.split(".")[0] in OWN and _is_module(m)))
    return _Module(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports)


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
