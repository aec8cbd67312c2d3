"""Outcomes of different methods in one format."""

import json
from fractions import Fraction

import pytest
import torch

from dssn_core import certificate_from_votes
from dssn_core.comparison import (
    LITERATURE_SAMPLES,
    METHODS,
    exact_outcome,
    randomized_outcome,
)
from dssn_core.monte_carlo import Plan, certify_randomized
from tests.toys import Constant

IMAGE = torch.zeros(1, 1, 2, dtype=torch.uint8)
NAMES = ("cat", "dog")


def randomized(method="uniform", **settings):
    certificate = certify_randomized(Constant(2, 1), IMAGE, Plan(method, 441, **{"n": 500, "seed": 3, **settings}))
    return randomized_outcome(certificate, "toy", "00", 2.0)


def exact(votes=(400, 41)):
    return exact_outcome(certificate_from_votes(votes, 441), 441, "toy", "00", 0.5)


def test_an_exact_outcome_cannot_fail():
    outcome = exact()
    assert outcome.row(NAMES)["failure_probability"] == 0 and outcome.abstention is None and outcome.box_radius is None
    assert (outcome.label, outcome.passes, outcome.radius) == (0, 441, 179 / 255)
    assert outcome.vote_share == 400 / 441
    assert outcome.literature_seconds == pytest.approx(0.5)


def test_a_randomized_outcome_says_what_it_cost_and_may_fail():
    outcome = randomized()
    assert (outcome.label, outcome.passes) == (1, 128 + 512)
    row = outcome.row(NAMES)
    assert [row[name] for name in ("n0", "n", "seed", "failure_probability")] == [100, 500, 3, 0.001]
    assert outcome.literature_seconds == pytest.approx(2.0 / 640 * LITERATURE_SAMPLES)
    assert outcome.box_radius >= outcome.radius


@pytest.mark.parametrize("label", [0, 1])
def test_the_methods_agree_on_a_constant_classifier(label):
    votes = [441 * (c == label) for c in range(2)]
    largest = exact(votes).radius
    assert largest * 255 == [441 // 2, 440 // 2][label]
    for method in ("uniform", "ssn"):
        radii = [randomized(method, n=n).radius for n in (100, 1000, 20_000)]
        assert radii == sorted(radii)
        assert radii[-1] < 441 / 510 < radii[-1] + 0.001


def test_rows_are_flat_and_alike():
    rows = [exact().row(NAMES), randomized().row(NAMES), randomized("ssn", n=5).row(NAMES)]
    assert len({tuple(row) for row in rows}) == 1
    assert [row["method"] for row in rows] == list(METHODS.values())
    assert rows[2]["radius"] is None and "too small" in rows[2]["abstention"]
    assert json.loads(json.dumps(rows)) == rows
    assert [row["class"] for row in rows] == ["cat", "dog", "dog"]
    assert [row["radius_steps"] for row in rows] == [exact().radius_steps, None, None]
    assert rows[0]["votes"] == "cat:400 dog:41"


def test_radii_are_rounded_down_on_screen():
    for steps in (0, 1, 141, 179, 220):
        shown = exact((441 - (441 - 2 * steps) // 2, (441 - 2 * steps) // 2)).shown_radius
        assert Fraction(shown) <= Fraction(steps, 255) < Fraction(shown) + Fraction(1, 10_000)
    found = randomized(n=1000)
    assert Fraction(found.shown_radius) <= Fraction(found.radius)
    assert randomized(n=5).shown_radius == randomized(n=5).shown_box_radius == "none"
