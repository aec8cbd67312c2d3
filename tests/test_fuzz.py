"""A few hundred bad inputs for every reader; `python -m tests.fuzz` runs many more."""

import pytest

from tests.fuzz import TARGETS, fuzz


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of damaged metadata, which are not used
@pytest.mark.parametrize("name", list(TARGETS))
def test_every_bad_input_ends_in_a_clear_message(name):
    outcomes, failures = fuzz(name, 20 if name == "address" else 300, seed=1)
    assert not failures, failures[0][1]
    assert outcomes["read"] and (outcomes["refused"] or name == "address")
