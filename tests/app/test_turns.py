"""Turns at the cores."""

import threading

import pytest

from app import turns
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


def test_a_page_that_was_left_gives_up_its_turn(monkeypatch):
    def left():
        raise KeyboardInterrupt

    monkeypatch.setattr(turns, "stop_if_left", left)
    busy, free = threading.Event(), threading.Event()
    NETWORK_THREAD.submit(lambda: (busy.set(), free.wait(60)))
    assert busy.wait(60)
    try:
        with pytest.raises(KeyboardInterrupt):
            turns.interruptible(lambda: None)
    finally:
        free.set()
