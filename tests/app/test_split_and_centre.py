"""The splitting laboratory through its real widgets."""

from functools import partial

import pytest
import torch
from streamlit.testing.v1 import AppTest

from app import laboratory, turns
from dssn_core import load_model, read_image
from dssn_core.gallery import built_in_pictures
from tests.app.pages import open_view, sound

OF_BLOCKS = {"cifar10-network": "cifar10-dssn-blocks"}
SECTIONS = ("One pixel", "One picture", "Offsets", "Blocks")


healthy = partial(sound, title="Split & centre")


def open_page(**parameters: str) -> AppTest:
    return healthy(open_view("split_and_centre", **parameters))


LAMBDAS = {"Offsets": "offsets-lam", "Blocks": "blocks-lam"}
"""What the address calls the noise of sections that have their own."""


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("lam", ["0.02", "0.25", "0.5", "1.73", "6.06"])
def test_every_section_opens_at_every_noise(section, lam):
    key = LAMBDAS.get(section, "lam")
    page = open_page(**{"section": section, key: lam})
    assert page.get("bidi_component") and page.slider(key=key).value == float(lam)


def test_a_section_begins_where_it_has_something_to_show():
    assert [open_page(section=section).slider(key=key).value for section, key in LAMBDAS.items()] == [1.0, 3.5]


def test_the_page_begins_with_its_title():
    """Streamlit would show a string that stands by itself in a page, as those under constants do."""
    assert open_page().main.children[0].type == "title"


def test_the_formula_has_the_current_numbers_in_it():
    page = open_page(lam="0.5", k="100", j="30", v="12")
    assert r"(12 + 30) \bmod 255" in page.latex[0].value
    assert r"\min(510, 510)" not in page.latex[0].value
    healthy(page.slider(key="k").set_value(101).run())
    assert "2\\cdot101 = 202" in page.latex[0].value


def test_lambda_keeps_the_share_of_the_cycle():
    page = open_page(lam="0.5")
    healthy(page.slider(key="j").set_value(100).run())
    healthy(page.slider(key="lam").set_value(1.0).run())
    assert page.slider(key="j").value == 200
    healthy(page.slider(key="lam").set_value(0.5).run())
    assert page.slider(key="j").value == 100


def test_a_slider_that_begins_anew_remembers_no_share():
    page = open_page(lam="0.5")
    healthy(page.slider(key="j").set_value(100).run())
    page.switch_page("views/lesson.py").run()
    del page.query_params["j"]  # as in a browser, where the address of another page does not hold it
    healthy(page.switch_page("views/split_and_centre.py").run())
    assert page.slider(key="j").value == 0
    healthy(page.slider(key="lam").set_value(1.0).run())
    assert page.slider(key="j").value == 0


@pytest.mark.parametrize("j", ["127", "-1", "x", "1.5", "9" * 5000, "²"])
def test_an_index_that_is_none_of_the_samples_is_the_first(j):
    page = open_page(lam="0.25", j=j)
    assert page.slider(key="j").value == 0 and "j" not in page.query_params


def test_a_link_to_less_noise_keeps_the_share_of_the_cycle_too():
    page = open_page(lam="1.0")
    healthy(page.slider(key="j").set_value(400).run())
    page.switch_page("views/lesson.py").run()
    page.query_params["lam"] = "0.25"
    healthy(page.switch_page("views/split_and_centre.py").run())
    assert page.slider(key="lam").value == 0.25
    assert page.slider(key="j").value == 400 * 127 // 510


def test_answers_far_from_the_training_are_said_to_mean_little():
    page = open_page(section="One picture", lam="0.25", **OF_BLOCKS)
    assert "trained for σ from 1.8 to 4.5. At this λ, σ is 0.14" in page.warning[0].value
    page = open_page(section="One picture", lam="3.5", **OF_BLOCKS)
    assert not page.warning


