"""Turns at the cores."""

import threading

from app.turns import NETWORK_THREAD, PICTURES_THREAD, in_turn


def test_work_without_a_network_waits_for_no_vote():
    busy, free = threading.Event(), threading.Event()
    NETWORK_THREAD.submit(lambda: (busy.set(), free.wait(60)))
    assert busy.wait(60)
    try:
        assert in_turn(lambda: "drawn", worker=PICTURES_THREAD) == "drawn"
        assert not free.is_set()
    finally:
        free.set()
