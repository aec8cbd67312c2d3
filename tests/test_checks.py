import numpy as np
import pytest

from dssn_core import SplitNoise
from dssn_core.checks import check_choice, check_seed, check_shape, check_whole


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(7)])
def test_a_seed_comes_back_as_a_whole_number(seed):
    assert check_seed(seed) == seed and type(check_seed(seed)) is int


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, None, "0"])
def test_other_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="seed must be"):
        check_seed(seed)
    with pytest.raises(ValueError, match="seed must be"):
        SplitNoise(441, (1, 1, 2), "white", seed=seed)


@pytest.mark.parametrize("value", [0, True, 1.0, "1", None, np.bool_(True), np.float64(1)])
def test_a_whole_number_is_one(value):
    assert check_whole("n", np.int64(7)) == 7 and type(check_whole("n", np.int64(7))) is int
    with pytest.raises(ValueError, match=r"^n must be an integer of 1 or more, got "):
        check_whole("n", value)
    with pytest.raises(ValueError, match=r"^n must be an integer from 1 to 2, got "):
        check_whole("n", value, 1, 2)


def test_of_another_choice_it_is_told_what_there_is():
    table = {"sgd": 1, "muon": 2}
    check_choice("optimizer", "muon", table)
    with pytest.raises(ValueError, match=r"^unknown optimizer 'lion'; known: sgd, muon$"):
        check_choice("optimizer", "lion", table)
    with pytest.raises(ValueError, match="unknown optimizer 'a'"):  # a name is not asked for by its letters
        check_choice("optimizer", "a", ("adam",))


def test_a_shape_is_three_positive_integers():
    assert check_shape([3, np.int64(4), 5]) == (3, 4, 5)
    for shape in ((3, 4), (3, 4, 0), (3, 4, 5.0), (3, 4, True), 3, "345", None):
        with pytest.raises(ValueError, match="block must be"):
            check_shape(shape, "block")
