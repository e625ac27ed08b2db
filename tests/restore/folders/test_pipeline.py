"""The stages overlap, keep to their room, and end cleanly."""

import threading
import time

import pytest

from restore.folders.pipeline import Finished, Stages, overlapped


def stages(log, **changes):
    def load(item):
        return Finished(f"skipped {item}") if item % 5 == 4 else item

    def restore(batch):
        log.append(list(batch))
        return list(batch)

    found = {
        "size": lambda _: 1,
        "load": load,
        "alike": lambda item: (item // 10, 3),
        "restore": restore,
        "store": lambda item: f"done {item}",
    }
    return Stages(**(found | changes))


def test_each_item_comes_out_once():
    log = []
    found = list(overlapped(range(25), stages(log), 100))
    expected = {f"{'skipped' if n % 5 == 4 else 'done'} {n}" for n in range(25)}
    assert set(found) == expected
    assert len(found) == 25


def test_only_alike_items_share_a_batch():
    log = []
    list(overlapped(range(25), stages(log), 100))
    assert max(map(len, log)) == 3
    assert all(len({item // 10 for item in batch}) == 1 for batch in log)


@pytest.mark.parametrize(("room", "most"), [(1, 1), (4, 4)])
def test_no_more_is_held_than_there_is_room_for(room, most):
    held, peak, lock = set(), [0], threading.Lock()

    def load(item):
        with lock:
            held.add(item)
            peak[0] = max(peak[0], len(held))
        return item

    def store(item):
        time.sleep(0.002)
        with lock:
            held.discard(item)
        return item

    found = stages([], load=load, store=store)
    assert sorted(overlapped(range(20), found, room)) == list(range(20))
    assert peak[0] <= most


def test_a_larger_item_than_the_room_goes_alone():
    found = stages([], size=lambda item: 50 if item == 3 else 1)
    assert len(list(overlapped(range(8), found, 10))) == 8


def test_stopped_early_what_is_being_written_is_finished():
    stored, begun = [], threading.Event()

    def store(item):
        begun.set()
        time.sleep(0.05)
        stored.append(item)
        return item

    def restore(batch):
        if batch[0] >= 6:
            begun.wait()
            raise KeyboardInterrupt
        return list(batch)

    with pytest.raises(KeyboardInterrupt):
        list(overlapped(range(60), stages([], restore=restore, store=store), 100))
    count = len(stored)
    assert 0 < count < 10
    time.sleep(0.1)
    assert len(stored) == count
