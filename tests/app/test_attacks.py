"""Attacks that several runs of one session change at once."""

from contextlib import suppress
from dataclasses import dataclass
from threading import Barrier, BrokenBarrierError, Thread

from app.attacks import Held


@dataclass(frozen=True)
class Clicks:
    """Stands in for an attack: how many clicks have changed it."""

    count: int = 0


def test_of_two_clicks_at_once_both_count():
    held, both_inside = Held(Clicks()), Barrier(2)

    def slowly(clicks: Clicks) -> Clicks:
        with suppress(BrokenBarrierError):  # as is to be: the other one waits outside
            both_inside.wait(timeout=0.5)
        return Clicks(clicks.count + 1)

    runs = [Thread(target=held.change, args=(slowly,)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert held.attack == Clicks(2)


def test_what_a_click_has_overtaken_is_dropped():
    before = Clicks()
    held = Held(before)
    held.follow(before, Clicks(1))
    assert held.attack == Clicks(1)
    held.follow(before, Clicks(5))
    assert held.attack == Clicks(1)
