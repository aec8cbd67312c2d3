"""Turns at the few cores that all sessions share.

All passes of networks, but for the one that `load_model` tries, run on one thread, in order of asking, so that many
sessions get fair turns, and a session that goes away leaves nothing running. Work without a network, which takes
milliseconds, has a thread of its own.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import streamlit as st

T = TypeVar("T")

NETWORK_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="network")
PICTURES_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")

WAITING_SECONDS = 0.2


def in_turn(
    work: Callable[[], T], waiting: Callable[[], object] = lambda: None, worker: ThreadPoolExecutor = NETWORK_THREAD
) -> T:
    """Do some work on a thread for it, in its turn.

    waiting: called every fifth of a second until it is done; an exception it raises gives up the turn, so that a page
    whose work waits behind others' still answers.
    """
    turn = worker.submit(work)
    try:
        while not wait([turn], timeout=WAITING_SECONDS).done:
            waiting()
    except BaseException:
        turn.cancel()  # unless it has begun
        raise
    return turn.result()


def stop_if_left() -> None:
    """Where Streamlit may stop the run of a page that has moved on, or is gone: to ask for the session is enough."""
    st.session_state.get("open-page")


def interruptible(work: Callable[[], T]) -> T:
    """Work with a network, `in_turn`, that is given up with the page that waits for it."""
    return in_turn(work, stop_if_left)


def picture_work(work: Callable[[], T]) -> T:
    """Work without a network, one piece of many that nobody may wait for any more; no vote holds it up."""
    stop_if_left()
    return in_turn(work, stop_if_left, PICTURES_THREAD)
