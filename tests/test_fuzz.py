"""A few hundred bad inputs for every reader; `python -m tests.fuzz` runs many more."""

import pytest

from tests.fuzz import LINKS, TARGETS, fuzz, read_address


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.decode().partition("?")[0])
def test_what_the_addresses_begin_with_is_known_to_the_pages(link, tmp_path):
    page = read_address(link, tmp_path)
    assert not any("The link asks for" in caption.value for caption in page.caption)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of damaged metadata, which are not used
@pytest.mark.parametrize("name", list(TARGETS))
def test_every_bad_input_ends_in_a_clear_message(name):
    outcomes, failures = fuzz(name, 20 if name == "address" else 300, seed=1)
    assert not failures, failures[0][1]
    assert outcomes["read"] and (outcomes["refused"] or name == "address")
