"""Waiting for votes and estimates: carried on under a bar, while nothing of earlier ones stands in their place."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.runs import Run

Runs = Sequence[Run[Any]]

LONG = 180
"""Seconds from which on minutes are told."""


class Pace:
    """How long some runs will still take for whoever watches them: by the clock, waiting for turns counts too."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._began, self._start = time.monotonic(), self.done

    @property
    def done(self) -> int:
        """Samples of all runs."""
        return sum(run.done for run in self._runs)

    @property
    def total(self) -> int:
        return sum(run.total for run in self._runs)

    @property
    def seconds_left(self) -> float:
        """Infinite before the first chunk since the watching began."""
        fresh = self.done - self._start
        return (time.monotonic() - self._began) / fresh * (self.total - self.done) if fresh else math.inf

    def __str__(self) -> str:
        left = self.seconds_left
        if math.isinf(left):
            return "waiting for the network …"
        told = f"{left / 60:.0f} min" if left > LONG else f"{left:.{int(left < 10)}f} s"
        return f"{self.done:,} of {self.total:,} samples, about {told} left"


def place_for(runs: Runs) -> DeltaGenerator:
    """Where a page says what these runs found; emptied while one is under way, for what stood there is of others.

    To be filled by way of its `container()`, made only then: Streamlit sends a container that follows an empty place
    at once in its stead, and the browser would take it for the one that stood there.
    """
    return st.container() if all(run.finished for run in runs) else st.empty()


def carry_on(
    runs: Runs,
    say: Callable[[str], str] = str,
    redraw: Callable[[], object] = lambda: None,
    redraw_seconds: float = 0.5,
    bar: DeltaGenerator | None = None,
    pace: Pace | None = None,
) -> None:
    """Carry all runs on in turn to their ends, under a bar; `redraw` is called now and then.

    say: the words of the bar, given how far the runs are. bar, pace: its place, and how far more runs than these are,
    of one bar for several calls.
    """
    bar, drawn = st.empty() if bar is None else bar, time.monotonic()
    pace = Pace(runs) if pace is None else pace

    def tell() -> None:  # also where the page has moved on: Streamlit stops a script at its next call only
        bar.progress(pace.done / pace.total, say(str(pace)))

    while waiting := [run for run in runs if not run.finished]:
        for run in waiting:
            run.advance(waiting=tell)
            tell()
        if time.monotonic() - drawn > redraw_seconds:
            redraw()
            drawn = time.monotonic()
    bar.empty()


def after(runs: Runs) -> DeltaGenerator:
    """`place_for` the runs, which have been carried on to their ends."""
    place = place_for(runs)
    carry_on(runs)
    return place.container()
