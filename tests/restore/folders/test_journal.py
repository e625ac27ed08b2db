"""The journal survives what kills a run, and says what is done only if it is."""

import json
from pathlib import Path

import pytest

from restore.errors import RestoreError
from restore.folders.journal import JOURNAL, Journal, join
from restore.folders.listing import Job
from restore.folders.shards import Shard


@pytest.fixture
def job(tmp_path):
    (tmp_path / "a.png").write_bytes(b"output")
    return Job(Path("in"), tmp_path, "a.png", "a.png")


def done(name="a.png", digest="1"):
    return {"file": name, "output": name, "status": "done", "input_sha256": digest}


def test_what_is_done_is_known_to_the_next_run(tmp_path, job):
    with Journal(tmp_path, "options", Shard()) as journal:
        assert journal.made(job) == ""
        journal.add(done())
        assert journal.made(job) == "1"
    with Journal(tmp_path, "options", Shard()) as journal:
        assert journal.made(job) == "1"
        job.target.unlink()
        assert journal.made(job) == ""
    with Journal(tmp_path, "others", Shard()) as journal:
        job.target.write_bytes(b"")
        assert journal.made(job) == ""


def test_a_torn_line_spoils_nothing(tmp_path, job):
    with Journal(tmp_path, "", Shard()) as journal:
        journal.add(done())
    path = tmp_path / JOURNAL
    path.write_text(path.read_text() + '{"file": "b.png", "outp')
    with Journal(tmp_path, "", Shard()) as journal:
        journal.add(done("c.png"))
        assert journal.made(job) == "1"
    assert [json.loads(line)["file"] for line in path.read_text().splitlines()] == [
        "a.png",
        "c.png",
    ]


def test_there_is_a_line_a_file(tmp_path):
    for digest in "12":
        with Journal(tmp_path, "", Shard()) as journal:
            journal.add(done(digest=digest))
    (line,) = (tmp_path / JOURNAL).read_text().splitlines()
    assert json.loads(line)["input_sha256"] == "2"


def test_a_failure_does_not_hide_what_is_done(tmp_path, job):
    with Journal(tmp_path, "", Shard()) as journal:
        journal.add(done())
        journal.add({"file": "a.png", "output": "a.png", "status": "failed", "reason": "x"})
    with Journal(tmp_path, "", Shard()) as journal:
        assert journal.made(job) == "1"


def test_the_newest_line_of_all_journals_counts(tmp_path, job):
    for shard, digest in ((Shard(2, 2), "old"), (Shard(1, 2), "new")):
        with Journal(tmp_path, "", shard) as journal:
            journal.add(done(digest=digest))
    with Journal(tmp_path, "", Shard()) as journal:
        assert journal.made(job) == "new"


@pytest.mark.parametrize("name", ["a\u2028b.png", "bytes \udcff.png", 'quo"te\n.png'])
def test_strange_names(tmp_path, name):
    with Journal(tmp_path, "", Shard()) as journal:
        journal.add(done(name))
    with Journal(tmp_path, "", Shard()) as journal:
        assert journal._done == {name: "1"}


def test_left_parts_are_removed_and_the_folder_goes(tmp_path):
    (tmp_path / ".denoise").mkdir()
    (tmp_path / ".denoise" / ".part-x.png").write_bytes(b"half")
    with Journal(tmp_path, "", Shard()) as journal:
        assert [path.name for path in journal.parts.iterdir()] == ["lock"]
    assert not (tmp_path / ".denoise").exists()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def shard_with(folder, name, shard, **record):
    with Journal(folder, "", shard) as journal:
        journal.add(done(name) | record)


def test_joined_there_is_one_journal_with_a_line_an_image(tmp_path):
    shard_with(tmp_path, "a.png", Shard(1, 2), status="failed", reason="x")
    shard_with(tmp_path, "b.png", Shard(2, 2))
    shard_with(tmp_path, "a.png", Shard(3, 4))
    join(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]
    found = {line["file"]: line["status"] for line in lines(tmp_path / JOURNAL)}
    assert found == {"a.png": "done", "b.png": "done"}
    before = (tmp_path / JOURNAL).read_bytes()
    join(tmp_path)
    assert (tmp_path / JOURNAL).read_bytes() == before


def test_a_shard_knows_what_is_joined(tmp_path, job):
    shard = Shard.of("a.png", 2)
    shard_with(tmp_path, "a.png", shard)
    join(tmp_path)
    for later in (shard, Shard.of("a.png", 8)):
        with Journal(tmp_path, "", later) as journal:
            assert journal.made(job) == "1"
            assert journal.knows(job)


def test_a_shard_at_work_keeps_its_journal(tmp_path):
    shard_with(tmp_path, "a.png", Shard(1, 2))
    with Journal(tmp_path, "", Shard(2, 2)) as journal:
        journal.add(done("b.png"))
        join(tmp_path)
        assert [line["file"] for line in lines(tmp_path / JOURNAL)] == ["a.png"]
        journal.add(done("c.png"))
    join(tmp_path)
    assert {line["file"] for line in lines(tmp_path / JOURNAL)} == {"a.png", "b.png", "c.png"}


def test_nothing_to_join_is_one_line(tmp_path):
    with pytest.raises(RestoreError, match="expected a journal of `restore denoise`, found none"):
        join(tmp_path)
    with (
        Journal(tmp_path, "", Shard()),
        pytest.raises(RestoreError, match="another run is writing"),
    ):
        join(tmp_path)


@pytest.mark.parametrize(
    "finished", ["{}", "[]", "null", '"x"', "1e400", "-Infinity", "NaN", "9" * 400]
)
def test_odd_times_count_as_long_ago(tmp_path, job, finished):
    path = tmp_path / JOURNAL
    line = json.dumps(done(digest="old"))[:-1] + f', "finished": {finished}}}\n'
    path.write_text(
        line + json.dumps(done(digest="new") | {"finished": 5.0, "options": "o"}) + "\n" + line
    )
    join(tmp_path)
    with Journal(tmp_path, "o", Shard()) as journal:
        assert journal.made(job) == "new"


def test_lines_too_deep_to_read_are_left_out(tmp_path, job):
    (tmp_path / JOURNAL).write_text(
        "[" * 100_000 + "\n" + json.dumps(done() | {"options": "o"}) + "\n"
    )
    with Journal(tmp_path, "o", Shard()) as journal:
        assert journal.made(job) == "1"
