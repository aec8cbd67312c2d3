"""Poking, the two-pixel world and the arithmetic through their real widgets."""

import re
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app import resources
from app.attacks import Attack, acted
from app.runs import VoteRun
from dssn_core import certify, count_votes, levels_from_sigma, load_model, read_image
from dssn_core.attack import Step, undo
from dssn_core.checkpoints import PRETRAINED, StatedOffsets, find_model, read_manifest, save_manifest
from dssn_core.constants import DUELS, PLURALITY
from dssn_core.flips import Flip, Search
from dssn_core.gallery import built_in_pictures
from dssn_core.stored import Stored
from dssn_core.two_pixels import Point, World
from tests.app.pages import by_key, open_view, sound
from tests.evaluated import counting_duels

SECTIONS = ("Poke it", "Two-pixel world", "The arithmetic", "Duels", "Independent splits?")


healthy = partial(sound, title="Why it certifies")


def open_page(**parameters: str) -> AppTest:
    return healthy(open_view("why_it_certifies", **{"sigma": "0.1", **parameters}))


def press(page: AppTest, action: str) -> AppTest:
    return healthy(page.button(key=f"poke-{action}").click().run())


def spent(page: AppTest) -> int:
    meter = next(html.proto.body for html in page.get("html") if "steps spent" in html.proto.body)
    return int(meter.split('aria-label="')[1].split(" ")[0].replace(",", ""))


@pytest.mark.parametrize("network", ["cifar10-dssn", "cifar10-dssn-long"])
def test_only_noise_that_the_network_knows_is_offered(network):
    page = open_page(**{"cifar10-network": network})
    low, high = read_manifest(find_model(network)).sigma_range
    slider = page.slider(key="sigma")
    assert (slider.min, slider.max) == (low, high) and low <= slider.value <= high


def test_the_arithmetic_is_that_of_the_certificate_on_certify():
    page = open_view("certify", sigma="0.25")
    (steps,) = (metric.value for metric in page.metric if metric.label == "R, in grey levels")
    page.query_params.clear()
    page.query_params["why"] = "The arithmetic"
    healthy(page.switch_page("views/why_it_certifies.py").run())
    assert page.slider(key="sigma").value == 0.25
    assert any(f"= {steps}/255" in formula.value for formula in page.latex)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(section):
    open_page(why=section)


def test_what_became_of_the_vote_is_said():
    page = open_page()
    for action in ("guided", "up"):
        press(page, action)
        move = page.session_state["attack"].attack.poked.moves[-1]
        (said,) = [markdown.value for markdown in page.markdown if "samples only" in markdown.value]
        assert f"samples only **j = {move.index}** changed" in said
        assert ("its vote stayed with" in said) == (move.before == move.after)
    first, last = page.session_state["attack"].attack.poked.moves
    assert first.before != first.after and last.before == last.after  # one of each


def test_a_poke_changes_one_sample_and_is_refunded():
    page = open_page()
    held = page.session_state["attack"]
    press(page, "up")
    assert spent(page) == 1
    assert page.session_state["attack"] is held  # changed in place: no click in between loses the step
    assert any("only **j = " in text.value for text in page.markdown)
    assert spent(press(page, "down")) == 0


def test_a_poke_in_a_block_says_that_its_pixels_change_together(installed):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", installed / "cifar10-dssn")
    offsets = StatedOffsets.of("r2", 0, (3, 32, 32), (1, 2, 2))
    save_manifest(folder, replace(read_manifest(folder), offsets=offsets))
    page = press(open_page(), "up")
    assert spent(page) == 1
    assert any("one colour of 2 × 2 pixels together" in caption.value for caption in page.caption)
    assert spent(press(page, "guided")) == 2


def test_a_second_click_beyond_the_range_does_nothing():
    page = open_page()
    up = page.button(key="poke-up")
    top = torch.full((3, 32, 32), 255, dtype=torch.uint8)
    held = page.session_state["attack"]
    held.attack = Attack.on(held.attack.model, top, held.attack.noise, held.attack.first)
    healthy(up.click().run())
    assert spent(page) == 0


