"""A folder in parts: by the name alone, and in a number that seldom changes."""

import os
from pathlib import Path

import pytest

from restore.errors import RestoreError
from restore.folders import listing, shards
from restore.folders.listing import Job
from restore.folders.shards import Shard
from tests.restore.folders.conftest import run


def test_shards_part_the_images():
    names = [f"trip/{n}.jpg" for n in range(1000)]
    shards = [[name for name in names if Shard(k, 7).holds(name)] for k in range(1, 8)]
    assert sorted(name for shard in shards for name in shard) == sorted(names)
    assert all(100 < len(shard) < 190 for shard in shards)
    assert Shard(3, 12).suffix == "-03-of-12"
    assert Shard().suffix == ""


@pytest.mark.parametrize("text", ["3", "0/3", "4/3", "a/b", "1/0", "1/3/5"])
def test_a_wrong_shard_is_one_line(text):
    with pytest.raises(RestoreError, match="expected K/N with K from 1 to N"):
        Shard.parse(text)


@pytest.mark.parametrize(
    ("images", "expected"),
    [(1, 1), (300, 1), (301, 2), (600, 2), (601, 4), (1200, 4), (1201, 8), (10**6, 4096)],
)
def test_the_number_of_shards_stays_until_the_folder_has_doubled(images, expected):
    assert shards.shard_count(images, 300) == expected


def test_a_doubled_number_cuts_every_shard_in_two():
    for name in (f"{n}.png" for n in range(200)):
        before, after = Shard.of(name, 4), Shard.of(name, 8)
        assert after.number in (before.number, before.number + 4)


def test_shards_without_images_are_left_out(tmp_path):
    jobs = [Job(tmp_path, tmp_path, n, n) for n in ("a.png", "b.png", "c.png")]
    found = shards.divide(jobs, 1)
    assert sorted(job.name for part in found.values() for job in part) == [job.name for job in jobs]
    assert all(found.values())
    assert set(found) <= {f"{number}-of-4" for number in range(1, 5)}


def test_the_state_follows_names_sizes_and_times(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(b"x")
    seen = set()

    def look():
        seen.add(shards.state(listing.folder(tmp_path, tmp_path.parent / "out")))
        return len(seen)

    assert [look(), look()] == [1, 1]
    os.utime(tmp_path / "a.png", ns=(1, 1))
    assert look() == 2
    (tmp_path / "c.png").symlink_to(tmp_path / "nowhere.png")
    assert look() == 3
    (tmp_path / "b.png").unlink()
    assert look() == 4


def test_a_listing_for_one_shard_still_sees_what_shares_an_output(tmp_path):
    for name in ("a.jpg", "a.png"):
        (tmp_path / name).write_bytes(b"x")
    (job,) = listing.folder(tmp_path, tmp_path.parent / "out", holds=lambda name: name == "a.png")
    assert "a.jpg would be written to a.png too" in job.problem


def test_shards_share_the_work_and_know_of_each_other(
    photos: Path, tmp_path: Path, weights: str
) -> None:
    out = tmp_path / "clean"
    for number in (1, 2, 3):
        run(photos, out, weights, recursive=True, shard=Shard(number, 3))
    assert {path.name for path in out.rglob("*.[pt]*")} == {
        "grey.png", "alpha ä.png", "deep.png", "sea.tif"
    }  # fmt: skip
    assert len(list(out.glob("denoise-*-of-3.jsonl"))) >= 1
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.[pt]*")}
    run(photos, out, weights, recursive=True)
    run(photos, out, weights, recursive=True, shard=Shard(2, 2))
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.[pt]*")}
