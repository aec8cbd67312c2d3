"""Runs carried on under a bar: what it says, and where what they found is shown."""

import math
import time
from types import SimpleNamespace

import pytest

from app import progress
from app.progress import Pace
from tests.app.test_runs import a_run


def test_the_rest_is_told_by_the_clock(monkeypatch):
    run, _, _ = a_run()
    run.advance()
    clock = SimpleNamespace(monotonic=iter([100.0, 106.0, 106.0]).__next__, perf_counter=time.perf_counter)
    monkeypatch.setattr(progress, "time", clock)
    pace = Pace([run])
    assert pace.seconds_left == math.inf  # what was counted before nobody watched says nothing
    assert str(pace) == "waiting for the network …"
    before = run.done
    run.advance()
    left = 6.0 / (run.done - before) * (1000 - run.done)
    assert pace.seconds_left == left
    assert str(pace) == f"{run.done} of 1,000 samples, about {left:.0f} s left"


class Bar:
    """Streamlit's bar and places, which note what was drawn."""

    def __init__(self):
        self.seen = []

    def empty(self):
        self.seen.append("emptied")
        return self

    def container(self):
        self.seen.append("a place")
        return self

    def progress(self, share, text):
        self.seen.append((share, text))


@pytest.fixture
def bar(monkeypatch):
    found = Bar()
    monkeypatch.setattr(progress, "st", found)
    return found


def test_what_earlier_runs_found_goes_before_new_ones_begin_and_stays_where_nothing_is_to_be_done(bar):
    run, _, _ = a_run()
    progress.after([run])
    shares = [seen[0] for seen in bar.seen if isinstance(seen, tuple)]
    # A container is made at the end only: at once it would be sent in the stead of the empty place.
    assert bar.seen[:2] == ["emptied", "emptied"] and bar.seen[-2:] == ["emptied", "a place"]
    assert shares == sorted(shares) and shares[-1] == 1 and run.finished
    bar.seen.clear()
    progress.after([run])
    assert bar.seen == ["a place", "emptied", "emptied", "a place"]  # the bar's, of which nothing was seen


def test_several_runs_advance_in_turn(bar):
    runs = [a_run()[0] for _ in range(2)]
    drawn = []
    progress.carry_on(runs, "both: {}".format, lambda: drawn.append([run.done for run in runs]), redraw_seconds=0)
    assert all(run.finished for run in runs)
    assert all(first == second for first, second in drawn) and len(drawn) > 2
    assert all(text.startswith("both: ") for seen in bar.seen if isinstance(seen, tuple) for text in seen[1:])