def test_a_step_that_the_network_cannot_answer_is_not_taken_for_one_out_of_range(monkeypatch):
    held = open_page().session_state["attack"]

    def broken(*arguments):
        raise ValueError("not finite")

    monkeypatch.setattr(resources, "poked", broken)
    with pytest.raises(ValueError, match="not finite"):
        held.attack.stepped(Step(0, 0, 0, 1))


def test_an_attack_counts_here_what_was_counted_elsewhere(monkeypatch):
    def from_elsewhere(name, image, levels):
        run = VoteRun(resources.model(name), image, resources.model(name).manifest.noise_at(levels), PLURALITY)
        run.take(Stored(np.full(levels, 3), {"torch": "0.1"}, 1.0))
        return run

    monkeypatch.setattr(resources, "stored_run", from_elsewhere)
    page = open_page()
    for _ in range(2):
        assert any(caption.value.startswith("These votes are counted on this machine.") for caption in page.caption)
        press(page, "down")
    press(press(page, "undo"), "undo")
    attack = page.session_state["attack"].attack
    counted = count_votes(attack.model, attack.poked.original, attack.noise)
    assert attack.certificate.votes == tuple(counted) != (0, 0, 0, attack.noise.levels, 0, 0, 0, 0, 0, 0)


def test_undo_and_reset_go_back():
    page = press(press(press(open_page(), "random"), "random"), "undo")
    assert spent(page) == 1
    assert spent(press(page, "reset")) == 0


def test_a_network_that_counts_duels(installed):
    counting_duels(shutil.copytree(PRETRAINED / "cifar10-dssn", installed / "cifar10-dssn"))
    page = open_page()
    assert any("This section counts first choices" in caption.value for caption in page.caption)
    by_key(page.get("button_group"), "why").set_value("The arithmetic").run()
    assert "n_{ab} - n_{ba}" in page.latex[0].value
    assert any("won every duel" in text.value for text in page.markdown)


def test_guided_steps_spend_their_budget():
    page = press(press(open_page(), "guided"), "burst")
    assert 1 <= spent(page) <= 11


def test_guided_steps_end_where_the_answer_changes():
    page = press(open_page(sigma="3"), "burst")  # a tie: the first vote that is taken decides
    held = page.session_state["attack"]
    first = held.attack.certificate.label
    assert held.attack.certificate.radius_steps == 0 and page.button(key="poke-spend").disabled
    assert any("nothing is certified" in text.value for text in page.markdown)
    for _ in range(20):
        if held.attack.now.label != first:
            break
        press(page, "burst")
    assert held.attack.now.label != first and held.attack.guided == 0
    assert replace(held.attack, poked=undo(held.attack.poked)).now.label == first
    assert "The certificate holds" in page.warning[0].value


def test_a_click_while_a_guided_step_is_looked_for_counts(monkeypatch):
    """Its own run begins at once, beside the one that still looks."""
    guided = resources.guided
    page = press(open_page(), "random")
    held = page.session_state["attack"]

    def overtaken(*arguments):
        held.change(partial(acted, Attack.anew))
        return guided(*arguments)

    monkeypatch.setattr(resources, "guided", overtaken)
    assert spent(press(page, "burst")) == 0
    assert held.attack.guided == 0


def test_a_flip_is_found_and_told():
    page = press(open_page(), "search")
    attack = page.session_state["attack"].attack
    radius = attack.certificate.radius_steps
    assert spent(page) == attack.poked.spent > radius > 0 and not attack.searching
    assert attack.now.label != attack.certificate.label
    assert attack.certificate.bracket(attack.poked.spent) in page.warning[0].value
    (told,) = [info.value for info in page.info if "taken all at once" in info.value]
    assert f"{attack.poked.moved(attack.first):,} votes" in told
    assert spent(press(page, "undo")) == 0 and not page.warning


