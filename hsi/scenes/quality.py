"""The quality layers beside a scene: told, and taken for its mask where somebody asks."""

from dataclasses import replace

import numpy as np

from hsi.errors import HsiError
from hsi.formats.lazy import row_blocks
from hsi.formats.quality import products
from hsi.formats.quality.layers import Flag, QualityMask
from hsi.formats.registry import locate
from hsi.scenes.embedded import EMBEDDED
from hsi.scenes.scene import Scene


def masked(scene: Scene, words: str | None) -> Scene:
    """Return a scene whose pixels that its quality layers mark hold no data.

    Parameters
    ----------
    scene : Scene
        As `open_scene` opened it.
    words : str or None
        What to take out: some of `hsi.formats.quality.products.WORDS` with commas, such as
        'cloud,shadow', or 'usual' for no-data, defective, cloud, cirrus and shadow. None leaves
        the scene as it is.

    Returns
    -------
    Scene
        With a mask, which maps and copies keep; its values are the same.

    Raises
    ------
    HsiError
        There is no quality layer, it is of another size, or it does not tell what is asked.
    """
    if words is None:
        return scene
    flags = products.chosen(flags_beside(scene), words, scene.name)
    files = dict.fromkeys(flag.layer.path.name for flag in flags)
    told = ", ".join(dict.fromkeys(flag.word for flag in flags))
    return replace(
        scene,
        mask=QualityMask(flags, scene.shape, scene.mask),
        provenance={**scene.provenance, "masked": f"{told} of {', '.join(files)}"},
    )


def flags_beside(scene: Scene) -> list[Flag]:
    """Return the flags of the quality layers beside the file that a scene was read from."""
    source = str(scene.provenance.get("source", ""))
    if not source or source == EMBEDDED:
        return []
    try:
        path, _ = locate(source)
    except HsiError:  # the file is gone
        return []
    return products.beside(path)


def counted(scene: Scene) -> dict[str, int]:
    """Return how many pixels each word of the quality layers marks; empty without layers."""
    flags = flags_beside(scene)
    found: dict[str, int] = {}
    for word in products.WORDS:
        marks = [flag for flag in flags if flag.word == word]
        if marks:
            mask = QualityMask(marks, scene.shape)
            blocks = row_blocks((*scene.shape, 8 * len(marks)), 1)
            found[word] = sum(int(np.count_nonzero(~mask[rows])) for rows in blocks)
    return found
