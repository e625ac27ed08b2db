"""The command line in this process, and the files of a small scene."""

import sys

import numpy as np
import pytest

from hsi.scenes.scene import write_scene


# Runs the command line in this process: starting torch anew for each command takes seconds.
def hsi(*arguments: object) -> int:
    from hsi.__main__ import run

    before = sys.argv
    sys.argv = ["hsi", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as ended:
            run()
    finally:
        sys.argv = before
    return ended.value.code


@pytest.fixture
def files(tmp_path, scene, labels):
    """An ENVI scene with its labels and a split."""
    write_scene(tmp_path / "stripes.hdr", scene)
    np.save(tmp_path / "gt.npy", labels.ground_truth)
    args = ("--how", "random:0.1", "--window", 9, "--out", tmp_path / "split.npz")
    assert hsi("split", tmp_path / "gt.npy", *args) == 0
    return tmp_path
