"""Figures of the comparison: what they show is what they were given."""

from app import compare_charts as charts
from dssn_core import certificate_from_votes
from dssn_core.comparison import exact_outcome
from tests.test_comparison import randomized

NAMES = ("cat", "dog", "owl")


def outcome(votes):
    return exact_outcome(certificate_from_votes(votes, sum(votes)), sum(votes), "toy", "00", 1.0)


def test_an_exact_radius_stays_where_it_is_after_its_last_sample():
    histories = {"dssn": [(50, 0, 80), (100, 51, 51)], "uniform": [(100, 0.0, 0.0), (1100, 38.2, 38.2)]}
    figure = charts.radius_against_samples(histories, {"dssn": 100, "uniform": 1100}, 0.4)
    at_least = next(trace for trace in figure.data if trace.name == "DSSN, at least")
    assert (at_least.x[-1], at_least.y[-1]) == (1100, 0.2)
    assert at_least.text[-1] == "1,100 samples: 0.2000"
    at_most = next(trace for trace in figure.data if trace.name == "DSSN, at most")
    assert (at_most.x, at_most.y) == ((50, 100), (80 / 255, 0.2))


def test_radii_are_told_as_bounds():
    """The lower one never larger than it is, the upper one never smaller, and both as they are where that is short."""
    known = {"dssn": [(50, 100, 141), (100, 153, 153)], "ssn": [(100, 38.2, 38.2)]}
    figure = charts.radius_against_samples(known, {"dssn": 100, "ssn": 100}, 1.0)
    told = {trace.name: [text.split(": ")[1] for text in trace.text] for trace in figure.data}
    assert told["DSSN, at least"] == ["0.3921", "0.6000"]  # 100/255 = 0.39215...
    assert told["DSSN, at most"] == ["0.5530", "0.6000"]  # 141/255 = 0.55294...
    assert told["independent splits (SSN)"] == ["0.1498"]


def test_an_unfinished_vote_is_not_drawn_on():
    figure = charts.radius_against_samples({"dssn": [(50, 0, 80)]}, {"dssn": 100}, 0.4)
    assert all(max(trace.x) == 50 for trace in figure.data)


def test_abstentions_stand_at_zero_as_crosses():
    found = [randomized(n=1000), randomized(n=5)]
    figure = charts.repeats({"uniform": found})
    assert figure.data[0].x == (found[0].radius, 0.0)
    assert figure.data[0].text[1] == "ρ: none"
    assert figure.data[0].marker.symbol == ("square", "x")


def test_the_best_sigma_is_ringed():
    outcomes = [outcome((100, 10, 0)), outcome((300, 10, 0)), outcome((200, 300, 0))]
    figure = charts.sweep_radii({"dssn": outcomes, "ssn": []}, NAMES)
    assert len(figure.data) == 2
    assert figure.data[1].y == (max(o.radius for o in outcomes),)


def test_where_the_true_class_is_known_wrong_answers_are_hollow_and_not_ringed():
    outcomes = [outcome((100, 90, 0)), outcome((0, 300, 0)), outcome((200, 100, 0))]
    figure = charts.sweep_radii({"dssn": outcomes}, NAMES, truth=0)
    assert figure.data[0].marker.symbol == ("circle", "circle-open", "circle")
    assert figure.data[1].y == (outcomes[2].radius,)
    assert len(charts.sweep_radii({"dssn": outcomes}, NAMES, truth=2).data) == 1  # no ring: all of them are wrong


def test_an_abstention_is_not_the_best():
    figure = charts.sweep_radii({"uniform": [randomized(n=5), randomized(n=5)]}, NAMES)
    assert len(figure.data) == 1  # no ring


def test_classes_without_votes_are_left_out_of_the_stack():
    figure = charts.sweep_votes([outcome((100, 10, 0))], NAMES)
    assert [trace.name for trace in figure.data] == ["cat", "dog"]
