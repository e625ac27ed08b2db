"""Pieces side by side: results in order, torch's modes and threads as the caller's."""

import os
import threading
import time

import pytest
import torch

from engine.threads.each import each


def modes(_: int) -> tuple[bool, bool, bool, torch.dtype]:
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_autocast_dtype("cpu"),
    )


def test_results_come_in_order_from_threads_of_their_own():
    meet = threading.Barrier(3, timeout=60)  # which one thread alone would not leave

    def work(piece: int) -> tuple[int, int]:
        meet.wait()
        return piece * piece, torch.get_num_threads()

    assert each(work, [3, 1, 2], threads=6) == [(9, 2), (1, 2), (4, 2)]


def test_one_piece_or_one_thread_stays_where_it_is():
    here = threading.get_ident()
    assert each(lambda _: threading.get_ident(), [0, 1], threads=1) == [here, here]
    assert each(lambda _: threading.get_ident(), [0], threads=4) == [here]
    assert each(str, [], threads=4) == []


@pytest.mark.parametrize("casting", [True, False])
@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_modes_are_those_of_the_caller(context, casting):
    with context(), torch.autocast("cpu", torch.bfloat16, enabled=casting):
        expected = modes(0)
        assert each(modes, [0, 1], threads=2) == [expected, expected]


def test_threads_that_begin_later_have_what_torch_had_before():
    before, later = torch.get_num_threads(), []
    each(str, [0, 1, 2, 3, 4], threads=5)
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert [torch.get_num_threads(), *later] == [before, before]


def test_an_error_is_raised_and_the_threads_go_on():
    with pytest.raises(ZeroDivisionError):
        each(lambda piece: 1 // piece, [1, 0], threads=2)
    assert each(str, [1, 0], threads=2) == ["1", "0"]


def test_an_error_waits_for_the_threads_that_still_work():
    begun, ended = threading.Event(), []

    def work(piece: int) -> None:
        if piece:
            begun.set()
            time.sleep(0.2)
            ended.append(piece)
        else:
            assert begun.wait(60)
            raise MemoryError

    with pytest.raises(MemoryError):
        each(work, [0, 1], threads=2)
    assert ended == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_makes_threads_of_its_own():
    assert each(str, [0, 1], threads=2) == ["0", "1"]
    child = os.fork()
    if child == 0:  # the threads of the parent are not there, and would be waited for without end
        os._exit(int(each(str, [0, 1], threads=2) != ["0", "1"]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
