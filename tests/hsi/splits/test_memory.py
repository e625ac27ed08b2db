"""Splits are those of the first versions, and take few bytes per pixel."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import distance_transform_cdt

import hsi
from engine.artifacts import sha256_arrays
from hsi.scenes.labels import make_labels
from hsi.splits.leakage import chebyshev_distance

# By how and seed: the first digits of the masks' and of the report's SHA-256, as int64 arrays of
# the whole scene made them.
FIRST = json.loads((Path(__file__).parent / "first_splits.json").read_text())

MEASURE = """
import resource, sys
import numpy as np
from hsi.scenes.labels import open_labels
from hsi.splits.split import make_split, load_split
from hsi.evaluation.score import score_map
from pathlib import Path

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

folder, how, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
import hsi.figures, scipy.ndimage, hsi.evaluation.score, matplotlib.figure
small = open_labels(folder / "small.npy")
split = make_split(small, how, window=5)
made_by = {"scene": "", "classifier": "", "seed": 0, "window": 5}
score_map(small.ground_truth, small, split, folder / "s", made_by=made_by)
before = peak()
labels = open_labels(folder / "large.npy")
if what == "split":
    made = make_split(labels, how, window=5)
    made.save(folder / "large.npz")
    hsi.figures.save_split(folder / "large.png", labels, made)
else:
    map_ = np.load(folder / "large.npy")
    score_map(map_, labels, load_split(folder / "large.npz"), folder / "l", made_by=made_by)
print((peak() - before) / labels.ground_truth.size)
"""


def labels_of(name):
    if name == "pines":
        return hsi.open_labels("IndianPines")
    rng = np.random.default_rng(1)
    truth = np.kron(rng.integers(1, 301, (9, 11)), np.ones((13, 7), int))
    truth[rng.random(truth.shape) < 0.3] = 0
    return make_labels("fields", truth)


@pytest.mark.parametrize("case", [case for case in FIRST if " " in case])
def test_splits_are_those_of_the_first_versions(case):
    name, how, seed = case.split()
    made = hsi.make_split(labels_of(name), how, seed=int(seed), window=25 if name == "pines" else 5)
    first = {key: value for key, value in made.report.items() if key != "block"}  # came later
    report = sha256_arrays(np.array(json.dumps(first)))
    assert [sha256_arrays(made.train, made.test)[:16], report[:16]] == FIRST[case]


@pytest.mark.parametrize("name", ["pines", "fields"])
def test_the_checksum_of_labels_does_not_depend_on_their_type(name):
    labels = labels_of(name)
    assert labels.ground_truth.dtype == np.int16
    assert labels.checksum() == FIRST[name] == sha256_arrays(labels.ground_truth.astype(np.int64))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (23, 57)])
@pytest.mark.parametrize("share", [0.002, 0.05, 1])
def test_distances_are_those_of_scipy(shape, share):
    targets = np.random.default_rng(2).random(shape) < share
    if not targets.any():
        targets[0, -1] = True
    expected = distance_transform_cdt(~targets, metric="chessboard")
    assert np.array_equal(chebyshev_distance(targets), expected)


def test_without_a_target_every_distance_is_the_largest():
    assert (chebyshev_distance(np.zeros((3, 4), bool)) == np.iinfo(np.uint16).max).all()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["random:0.9", "blocks:200"])
def test_split_and_score_take_at_most_twelve_bytes_per_pixel(tmp_path, how):
    rng = np.random.default_rng(3)
    fields = rng.integers(1, 9, (50, 50), np.uint8)
    np.save(tmp_path / "small.npy", np.kron(fields, np.ones((8, 8), np.uint8)))
    np.save(tmp_path / "large.npy", np.kron(fields, np.ones((80, 80), np.uint8)))
    for what in ("split", "score"):
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, str(tmp_path), how, what],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        # Beside these, strips and pictures of some dozen MiB, whatever the size.
        assert float(run.stdout) - 64 * 2**20 / 4000**2 < 12