def test_of_the_flips_that_are_known_the_nearest_counts(monkeypatch):
    """A search that was stopped, and begun again, has not been in vain."""
    page = open_page()
    held = page.session_state["attack"]
    original = held.attack.poked.original
    near, far = (Flip(Step(0, 0, 0, 1).applied(original), distance, 1) for distance in (1, 2))
    searches = iter([Search(1, 3, 0, None), Search(2, 3, 2, far), Search(3, 3, 1, near)])
    monkeypatch.setattr(resources, "flips", lambda *_: searches)
    held.attack = held.attack.knowing(far).knowing(None)
    assert held.attack.nearest is far and held.attack.knowing(near).knowing(far).nearest is near
    held.attack = replace(held.attack, nearest=None)
    assert spent(press(page, "search")) == 1
    assert page.session_state["attack"].attack.nearest is near
    monkeypatch.setattr(resources, "flips", lambda *_: pytest.fail("searched again"))
    assert spent(press(press(page, "reset"), "search")) == 1


def test_a_search_does_not_begin_again_with_the_picture():
    page = press(open_page(), "random")
    held = page.session_state["attack"]
    held.attack = replace(held.attack, searching=True)
    healthy(page.segmented_control(key="source").set_value("own").run())
    assert not page.session_state["attack"].attack.searching


def test_a_search_in_vain_says_so(monkeypatch):
    monkeypatch.setattr(resources, "flips", lambda *_: iter([Search(1, 40, 0, None)]))
    page = press(open_page(), "search")
    assert any("does not mean that there is none" in info.value for info in page.info)
    assert spent(page) == 0 and not page.session_state["attack"].attack.searching


def test_an_attack_that_nobody_looks_at_stops():
    page = press(open_page(), "guided")
    held = page.session_state["attack"]
    held.attack = replace(held.attack, guided=9, searching=True)
    by_key(page.get("button_group"), "why").set_value("The arithmetic").run()
    assert page.latex
    assert page.session_state["attack"].attack.guided == 0
    assert not page.session_state["attack"].attack.searching


def test_an_attack_does_not_walk_on_when_one_comes_back_to_it():
    page = press(open_page(), "guided")
    before = spent(page)
    page.switch_page("views/lesson.py").run()
    held = page.session_state["attack"]
    held.attack = replace(held.attack, guided=9)  # left while it walked
    assert spent(healthy(page.switch_page("views/why_it_certifies.py").run())) == before
    assert page.session_state["attack"].attack.guided == 0


def test_spending_the_whole_budget_can_be_undone():
    page = open_page()
    press(page, "random")
    assert spent(press(page, "spend")) > 1
    assert spent(press(page, "undo")) == 1
    assert spent(press(page, "undo")) == 0
    assert page.button(key="poke-undo").disabled


def test_spending_the_whole_budget_again_forgets_nothing():
    page = open_page()
    press(press(press(page, "random"), "spend"), "spend")
    assert [spent(press(page, "undo")) > 1 for _ in range(2)] == [True, False]
    assert spent(page) == 1
    assert spent(press(page, "undo")) == 0 and page.button(key="poke-undo").disabled


def test_the_whole_budget_at_random_leaves_the_answer():
    page = open_page()
    radius = int(next(t.value for t in page.markdown if "**R = " in t.value).split("**R = ")[1].split("**")[0])
    assert spent(press(page, "spend")) == radius
    assert not page.warning


@pytest.mark.parametrize("levels", ["2", "127", "400"])
def test_the_two_pixel_world_at_its_ends(levels):
    page = open_page(why="Two-pixel world", n=levels, k1="0", k2="255")
    assert page.metric[0].label == "Certified radius R"


def test_spending_a_budget_of_nothing_can_be_undone_too():
    page = open_page()
    held = page.session_state["attack"]
    held.attack = replace(held.attack, before=(held.attack.poked,))  # as after spending R = 0 steps
    assert not healthy(page.run()).button(key="poke-undo").disabled
    assert press(page, "undo").button(key="poke-undo").disabled


def test_the_arithmetic_of_duels_may_be_asked_for():
    page = open_page(why="The arithmetic", counting="duels")
    assert any("in a duel of two each sides with the one ranked higher" in text.value for text in page.markdown)
    healthy(page.segmented_control(key="counting").set_value("plurality").run())
    assert not any("duel" in text.value for text in page.markdown)
    healthy(page.segmented_control(key="counting").set_value("duels").run())
    healthy(page.segmented_control(key="why").set_value("Poke it").run())
    assert any("This section counts first choices" in caption.value for caption in page.caption)


