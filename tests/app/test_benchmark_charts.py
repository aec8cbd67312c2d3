"""Figures of certified accuracy."""

from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from app import benchmark_charts as charts
from dssn_core import certificate_from_votes
from dssn_core.accuracy import Share
from dssn_core.paper import published
from dssn_core.records import Record
from tests.evaluated import SAMPLING

KEYS = [("cifar10-dssn", 441), ("cifar10-dssn-pair", 883)]


def a_record(votes, index):
    """Of an image of class 0."""
    levels = sum(votes)
    found = certificate_from_votes(votes, levels)
    return Record(index, 441, "w", "float32", "i", 0, found.label, found.radius_steps, votes, 0.1)


def test_every_image_falls_into_one_group():
    votes = [(220, 221), (0, 441), (221, 220), (221, 220), (441, 0), (300, 141)]
    records = [a_record(each, index) for index, each in enumerate(votes)]
    groups = charts.radius_bins(records, 441 / 2)
    assert sorted(index for _, members in groups for index in members) == list(range(6))
    assert [(name, members.tolist()) for name, members in groups[:2]] == [("wrong", [0, 1]), ("radius 0", [2, 3])]
    assert groups[-1][1].tolist() == [4]


def test_an_abstention_is_no_wrong_answer():
    votes = [(200, 0), (101, 99), (99, 101), (0, 200)]
    records = [replace(a_record(each, n), radius_steps=None, sampling=SAMPLING) for n, each in enumerate(votes)]
    groups = charts.radius_bins(records, 441 / 2)
    shown = {name: members.tolist() for name, members in groups if len(members)}
    assert list(shown) == ["wrong", "abstains", next(name for name in shown if name not in charts.APART)]
    assert list(shown.values()) == [[3], [1, 2], [0]]


def test_the_papers_curve_is_its_best_at_every_radius():
    figure = charts.certified_accuracy([], published("cifar10"), 4.5)
    curve = next(trace for trace in figure.data if trace.name.startswith("paper: DSSN"))
    at = dict(zip(curve.x, curve.y, strict=True))
    assert (at[0.5], at[2.0], at[4.0]) == (72.25, 51.33, 36.46)


def test_every_point_of_our_curves_reports_its_network_and_noise_to_a_click():
    shares = [Share(8, 10), Share(4, 10)]
    one = charts.Curve("a", "dssn", [0, 1], shares, KEYS)
    best = charts.Curve("b", "dssn", [0, 1], shares, KEYS, best=True)
    figure = charts.certified_accuracy([one, best], published("cifar10"), 1.0)
    assert {trace.name: trace.y for trace in figure.data if trace.name}["a"] == (80.0, 40.0)
    clicked = {trace.name: trace.customdata for trace in figure.data if trace.customdata is not None}
    assert {name: [tuple(key) for key in keys] for name, keys in clicked.items()} == {"a": KEYS, "b": KEYS}


def test_a_low_bar_can_be_hit_in_the_column_above_it():
    groups = charts.radius_bins([a_record((300, 141), n) for n in range(99)] + [a_record((221, 220), 99)], 441 / 2)
    bars, columns = charts.radius_histogram(groups).data
    assert columns.x == bars.x and set(columns.y) == {max(bars.y)} == {99}
    assert bars.hoverinfo == "skip" and columns.hovertemplate[1].startswith("radius 0: 1 image<")


def test_every_second_interval_is_named_by_its_end():
    axis = charts.radius_histogram(charts.radius_bins([a_record((300, 141), 0)], 441 / 2)).layout.xaxis
    assert axis.tickvals[:3] == (charts.WRONG, charts.ZERO, "0.043 – 0.086")
    assert axis.ticktext[:3] == (charts.WRONG, charts.ZERO, "≤ 0.086")
    assert axis.ticktext[-1] == "≤ 0.865"


def test_the_band_is_the_interval():
    shares = [Share(8, 10), Share(4, 10)]
    figure = charts.certified_accuracy([charts.Curve("b", "dssn", [0, 1], shares, KEYS, best=True)], [], 1.0)
    assert figure.data[0].y[0] == 100 * shares[0].interval[1]
    assert figure.data[0].y[-1] == 100 * shares[0].interval[0]


def test_a_point_tells_its_share_and_what_is_noted_of_it():
    shares = [Share(8, 10), Share(4, 10)]
    best = charts.Curve("b", "dssn", [0, 1], shares, KEYS, best=True, notes=["near", "far"])
    (_, line) = charts.certified_accuracy([best], [], 1.0).data
    assert line.text == (f"{shares[0]}, near", f"{shares[1]}, far")


def test_a_thin_curve_comes_down_to_zero_and_ends_with_its_name():
    shares = [Share(count, 10) for count in (8, 4, 0, 0)]
    thin = charts.Curve("a", "dssn", [0, 1, 2, 3], shares, 2 * KEYS, label="σ 0.50")
    figure = charts.certified_accuracy([thin], [], 3.0)
    assert (figure.data[0].x, figure.data[0].y) == ((0, 1, 2), (80.0, 40.0, 0.0))
    (name,) = figure.layout.annotations
    assert (name.text, name.x, name.y) == ("σ 0.50", 1, 0.0)


def test_of_many_thin_curves_none_is_named():
    shares = [Share(count, 10) for count in (8, 4, 0, 0)]
    thin = [charts.Curve(f"{n}", "dssn", [0, 1, 2, 3], shares, 2 * KEYS, label=f"{n}") for n in range(9)]
    assert len(charts.certified_accuracy(thin[:8], [], 3.0).layout.annotations) == 8
    assert not charts.certified_accuracy(thin, [], 3.0).layout.annotations


def test_names_stand_on_the_axis_where_there_is_room():
    assert charts.name_heights([(1.0, 50.0), (2.0, 46.0), (3.0, 50.0)], 0.5, [9, 9, 9]) == [0.0, 0.0, 0.0]


@given(
    st.lists(st.tuples(st.floats(0, 6), st.floats(0, 100), st.integers(4, 30)), max_size=12),
    st.floats(0.1, 2),
)
def test_no_name_lies_over_another_or_below_the_axis(curves, width):
    heights = charts.name_heights([(x, y) for x, y, _ in curves], width, [length for _, _, length in curves])
    assert all(height >= 0 for height in heights)
    names = [(x, height, length) for (x, _, length), height in zip(curves, heights, strict=True)]
    for (x, y, length), (beside, other, as_long) in combinations(names, 2):
        assert abs(x - beside) >= width or y + length <= other or other + as_long <= y


def test_of_names_in_one_place_that_of_the_higher_curve_is_higher():
    assert charts.name_heights([(1.0, 50.0), (1.0, 46.0), (1.2, 49.0)], 0.5, [9, 12, 24]) == [36, 0, 12]
