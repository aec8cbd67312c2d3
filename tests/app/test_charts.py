"""Figures from data."""

import numpy as np

from app import charts
from dssn_core import radius_bounds
from dssn_core.duels import DuelCertificate
from dssn_core.findings import Finding

NAMES = ("cat", "<b>dog</b>", "frog")


def test_the_bars_are_sorted_and_mark_the_gap():
    assert "other classes" not in charts.vote_bars([10, 80, 9], NAMES, 99)
    assert "<div>other classes</div>" in charts.vote_bars([10, 80, 9], NAMES, 99, most=2)
    html = charts.vote_bars([10, 80, 9], NAMES, 99)
    assert html.index("dog") < html.index("cat") < html.index("frog")
    assert "gap 70" in html


def test_bars_side_by_side_share_their_colours():
    names = [f"class {c}" for c in range(20)]
    first, second = [0] * 20, [0] * 20
    first[3], first[4], second[3], second[4] = 9, 5, 5, 9
    colours = charts.colour_places([a + b for a, b in zip(first, second, strict=True)])

    def of(votes, name, **shared):
        return charts.vote_bars(votes, names, 14, **shared).split(f"<div>{name}</div>")[1].split("background: ")[1][:7]

    assert of(first, "class 3") != of(second, "class 3")
    assert of(first, "class 3", colours=colours) == of(second, "class 3", colours=colours)


def test_the_closest_duel_comes_first():
    certificate = DuelCertificate(41, (16, 13, 12), 0, (0, 28, 25))
    html = charts.duel_bars(certificate, ("cat", "dog", "frog"))
    assert html.index("frog") < html.index("dog")
    assert "25 : 16" in html and "28 : 13" in html and "cat" not in html
    tied = DuelCertificate(41, (29, 0, 12), 0, (0, 29, 29))
    assert tied.rivals == (2, 1) and tied.rival == 2
    few = charts.duel_bars(certificate, ("cat", "dog", "frog"), most=1)
    assert "dog" not in few and "1 other<" in few and "none closer than 28 : 13" in few
    assert "<b>" not in charts.duel_bars(certificate, ("<b>", "<b>", "<b>"))


def test_rivals_that_no_sample_prefers_are_counted_only():
    certificate = DuelCertificate(41, (30, 11, 0, 0), 0, (0, 30, 41, 41))
    html = charts.duel_bars(certificate, ("cat", "dog", "frog", "ship"))
    assert "dog" in html and "frog" not in html and "2 others" in html and "none closer than 41 : 0" in html
    assert charts.contenders(DuelCertificate(41, (41, 0, 0), 0, (0, 41, 41)), 10) == (1,)  # the one that sets R


def test_a_vote_by_duels_has_no_bracket_over_first_choices():
    assert "gap" not in charts.vote_bars([10, 80, 9], NAMES, 99, bracket=False).split("</style>")[1]


def test_names_are_escaped():
    assert "<b>" not in charts.vote_bars([1, 2, 3], NAMES, 6)


MANY = tuple(f"class {c}" for c in range(1000))


def test_of_many_classes_those_with_votes_are_shown_each_in_its_colour():
    votes = np.zeros(1000, dtype=int)
    votes[[700, 3, 44]] = 50, 20, 5
    drawn = charts.vote_bars(votes.tolist(), MANY, 75).split("</style>")[1]
    assert drawn.count("class ") == 3
    assert [drawn.index(f">class {c}<") for c in (700, 3, 44)] == sorted(
        drawn.index(f">class {c}<") for c in (3, 44, 700)
    )
    assert charts.colour_places(votes.tolist())[700] == 0 and charts.colour_places(votes.tolist())[999] == 9
    heat = charts.vote_strip(np.array([700] * 50 + [3] * 20 + [44] * 5), MANY).data[0]
    assert set(np.asarray(heat.z, dtype=float).ravel().tolist()) == {0.0, 1.0, 2.0}
    assert heat.text.ravel()[60] == "sample j = 60: class 3"


def test_one_class_alone_still_has_a_second_to_stand_beside_it():
    votes = [0] * 1000
    votes[7] = 9
    drawn = charts.vote_bars(votes, MANY, 9).split("</style>")[1]
    assert drawn.count("class ") == 2 and "gap 9" in drawn


def test_a_tie_has_no_gap():
    assert "gap " not in charts.vote_bars([3, 3, 0], NAMES, 6).split("</style>")[1]


def test_the_interval_says_both_ends_until_it_is_closed():
    assert "between 0.0000 and 0.1844<" in charts.radius_interval(radius_bounds([1, 2, 3], 100), 50)  # 47/255 = 0.18431
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
    findings = [Finding("name", True, "<script>"), Finding("<i>", False, "x"), Finding("b", False, "y", rounding=True)]
    drawn = charts.checklist(findings).split("</style>")[1]
    assert "<script>" not in drawn and "<i>" not in drawn
    assert drawn.count('aria-label="agrees"') == drawn.count('aria-label="differs"') == 1
