"""The house stands as drawn: folders import downward only, stay small, and help stays light."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engine", "restore", "hsi")
MOST_MODULES = 14  # in a folder, `__init__.py` aside

# What the modules of a room may import, beside their own room, `engine` and their package's
# `errors`. A room is a folder right below a package, sub-folders included, or a module that stands
# there by itself.
ALLOWED: dict[str, set[str]] = {
    "engine": set(),
    "engine.training": set(),
    "restore.images": set(),
    "restore.degradations": set(),
    "restore.networks": {"engine.training"},
    "restore.denoising": {"restore.networks"},
    "restore.image_sets": {"restore.degradations", "restore.images"},
    "restore.training": {
        "engine.training",
        "restore.degradations",
        "restore.image_sets",
        "restore.networks",
    },
    "restore.folders": {"restore.denoising", "restore.images", "restore.networks"},
    "restore.evaluation": {
        "restore.degradations",
        "restore.denoising",
        "restore.folders",
        "restore.image_sets",
        "restore.images",
        "restore.networks",
        "restore.training",
    },
    "hsi.formats": set(),
    "hsi.scenes": {"hsi.formats"},
    "hsi.splits": {"hsi.formats", "hsi.scenes"},
    "hsi.features": {"hsi.scenes"},
    "hsi.blockwise": {"hsi.formats", "hsi.scenes"},
    "hsi.degradations": {"hsi.formats", "hsi.scenes"},
    # The only room of hsi that uses restore, and of it the public list alone.
    "hsi.denoising": {
        "hsi.blockwise",
        "hsi.degradations",
        "hsi.figures",
        "hsi.formats",
        "hsi.scenes",
        "restore.__init__",
    },
    "hsi.networks": set(),
    "hsi.calibration": set(),
    "hsi.figures": {"hsi.scenes", "hsi.splits"},
    "hsi.classifiers": {
        "engine.training",
        "hsi.calibration",
        "hsi.features",
        "hsi.networks",
        "hsi.scenes",
        "hsi.splits",
    },
    "hsi.maps": {
        "engine.training",
        "hsi.blockwise",
        "hsi.calibration",
        "hsi.classifiers",
        "hsi.features",
        "hsi.figures",
        "hsi.formats",
        "hsi.networks",
        "hsi.scenes",
    },
    "hsi.views": {
        "hsi.formats",
        "hsi.maps",
        "hsi.scenes",
    },
    "hsi.evaluation": {
        "engine.training",
        "hsi.calibration",
        "hsi.classifiers",
        "hsi.figures",
        "hsi.formats",
        "hsi.maps",
        "hsi.scenes",
        "hsi.splits",
    },
    "hsi.retrieval": {
        "hsi.evaluation",
        "hsi.features",
        "hsi.figures",
        "hsi.scenes",
        "hsi.splits",
    },
}
# The command lines and the public lists stand above all rooms of their package.
ABOVE = {f"{package}.{name}" for package in PACKAGES for name in ("cli", "__main__", "__init__")}


def modules() -> dict[str, Path]:
    """Every module of the packages by its dotted name; a folder's `__init__` by that name too."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found[".".join(path.relative_to(ROOT).with_suffix("").parts)] = path
    return found


@dataclass(frozen=True)
class Text:
    """What a module's text says: the own names that it imports, and whether it does nothing else.

    Names are as written, in functions and under TYPE_CHECKING too.
    """

    names: tuple[str, ...]
    passage: bool


@cache
def parsed(text: str) -> Text:
    tree = ast.parse(text)
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    own = tuple(name for name in names if name.split(".")[0] in PACKAGES)
    return Text(own, passes_through(tree))


def imports(text: Text, known: Collection[str]) -> Iterator[str]:
    """Name the modules that a module imports."""
    for name in text.names:
        while name not in known:  # an attribute of a module, or a folder
            folder = f"{name}.__init__"
            name = folder if folder in known else name.rpartition(".")[0]
        yield name


