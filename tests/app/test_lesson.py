"""The guided lesson: every step can be answered, revealed, skipped and linked to."""

import re
from functools import partial
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from app import charts, lesson_figures
from app.gallery import BUILT_IN, SOURCES
from app.lesson import SHOWN, STEPS
from dssn_core import certificate_from_votes, certify, levels_from_sigma, load_model, read_image
from dssn_core.datasets import CIFAR10_CLASSES
from dssn_core.gallery import built_in_pictures
from dssn_core.splitting import pixel_sample
from dssn_core.two_pixels import Point, World
from tests.app.pages import open_view, sound

healthy = partial(sound, title="A short lesson")


def open_page(**parameters: str) -> AppTest:
    return healthy(open_view("lesson", **parameters))


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_every_step_can_be_answered_right_and_wrong(number):
    step = STEPS[number - 1]
    page = open_page(step=str(number))
    assert page.subheader[0].value == step.title
    assert page.button(key="reveal").disabled
    for option in range(len(step.options)):
        healthy(page.radio(key=f"answer-{number}").set_value(option).run())
        healthy(page.button(key="reveal").click().run())
        assert bool(page.success) is (option == step.right)


def test_steps_can_be_skipped_and_gone_back_to():
    page = open_page()
    healthy(page.button(key="next").click().run())
    assert page.subheader[0].value == STEPS[1].title
    healthy(page.button(key="back").click().run())
    assert page.subheader[0].value == STEPS[0].title


def test_answers_are_kept():
    page = open_page()
    healthy(page.radio(key="answer-1").set_value(0).run())
    healthy(page.button(key="reveal").click().run())
    healthy(page.button(key="next").click().run())
    assert "1 answered, 1 predicted right" in page.get("progress")[0].proto.text
    healthy(page.button(key="back").click().run())
    assert page.radio(key="answer-1").value == 0
    assert page.success


@pytest.mark.parametrize("step", ["0", "-3", "99", "x", "²", "9" * 5000])
def test_nonsense_in_the_address_is_a_step_all_the_same(step):
    open_page(step=step)


def test_what_the_lesson_claims_about_votes_is_true():
    parameters = next(step.parameters for step in STEPS if step.title == "Ask many coarse versions")
    picture = next(picture for picture in built_in_pictures() if picture.key == parameters["picture"])
    model = load_model(parameters["cifar10-network"])
    found = certify(model, read_image(picture.path), levels_from_sigma(float(parameters["sigma"])))
    assert (found.levels, found.votes[1], found.votes[9], found.radius_steps) == (441, 362, 79, 141)


def lesson_picture():
    return read_image(next(picture for picture in built_in_pictures() if picture.key == "cifar10-09").path)


def test_the_votes_that_the_figures_show_are_those_of_the_network():
    for sigma, shown in ((0.5, lesson_figures.VOTES), (3.5, lesson_figures.VOTES_IN_MORE_NOISE)):
        votes = certify(load_model("cifar10-dssn"), lesson_picture(), levels_from_sigma(sigma)).votes
        assert votes == shown
    assert certificate_from_votes(lesson_figures.VOTES, 441).radius_steps == lesson_figures.RADIUS
    assert load_model("cifar10-dssn").class_names == CIFAR10_CLASSES


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_every_step_shows_something_and_most_tell_more_with_the_answer(step):
    asked, told = (step.figure(lesson_picture(), revealed) for revealed in (False, True))
    assert asked.film.template and asked.alt
    assert (asked.film == told.film) == (step.title == "What it does not say")


def test_the_figures_say_what_the_texts_say():
    figure = {step.title: step.figure(lesson_picture(), True) for step in STEPS}
    promise = figure["What a certificate promises"].alt
    assert "141 in all, covered" in promise and promise.count("not covered") == 2
    assert "3,072 in all" in promise and "200 in all" in promise
    assert "Where they differ (orange): j = 100" in figure["… and centre"].alt
    by_title = {step.title: step for step in STEPS}
    asked = by_title["The theorem in one picture"].figure(lesson_picture(), False).film
    assert charts.WRONG_COLOUR not in asked.template + "".join(asked.still)  # nothing of the answer
    assert "from 50 to 164" in by_title["… and centre"].why
    assert "λ = 6.06, N = 3,091" in STEPS[-1].text and "R = 375" in STEPS[-1].question
    plane = figure["The theorem in one picture"].alt
    blue, orange, radius = map(int, re.findall(r"(\d+) vote blue, (\d+) orange; R = (\d+)", plane)[0])
    assert certificate_from_votes((blue, orange), 200).radius_steps == radius
    assert World().found(World().votes(), Point()).other == Point(60 + radius + 1, 90)  # straight to the right
    split = figure["Split"].film
    assert split.names[split.start] == "j = 100" and split.still == split.frames[split.start]
    centres = [pixel_sample(pixel, 0, 100, 127).numerator / 4 for pixel in (100, 101)]
    assert [int(centre) for centre in centres] == [50, 164]
    changed = re.findall(r"(\d+) of 441 samples changed", figure["Count"].alt)
    assert int(changed[0]) == 141 > int(changed[1])
    assert "truck 1,846, automobile 1,094, ship 81, cat 46" in figure["What it does not say"].alt
    assert (
        "100\u00a0% of the values" in figure["More noise"].alt and "50\u00a0% of the values" in figure["More noise"].alt
    )


