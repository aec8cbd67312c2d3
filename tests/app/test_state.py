"""What a link can say, and what it cannot take away."""

import pytest

from tests.app.pages import open_view, sound


@pytest.mark.parametrize(
    ("view", "empty"),
    [
        ("compare", ("compare", "seed", "source")),
        ("benchmark", ("bench-section",)),
        ("why_it_certifies", ("why", "poke-row", "poke-channel")),
        ("split_and_centre", ("section", "lam", "j")),
    ],
)
def test_what_an_address_leaves_empty_is_as_it_is_to_begin_with(view, empty):
    page = sound(open_view(view, **{"samples": "100", "sigma": "0.15", **dict.fromkeys(empty, "")}))
    assert not page.error


@pytest.mark.parametrize(
    ("view", "key", "value"),
    [
        ("compare", "seed", "inf"),
        ("compare", "methods", ""),
        ("why_it_certifies", "poke-row", "-inf"),
        ("split_and_centre", "column", "1e999"),
        ("benchmark", "bench-part", ""),
    ],
)
def test_what_no_widget_can_show_is_taken_out_of_the_address(view, key, value):
    data = "ImageNet" if key == "bench-part" else "CIFAR-10"
    link = {"samples": "100", "sigma": "0.15", "section": "One picture", "data": data, key: value}
    page = sound(open_view(view, **link))
    assert not page.error
    assert not any("at least one" in info.value for info in page.info)
    assert key not in page.query_params


@pytest.mark.parametrize(
    "name", ["shown-here", "page-is-new", "open-page", "came-from", "lesson-step", "attack", "kept-sigma", "", "$$ID-x"]
)
def test_a_link_takes_no_state_away_that_pages_rely_on(name):
    page = open_view("lesson", **{name: "1"})
    for view in ("why_it_certifies.py", "lesson.py"):
        assert not sound(page).error
        page.switch_page(f"views/{view}").run()
    assert not sound(page).error