def test_a_page_that_is_left_measures_no_further(monkeypatch):
    done = []

    def stop_after_two():
        if len(done) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(turns, "stop_if_left", stop_after_two)
    monkeypatch.setattr(turns, "in_turn", lambda work, *_: done.append(work) or 0.0)
    with pytest.raises(KeyboardInterrupt):
        laboratory.reconstruction_errors(torch.zeros(3, 8, 8, dtype=torch.uint8), 62, (1, 1, 1))
    assert len(done) == 2


def test_the_change_of_regime_is_where_the_splits_are_as_far_apart_as_the_scale_is_long():
    for parameters, where in (({}, 0.5), (OF_BLOCKS, 2.0)):
        for lam, said in (
            (where - 0.01, f"From λ = {where:g} on, at most one split"),
            (where, "At most **one** split"),
        ):
            page = open_page(section="One picture", lam=f"{lam:.2f}", **parameters)
            assert sum(said in text.value for text in page.markdown) == 1


def test_a_pixel_is_carried_to_the_number_line():
    page = open_page(section="One picture", lam="1.0")
    page.number_input(key="row").set_value(5)
    page.number_input(key="column").set_value(7)
    healthy(page.run())
    carry = next(button for button in page.button if "on the number line" in button.label)
    value = int(carry.label.split("k = ")[1].split(")")[0])
    healthy(carry.click().run())
    assert page.slider(key="k").value == value


def test_the_noise_of_another_section_leaves_the_offset_of_the_number_line():
    page = open_page(section="One pixel", lam="0.25", v="96")
    healthy(page.segmented_control(key="section").set_value("Offsets").run())
    healthy(page.button(key="lam-0.1").click().run())
    healthy(page.segmented_control(key="section").set_value("One pixel").run())
    assert page.slider(key="v").value == 96


def test_the_neighbours_are_shown_on_demand():
    page = open_page(section="One picture", lam="0.5")
    before = len(page.get("html"))
    healthy(page.toggle(key="neighbours").set_value(True).run())
    assert len(page.get("html")) == before + 1


def test_a_network_of_blocks_says_what_is_added_up():
    sample = built_in_pictures()[0]
    page = open_page(section="One picture", lam="1.0", picture=sample.key, **OF_BLOCKS)
    assert not [button for button in page.button if "on the number line" in button.label]
    (said,) = [caption.value for caption in page.caption if "They add up" in caption.value]
    image = read_image(sample.path)
    assert f"(one colour of 2 × 2 pixels). They add up to k = {int(image[0, :2, :2].sum()):,} of 1,020" in said
    assert "closer together than the scale from 0 to 1020" in " ".join(markdown.value for markdown in page.markdown)
    healthy(page.segmented_control(key="section").set_value("Offsets").run())


def test_the_pixel_that_is_carried_has_its_own_value_and_offset():
    page = open_page(section="One picture", lam="1.0", picture="cifar10-03")
    page.number_input(key="row").set_value(5)
    page.number_input(key="column").set_value(7)
    healthy(page.run())
    healthy(next(button for button in page.button if "on the number line" in button.label).click().run())
    noise = load_model("cifar10-dssn").manifest.noise_at(510)
    image = read_image(next(picture.path for picture in built_in_pictures() if picture.key == "cifar10-03"))
    assert page.slider(key="v").value == int(noise.offsets[0, 5, 7])
    assert page.slider(key="k").value == int(image[0, 5, 7])


def test_the_film_begins_with_the_chosen_sample():
    page = open_page(section="One picture", lam="0.5", j="7")
    assert any("j = 7: " in html.proto.body for html in page.get("html"))


def test_the_index_goes_around_the_cycle_and_sigma_is_said():
    page = open_page(lam="0.5", j="0")
    assert any("σ = λ/√3 = **0.2887**" in markdown.value for markdown in page.markdown)
    for change, index in (("+1", 1), ("-1", 0), ("-1", 254)):
        healthy(page.button(key=f"step{change}").click().run())
        assert page.slider(key="j").value == index
