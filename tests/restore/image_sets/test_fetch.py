"""The real download code against a server on the loopback address."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import requests
from PIL import Image

from engine import artifacts
from restore.errors import RestoreError
from restore.image_sets import catalogue, fetch, find
from restore.image_sets.fetch import Checksum
from restore.images import files


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, counts, and cuts an answer in the middle where it is told to."""

    cut: ClassVar[set[str]] = set()
    asked: ClassVar[list[str]] = []

    def do_GET(self):
        name = self.path.strip("/")
        self.asked.append(name)
        if name in self.cut:
            self.cut.discard(name)
            data = (self.folder / name).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            return
        super().do_GET()

    @property
    def folder(self):
        return Path(self.directory)

    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Three files as the set Set5: one known by its bytes, two BMPs known by their pixels."""
    origin = tmp_path / "origin"
    origin.mkdir()
    rng = np.random.default_rng(0)
    entries = []
    for name in ("a.png", "b.bmp", "c.bmp"):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(origin / name)
        if name == "a.png":
            total = artifacts.sha256_file(origin / name)
        else:
            total = artifacts.sha256_arrays(files.read(origin / name).pixels)
        size = (origin / name).stat().st_size if name == "a.png" else 1800
        entries.append(Checksum(name, size, "file" if name == "a.png" else "pixels", total))
    monkeypatch.setattr(fetch, "checksums", lambda _: tuple(entries))
    monkeypatch.setattr(fetch, "downloads", lambda: tmp_path / "cache")
    monkeypatch.setattr(fetch.time, "sleep", lambda _: None)
    monkeypatch.delenv(catalogue.VARIABLE, raising=False)
    monkeypatch.setattr(Handler, "cut", set())
    monkeypatch.setattr(Handler, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(origin)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield origin, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_set_is_fetched_once_and_whole(served, tmp_path, monkeypatch):
    origin, url = served
    folder = fetch.download("Set5", origin=url)
    assert folder == tmp_path / "cache/Set5"
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.bmp", "c.bmp"]
    for path in folder.iterdir():
        assert path.read_bytes() == (origin / path.name).read_bytes()
    assert len(find.image_set("Set5", fetch=False)) == 3
    assert [path.name for path in folder.parent.iterdir()] == ["Set5"]


def test_of_many_that_want_a_set_one_fetches_it(served, tmp_path):
    """Jobs of a workflow start together, and each needs the set."""
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: fetch.download("Set5", origin=served[1]), range(4)))
    assert set(folders) == {tmp_path / "cache/Set5"}
    assert sorted(Handler.asked) == ["a.png", "b.bmp", "c.bmp"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["Set5"]


@pytest.mark.parametrize("name", ["a.png", "b.bmp"])
def test_a_download_cut_in_the_middle_is_tried_again(name, served):
    Handler.cut.add(name)
    folder = fetch.download("Set5", origin=served[1])
    assert (folder / name).read_bytes() == (served[0] / name).read_bytes()
    assert Handler.asked.count(name) == 2


def test_a_wrong_checksum_is_refused_and_the_rest_is_resumed(served, tmp_path):
    origin, url = served
    right = (origin / "b.bmp").read_bytes()
    (origin / "b.bmp").write_bytes(right[:-5] + b"XXXXX")
    with pytest.raises(RestoreError, match=r"b\.bmp: expected sha256 .* of the pixels"):
        fetch.download("Set5", origin=url)
    part = tmp_path / "cache/.part-Set5"
    assert [path.name for path in part.iterdir()] == ["a.png"]
    with pytest.raises(RestoreError, match="not here"):
        find.image_set("Set5", fetch=False)
    (origin / "b.bmp").write_bytes(right)
    (part / ".part-killed.bmp").write_bytes(b"left by a killed run")
    (part / "c.bmp").write_bytes(b"half")
    Handler.asked.clear()
    folder = fetch.download("Set5", origin=url)
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.bmp", "c.bmp"]
    assert Handler.asked == ["b.bmp", "c.bmp"]


def test_a_missing_file_and_no_server_are_one_line(served, tmp_path):
    (served[0] / "c.bmp").unlink()
    with pytest.raises(RestoreError, match=r"c\.bmp: 404"):
        fetch.download("Set5", origin=served[1])
    with pytest.raises(RestoreError, match=r"127\.0\.0\.1:9") as error:
        fetch.download("Set5", origin="http://127.0.0.1:9", root=tmp_path / "other")
    assert "\n" not in str(error.value)


def test_a_full_disk_leaves_no_half_file(served, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch.artifacts, "sha256_file", full)
    with pytest.raises(RestoreError, match=r"Set5: .*No space left on device.*; run again, or"):
        fetch.download("Set5", origin=served[1])
    assert list((tmp_path / "cache/.part-Set5").iterdir()) == []


def test_a_set_without_sums_must_be_copied():
    with pytest.raises(RestoreError, match="Set14 has no checked download: get it by hand"):
        fetch.download("Set14")


def test_resolve_fetches_what_is_missing(served, monkeypatch):
    known = catalogue.PUBLISHED["Set5"]
    monkeypatch.setitem(
        catalogue.PUBLISHED, "Set5", catalogue.Published(known.folder, 3, served[1], known.terms)
    )
    assert [item.name for item in find.image_set("Set5")] == ["a", "b", "c"]


@pytest.mark.reference
def test_the_sums_are_those_of_the_real_files(shared_data):
    for name in ("Set12", "Set5", "Classic5"):
        for entry in fetch.checksums(name):
            path = shared_data / "images" / name / entry.file
            path = path if entry.of == "file" else path.with_suffix(".png")
            assert fetch._right(path, entry)


@pytest.mark.parametrize("name", ["a.png", "b.bmp"])
def test_a_file_larger_than_it_should_be_is_not_read_whole(name, served, tmp_path):
    (served[0] / name).write_bytes(bytes(2**22))
    with pytest.raises(RestoreError, match=rf"{name}: expected at most \d+ bytes, found more"):
        fetch.download("Set5", origin=served[1])


@pytest.mark.parametrize("there", ["http://example.org/a.png", "/a.png", "https://example.org/a"])
def test_redirects_stay_encrypted(there):
    answer = requests.Response()
    answer.raw = io.BytesIO()
    answer.status_code, answer.url = 302, "https://example.org/b.png"
    answer.headers["location"] = there
    if there.startswith("http:"):
        with pytest.raises(RestoreError, match="found a redirect to http://example"):
            fetch._refuse_plain_redirects(answer)
    else:
        fetch._refuse_plain_redirects(answer)
