from fractions import Fraction

import pytest

from dssn_core.wording import at_most, counted, display_bound, display_radius, rounded_down, rounded_up, shown


def test_the_shown_radius_never_rounds_up():
    for steps in range(4097):
        shown, exact = Fraction(display_radius(steps)), Fraction(steps, 255)
        assert 0 <= exact - shown < Fraction(1, 10_000)


def test_a_shown_bound_never_rounds_down():
    for steps in range(4097):
        shown, exact = Fraction(display_bound(steps)), Fraction(steps, 255)
        assert 0 <= shown - exact < Fraction(1, 10_000)


@pytest.mark.parametrize(
    ("steps", "shown"), [(0, "0.0000"), (1, "0.0039"), (127, "0.4980"), (255, "1.0000"), (256, "1.0039")]
)
def test_the_shown_radius_by_hand(steps, shown):
    assert display_radius(steps) == shown


@pytest.mark.parametrize("value", [0.0, 0.99999, 0.49996, 141 / 255, 1.0, 5.68799999999999])
@pytest.mark.parametrize("digits", [2, 4])
def test_numbers_are_never_shown_larger_than_they_are(value, digits):
    shown = Fraction(rounded_down(value, digits))
    assert shown <= Fraction(value) < shown + Fraction(1, 10**digits)


@pytest.mark.parametrize("value", [0.0, 0.00001, 0.50004, 71.468, 1.0, -3.99999])
@pytest.mark.parametrize("digits", [2, 4])
def test_bounds_are_never_shown_smaller_than_they_are(value, digits):
    shown = Fraction(rounded_up(value, digits))
    assert shown - Fraction(1, 10**digits) < Fraction(value) <= shown


def test_a_measured_maximum_is_covered_by_what_is_told_of_it():
    values = [0.0, 0.001249, 3.71e-6, 0.0999, 0.01, 12.31, 99.9, 0.064]
    assert [at_most(value) for value in values] == ["0", "0.0013", "3.8e-06", "0.1", "0.01", "13", "1e+02", "0.064"]


def test_one_of_a_thing_has_no_s():
    assert [counted(n, "step") for n in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]


def test_only_hashes_are_cut_to_their_beginning():
    assert shown("a" * 64) == "a" * 16 + "…"
    assert shown("x" * 64) == "x" * 64
