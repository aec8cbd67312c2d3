from fractions import Fraction

import pytest

from dssn_core.wording import counted, display_radius, rounded_down, shown


def test_the_shown_radius_never_rounds_up():
    for steps in range(4097):
        shown, exact = Fraction(display_radius(steps)), Fraction(steps, 255)
        assert 0 <= exact - shown < Fraction(1, 10_000)


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


def test_one_of_a_thing_has_no_s():
    assert [counted(n, "step") for n in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]


def test_only_hashes_are_cut_to_their_beginning():
    assert shown("a" * 64) == "a" * 16 + "…"
    assert shown("x" * 64) == "x" * 64