def room(module: str) -> str:
    """Name the room of a module."""
    package, *rest = module.split(".")
    if package == "engine":
        return "engine.training" if rest[0] == "training" else "engine"
    return f"{package}.{rest[0]}"


def faults(sources: dict[str, str]) -> list[str]:
    """Find what breaks the rules in modules given by their names and texts."""
    texts = {name: parsed(text) for name, text in sources.items()}
    graph = {name: set(imports(text, sources)) - {name} for name, text in texts.items()}
    found = []
    for name, wanted in graph.items():
        home = room(name)
        for other in sorted(wanted):
            there = room(other)
            package = home.split(".")[0]
            fine = (
                there in (home, "engine", f"{package}.errors")
                or there in ALLOWED.get(home, set())
                or (home in ABOVE and there.split(".")[0] in (package, "engine"))
            )
            if not fine:
                found.append(f"{name} imports {other}")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append(f"circle of modules: {' → '.join(error.args[1])}")
    rooms = defaultdict(set)
    for name, wanted in graph.items():
        rooms[room(name)] |= {room(other) for other in wanted} - {room(name)}
    try:
        TopologicalSorter(rooms).prepare()
    except CycleError as error:
        found.append(f"circle of rooms: {' → '.join(error.args[1])}")
    folders = defaultdict(list)
    for name in sources:
        folder, _, module = name.rpartition(".")
        if module != "__init__":
            folders[folder].append(module)
    found += [
        f"{folder}: {len(held)} modules"
        for folder, held in folders.items()
        if len(held) > MOST_MODULES
    ]
    found += [
        f"{name} only passes on what others define"
        for name, text in texts.items()
        if not name.endswith("__init__") and text.passage
    ]
    return found


def passes_through(tree: ast.Module) -> bool:
    """Whether a module holds imports and a docstring alone, `__all__` aside."""
    rest = [
        node
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
    ]
    return not rest


def sources() -> dict[str, str]:
    """Return the text of every module."""
    return {name: path.read_text(encoding="utf-8") for name, path in modules().items()}


def test_the_house_stands_as_drawn() -> None:
    assert faults(sources()) == []


@pytest.mark.parametrize(
    ("module", "line", "expected"),
    [
        (
            "restore.images.files",
            "from restore.folders.folder import denoise_folder",
            "restore.images.files imports restore.folders.folder",
        ),
        ("engine.tables", "import restore.errors", "engine.tables imports restore.errors"),
        (
            "restore.denoising.pixels",
            "def f():\n    from hsi.scenes import scene",
            "restore.denoising.pixels imports hsi.scenes.scene",
        ),
        (
            "restore.images.heads",
            "from restore.images.files import read",
            "circle of modules",
        ),
        ("hsi.features.pca", "from hsi import maps", "hsi.features.pca imports hsi.maps.__init__"),
    ],
)
def test_a_wrong_import_is_found(module: str, line: str, expected: str) -> None:
    changed = sources()
    changed[module] += f"\n{line}\n"
    assert any(fault.startswith(expected) for fault in faults(changed)), faults(changed)


def test_a_crowded_folder_and_a_mere_passage_are_found() -> None:
    changed = sources()
    changed |= {f"restore.images.more_{number}": "X = 1\n" for number in range(MOST_MODULES)}
    changed["hsi.scenes.passage"] = '"""Nothing of its own."""\n\nfrom hsi.errors import HsiError\n'
    found = faults(changed)
    assert any(fault.startswith("restore.images: ") for fault in found)
    assert "hsi.scenes.passage only passes on what others define" in found


@pytest.mark.parametrize("package", ["restore", "hsi"])
def test_help_imports_nothing_heavy(package: str) -> None:
    heavy = ("torch", "spectral", "skimage", "sklearn", "scipy", "matplotlib", "pandas", "h5py")
    script = (
        f"import sys, {package}.__main__; "
        f"sys.exit(' '.join(name for name in {heavy} if name in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