def test_a_picture_of_an_automobile_is_certified_as_a_truck():
    parameters = STEPS[-1].parameters
    picture = next(picture for picture in built_in_pictures() if picture.key == parameters["picture"])
    model = load_model(parameters["cifar10-network"])
    found = certify(model, read_image(picture.path), levels_from_sigma(float(parameters["sigma"])))
    assert (model.class_names[picture.label], model.class_names[found.label]) == ("automobile", "truck")
    assert (found.levels, found.radius_steps) == (3091, 375)
    assert f"{found.lam:.2f}" == "6.06"


def test_every_step_about_a_picture_leads_to_a_built_in_one_and_the_network_it_speaks_of():
    about = [step.parameters for step in STEPS if "picture" in step.parameters or step.parameters.get("section")]
    assert len(about) == 8
    for parameters in about:
        assert parameters.get("section") == "One pixel" or SHOWN.items() <= parameters.items()
    assert SHOWN["source"] == SOURCES[BUILT_IN]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_a_link_leaves_out_only_what_its_page_shows_by_itself(step):
    def shown(parameters):
        page = sound(open_view(step.page.removesuffix(".py"), **parameters))
        widgets = {widget.key: widget.value for widget in [*page.slider, *page.selectbox, *page.segmented_control]}
        return widgets, [text.value for text in page.markdown]

    assert shown(step.link({})) == shown(step.parameters)


def test_a_link_says_what_was_chosen_otherwise():
    assert STEPS[0].link({}) == {}
    assert STEPS[0].link({"sigma": "1", "data": "ImageNet"}) == {"sigma": "0.5", "data": "CIFAR-10"}
    assert STEPS[0].link({"counting": "duels"}) == {"counting": "first choices"}
    assert STEPS[-1].link({"sigma": "3.5"}) == {"sigma": "3.5"}  # for whom it is sent to chose nothing


def test_a_link_heeds_what_is_still_set_on_its_page():
    page = open_view("split_and_centre", lam="0.5", k="200")
    by_title = {step.title: step for step in STEPS}
    for title, found in (("Split", {"lam": "0.25", "k": "100", "j": "100"}), ("… and centre", {})):
        page.query_params.clear()
        page.query_params["step"] = str(STEPS.index(by_title[title]) + 1)
        page.switch_page("views/lesson.py").run()
        page.radio[0].set_value(0).run()
        healthy(page.button(key="reveal").click().run())
        (link,) = page.get("page_link")
        assert parse_qs(link.proto.query_string) == {name: [value] for name, value in found.items()}


def test_the_lesson_goes_on_where_it_was_left():
    page = open_page(step="4")
    page.switch_page("views/check.py").run()
    del page.query_params["step"]  # as a change of page does in the browser
    assert healthy(page.switch_page("views/lesson.py").run()).subheader[0].value == STEPS[3].title


def test_who_comes_from_the_lesson_gets_back_to_the_step():
    page = open_page(step="4")
    page.query_params.clear()
    page.switch_page("views/why_it_certifies.py").run()
    back = page.get("page_link")[0].proto
    assert back.label == "Back to the lesson, step 4" and parse_qs(back.query_string) == {"step": ["4"]}
    page.switch_page("views/check.py").run()
    assert not any("Back to the lesson" in link.proto.label for link in page.get("page_link"))


def test_going_back_in_the_browser_ends_at_the_first_step():
    page = open_page()
    healthy(page.button(key="next").click().run())
    del page.query_params["step"]  # as the address was at first
    assert healthy(page.run()).subheader[0].value == STEPS[0].title


def test_starting_again_forgets_everything():
    page = open_page(step="9")
    healthy(page.radio(key="answer-9").set_value(0).run())
    healthy(page.button(key="reveal").click().run())
    healthy(page.button(key="start-again").click().run())
    assert page.subheader[0].value == STEPS[0].title
    assert "0 answered" in page.get("progress")[0].proto.text
    healthy(open_page(step="9"))


def test_the_first_answer_counts():
    page = open_page(step="3")
    healthy(page.radio(key="answer-3").set_value(0).run())
    healthy(page.button(key="reveal").click().run())
    healthy(page.radio(key="answer-3").set_value(STEPS[2].right).run())
    healthy(page.button(key="reveal").click().run())
    assert page.success and "0 predicted right" in page.get("progress")[0].proto.text
