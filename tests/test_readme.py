"""What the README shows in Python runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from hsi.scenes.scene import Scene, write_scene

README = Path(__file__).parents[1] / "README.md"


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    truth = np.ones((80, 80), np.uint8)
    truth[::2] = 2
    cube = rng.random((80, 80, 31)).astype(np.float32) + truth[..., None]
    write_scene(tmp_path / "scene.hdr", Scene("field", cube))
    savemat(tmp_path / "labels.mat", {"gt": truth})
    (tmp_path / "short.yaml").write_text("steps: 2\nbatch_size: 8\n")
    monkeypatch.chdir(tmp_path)
    noisy = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    names = {"noisy": noisy.copy()}
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(code.replace('"demo"', '"short.yaml"'), names)
    assert np.array_equal(names["noisy"], noisy)
    clean = names["clean"]
    assert (clean.shape, clean.dtype) == (noisy.shape, noisy.dtype)
    assert clean.std() < 0.7 * noisy.std()
    assert (tmp_path / "map.hdr").is_file()
    assert (tmp_path / "map.png").is_file()
