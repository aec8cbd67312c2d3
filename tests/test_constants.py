import math

import pytest

from dssn_core import PIXEL_STEPS, levels_from_lambda, levels_from_sigma
from dssn_core.constants import check_levels, lambda_from_levels, sigma_from_levels


def test_an_8_bit_pixel_has_255_steps():
    assert PIXEL_STEPS == 255


@pytest.mark.parametrize(("sigma", "levels"), [(0.15, 132), (0.5, 441), (2.0, 1766), (3.5, 3091)])
def test_levels_of_the_papers_grid(sigma, levels):
    assert levels_from_sigma(sigma) == levels


def test_lambda_gives_back_the_levels_it_came_from():
    # Plain truncation fails here for many N: 2 * (N/510) * 255 can come out just below N.
    assert all(levels_from_lambda(n / 510) == n for n in range(2, 8193))


def test_sigma_gives_back_the_levels_it_came_from():
    assert all(levels_from_sigma(sigma_from_levels(n)) == n for n in range(2, 8193))


def test_levels_are_rounded_down():
    assert levels_from_lambda(441.999 / 510) == 441


def test_lambda_and_sigma_of_levels():
    assert lambda_from_levels(255) == 0.5
    assert sigma_from_levels(255) == 0.5 / math.sqrt(3)


@pytest.mark.parametrize("lam", [0.0, -1.0, 1.99 / 510, 8193 / 510, 1e9])
def test_lambda_out_of_range_is_refused(lam):
    with pytest.raises(ValueError, match="from 2 to 8192"):
        levels_from_lambda(lam)


@pytest.mark.parametrize("lam", [1e306, 1e307, 1.7e308])
def test_a_lambda_so_large_that_its_levels_overflow_is_refused(lam):
    with pytest.raises(ValueError, match="lambda"):
        levels_from_lambda(lam)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        levels_from_lambda(bad)
    with pytest.raises(ValueError, match="finite"):
        levels_from_sigma(bad)


@pytest.mark.parametrize("bad", [1, 8193, 0, -5, True, 441.0, "441", None])
def test_check_levels_refuses(bad):
    with pytest.raises(ValueError, match="levels must be an integer"):
        check_levels(bad)


@pytest.mark.parametrize("good", [2, 441, 8192])
def test_check_levels_accepts(good):
    assert check_levels(good) == good
