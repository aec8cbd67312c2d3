"""Figures from data."""

import numpy as np

from app import charts
from dssn_core import radius_bounds

NAMES = ("cat", "<b>dog</b>", "frog")


def test_the_bars_are_sorted_and_mark_the_gap():
    html = charts.vote_bars([10, 80, 9], NAMES, 99)
    assert html.index("dog") < html.index("cat") < html.index("frog")
    assert "gap 70" in html


def test_names_are_escaped():
    assert "<b>" not in charts.vote_bars([1, 2, 3], NAMES, 6)


def test_a_tie_has_no_gap():
    assert "gap " not in charts.vote_bars([3, 3, 0], NAMES, 6).split("</style>")[1]


def test_the_interval_says_both_ends_until_it_is_closed():
    assert "between 0.0000 and" in charts.radius_interval(radius_bounds([1, 2, 3], 100), 50)
    assert "certified ρ = 0.1568" in charts.radius_interval(radius_bounds([90, 10, 0], 100), 50)


def test_the_strip_holds_every_vote_in_index_order():
    labels = np.arange(441) % 3
    labels[5] = -1
    heat = charts.vote_strip(labels, NAMES).data[0]
    cells = np.asarray(heat.z, dtype=float).ravel()
    assert np.isnan(cells[5]) and np.isnan(cells[441:]).all()
    keep = np.delete(np.arange(441), 5)
    assert (cells[keep] == labels[keep]).all()
    assert heat.text.ravel()[440] == f"sample j = 440: {NAMES[440 % 3]}"


def test_what_a_file_says_is_escaped():
    drawn = charts.checklist([(True, "name", "<script>"), (False, "<i>", "x")]).split("</style>")[1]
    assert "<script>" not in drawn and "<i>" not in drawn
    assert drawn.count('aria-label="agrees"') == drawn.count('aria-label="differs"') == 1
