"""One record, as a line of a file."""

from dataclasses import replace

import pytest

from dssn_core.records import Record, by_levels
from tests.evaluated import SAMPLING, a_record


@pytest.mark.parametrize(
    "change",
    [
        {"levels": "x"},
        {"index": [1]},
        {"votes": "abc"},
        {"label": None},
        {"radius_steps": 1.5},
        {"radius_steps": 3.0},  # equal to 3, but shown as if it were not whole
        {"levels": 1},
        {"radius_steps": 4},  # what does not follow from the votes
        {"predicted": 2},
        {"votes": (0, 441, 0)},
        {"votes": (0, 1, 0)},
        {"label": 3},  # beyond the classes
    ],
)
def test_a_record_of_the_wrong_kind_is_refused(change):
    whole = a_record(3).to_json()
    assert Record.from_json(whole).radius_steps == 3
    with pytest.raises(ValueError, match="not a record"):
        Record.from_json({**whole, **change})


def test_what_is_wrong_with_a_record_is_said():
    with pytest.raises(ValueError, match="answer or radius is not that of the votes"):
        Record.from_json({**a_record(3).to_json(), "radius_steps": 4})


A_CIRCLE = replace(a_record(0), votes=(147, 147, 147), predicted=0, counting="duels", wins=(0, 294, 147))
"""Of three classes each beats the next."""


@pytest.mark.parametrize(
    "change",
    [
        {"wins": (0, 0)},
        {"wins": (441, 0, 0)},
        {"wins": (441, 0, 223.5)},
        {"radius_steps": 4},
        {"predicted": 0},
        {"counting": "by hand"},
        {"counting": "plurality"},  # which has no duels
    ],
)
def test_a_record_of_duels_is_checked_too(change):
    whole = replace(a_record(3), counting="duels", wins=(441, 0, 224)).to_json()
    assert Record.from_json(whole).certificate.radius_steps == 3
    with pytest.raises(ValueError):
        Record.from_json({**whole, **change})


def test_where_no_class_wins_all_duels_a_record_says_so():
    assert Record.from_json(A_CIRCLE.to_json()).radius_steps == 0
    with pytest.raises(ValueError):
        Record.from_json({**A_CIRCLE.to_json(), "radius_steps": 1})


def test_randomized_methods_count_no_duels():
    drawn = replace(a_record(0), radius_steps=None, sampling=SAMPLING, votes=(0, SAMPLING.n, 0), counting="duels")
    with pytest.raises(ValueError, match="not a record"):
        Record.from_json(drawn.to_json())


def test_records_of_either_counting_are_about_something_else():
    plain, duels = a_record(3), replace(a_record(3), counting="duels", wins=(441, 0, 224))
    assert plain.key != duels.key and plain.voter == duels.voter and plain.way != duels.way


def test_votes_of_a_randomized_method_add_up_to_its_samples():
    drawn = replace(a_record(0), radius_steps=None, sampling=SAMPLING, votes=(0, SAMPLING.n, 0)).to_json()
    assert Record.from_json(drawn).votes == (0, SAMPLING.n, 0)
    with pytest.raises(ValueError, match="not a record"):
        Record.from_json({**drawn, "votes": (0, SAMPLING.n - 1, 0)})


def test_a_randomized_record_states_no_radius_of_dssn():
    drawn = replace(a_record(0), radius_steps=None, sampling=SAMPLING, votes=(0, SAMPLING.n, 0)).to_json()
    assert Record.from_json(drawn).radius_steps is None
    with pytest.raises(ValueError, match="states no radius_steps"):
        Record.from_json({**drawn, "radius_steps": 200})


def test_noises_are_in_ascending_order():
    assert list(by_levels([replace(a_record(0), levels=n) for n in (441, 88, 220)])) == [88, 220, 441]