def test_both_ways_of_counting_stand_beside_each_other():
    picture, model = built_in_pictures()[12], load_model("cifar10-dssn")
    page = open_page(why="Duels", picture=picture.key, sigma="0.5")
    shown = {metric.label: metric.value for metric in page.metric}
    for words, counting in (("R by first choices", PLURALITY), ("R by duels", DUELS)):
        certificate = certify(model, read_image(picture.path), levels_from_sigma(0.5), counting=counting)
        label = f"{words}: {model.class_names[certificate.label]}"
        assert shown[label] == f"{certificate.radius_steps} grey levels"


@pytest.mark.parametrize(
    "sigma, words",
    [("0.5", "both ways count the same 362 to 79"), ("2", "which first choices leave out")],
)
def test_samples_of_third_classes_are_told(sigma, words):
    page = open_page(why="Duels", picture="cifar10-09", sigma=sigma)
    assert any(words in text.value for text in page.markdown)


def test_another_picture_or_noise_begins_another_attack():
    page = press(open_page(), "up")
    healthy(page.button(key="pick-cifar10-05").click().run())
    assert spent(page) == 0
    image = read_image(next(picture.path for picture in built_in_pictures() if picture.key == "cifar10-05"))
    assert torch.equal(page.session_state["attack"].attack.poked.original, image)
    assert spent(press(page, "up")) == 1
    healthy(page.slider(key="sigma").set_value(0.2).run())
    assert spent(page) == 0 and page.session_state["attack"].attack.noise.sigma > 0.19


def test_random_steps_go_on_and_do_not_repeat_themselves():
    page = press(press(open_page(), "random"), "random")
    first, second = page.session_state["attack"].attack.poked.moves
    assert first.step != second.step


def test_any_button_drops_what_was_asked_for_before():
    attack = open_page().session_state["attack"].attack
    after = acted(Attack.undone, replace(attack, guided=9, wanted=attack.poked.image))
    assert after.guided == 0 and after.wanted is None


def test_ten_guided_steps_are_ten():
    assert spent(press(open_page(), "burst")) == 10


def test_the_chosen_value_is_the_one_that_is_poked():
    page = open_page()
    page.number_input(key="poke-row").set_value(3)
    page.number_input(key="poke-column").set_value(9)
    page.selectbox(key="poke-channel").set_value("green")
    healthy(page.run())
    label = page.button(key="poke-up").label
    press(page, "up")
    poked = page.session_state["attack"].attack.poked
    assert torch.nonzero(poked.image != poked.original).tolist() == [[1, 3, 9]]
    assert any(f"green: {label}. Of all" in text.value for text in page.markdown)


def test_the_votes_that_moved_are_counted_and_not_the_steps():
    page = press(open_page(), "spend")
    attack = page.session_state["attack"].attack
    moved = attack.poked.moved(attack.first)
    assert moved < attack.poked.spent
    assert [one.value for one in page.metric if one.label.startswith("Votes moved")] == [f"{moved:,}"]


def test_the_world_of_two_pixels_says_what_its_votes_say():
    page, world = open_page(why="Two-pixel world"), World()
    found = world.found(world.votes(), Point())
    assert page.metric[0].value == f"{found.radius} grey levels"
    said = "; ".join(caption.value for caption in page.caption)
    assert f"{found.ones} of 200 samples vote orange" in said
    assert f"nearest picture of the other class: {found.image.distance(found.other)} grey levels" in said


def test_the_samples_of_third_classes_add_up():
    page = open_page(why="Duels", picture="cifar10-09", sigma="2")
    (said,) = [text.value for text in page.markdown if "which first choices leave out" in text.value]
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", said[said.index("Of the other") :])]
    others, for_a, for_b, votes_a, more_a, n_ab, votes_b, more_b, n_ba, lower, upper = numbers
    assert (for_a, for_b) == (more_a, more_b) and for_a + for_b == others
    assert votes_a + for_a == n_ab and votes_b + for_b == n_ba
    (radius,) = [metric.value for metric in page.metric if metric.label.startswith("R by duels")]
    assert lower <= int(radius.split()[0].replace(",", "")) <= upper and "first choices say that R is from" in said
