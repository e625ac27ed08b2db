"""The weights that come with the package, and those that a name or a path means."""

import functools
from importlib.resources import files
from pathlib import Path

from restore.errors import RestoreError
from restore.networks import weights_file


def shipped_models() -> dict[str, Path]:
    """Return the weights that come with the package.

    Returns
    -------
    dict of str to Path
        The file of each model, by its name.

    Examples
    --------
    >>> import restore
    >>> "dncnn-s-25" in restore.shipped_models()
    True
    """
    folder = Path(str(files("restore"))) / "weights"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def is_shipped(sha256: str) -> bool:
    """Return whether weights with this `Denoiser.sha256` come with the package."""
    return sha256 in _shipped_identities()


@functools.cache
def _shipped_identities() -> frozenset[str]:
    return frozenset(identity_of(path) for path in shipped_models().values())


def identity_of(path: Path) -> str:
    """Return the `Denoiser.sha256` of a weights file without building its network.

    Raises
    ------
    RestoreError
        The file holds no DnCNN.
    """
    stored, description, _ = weights_file.stored(path)
    return weights_file.identity(stored, description)


def find(name_or_file: str) -> Path:
    """Return the weights file that a name or a path means.

    Raises
    ------
    RestoreError
        Neither a shipped name nor a file.
    """
    known = shipped_models()
    if name_or_file in known:
        return known[name_or_file]
    path = Path(name_or_file)
    if path.is_file():
        return path
    names = ", ".join(known) or "none yet, train one with `restore train`"
    raise RestoreError(
        f"model '{name_or_file}': expected a .safetensors file or a shipped name ({names})"
    )
