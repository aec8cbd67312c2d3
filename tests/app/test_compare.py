"""The Compare page through its real widgets, with the shipped networks."""

import shutil
from functools import partial
from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest

from app import collection, controls, resources
from app.collection import COLLECTIONS
from app.gallery import OWN, SOURCES
from dssn_core import certify, levels_from_sigma, load_model, read_image
from dssn_core.checkpoints import PRETRAINED
from dssn_core.comparison import METHODS
from dssn_core.constants import DUELS
from dssn_core.gallery import built_in_pictures
from dssn_core.wording import display_radius
from tests.app.pages import by_key, open_view, sound

healthy = partial(sound, title="Compare")


def open_page(**parameters: str) -> AppTest:
    return healthy(open_view("compare", **{"sigma": "0.15", "samples": "100", **parameters}))


def radii(page: AppTest) -> list[str]:
    return [metric.value for metric in page.metric if metric.label == "Certified radius ρ"]


def test_every_method_has_its_column():
    page = open_page()
    assert [title.value for title in page.subheader] == list(METHODS.values())
    image = read_image(next(s.path for s in built_in_pictures() if s.key == "cifar10-09"))
    expected = certify(load_model("cifar10-dssn"), image, levels_from_sigma(0.15))
    assert radii(page)[0] == display_radius(expected.radius_steps)
    assert len(radii(page)) == 3
    assert len(page.get("plotly_chart")) == 1


def test_first_choices_are_compared_whatever_certify_counts():
    picture, levels = "cifar10-12", levels_from_sigma(0.25)
    page = open_page(picture=picture, sigma="0.25", methods="DSSN")
    assert not any("first choices" in caption.value for caption in page.caption)
    first = radii(page)[0]
    image = read_image(next(s.path for s in built_in_pictures() if s.key == picture))
    by_duels = certify(load_model("cifar10-dssn"), image, levels, counting=DUELS)
    assert display_radius(by_duels.radius_steps) != first
    page.session_state["kept-counting"] = "duels"
    healthy(page.run())
    assert radii(page)[0] == first
    assert any("This page counts first choices, as the paper does." in caption.value for caption in page.caption)


def test_methods_may_be_switched_off():
    page = open_page()
    healthy(by_key(page.get("button_group"), "methods").set_value(["dssn", "ssn"]).run())
    assert [title.value for title in page.subheader] == [METHODS["dssn"], METHODS["ssn"]]
    healthy(by_key(page.get("button_group"), "methods").set_value([]).run())
    assert any("at least one method" in info.value for info in page.info)


def test_each_collection_has_a_number_of_samples_of_its_own():
    page = open_page(samples="1000", source=SOURCES[OWN])
    assert page.selectbox(key="samples").value == 1000
    healthy(by_key(page.get("button_group"), "data").set_value("ImageNet").run())
    assert page.selectbox(key="imagenet-samples").value == COLLECTIONS["ImageNet"].n
    healthy(by_key(page.get("button_group"), "data").set_value("CIFAR-10").run())
    assert page.selectbox(key="samples").value == 1000


def test_an_abstention_is_explained():
    page = open_page(sigma="3.5", picture="cifar10-12")
    abstentions = [warning.value for warning in page.warning if "Why did it abstain?" in warning.value]
    assert abstentions and "none" in radii(page)


def test_another_seed_gives_another_estimate_and_the_same_vote():
    page = open_page(sigma="1.0")
    before = [metric.value for metric in page.metric]
    healthy(page.number_input(key="seed").set_value(11).run())
    after = [metric.value for metric in page.metric]
    assert after[0] == before[0] and after != before


def test_pins_are_kept_compared_and_taken_out():
    page = open_page()
    healthy(page.button(key="pin").click().run())
    assert page.button(key="pin").disabled
    assert any("Pinned settings" in text.value for text in page.markdown)
    healthy(page.selectbox(key="alpha").set_value(0.05).run())
    healthy(page.button(key="pin").click().run())
    assert len(page.session_state["pins"]) == 2
    healthy(page.button(key="unpin-0").click().run())
    assert len(page.session_state["pins"]) == 1


def test_repetitions_scatter_but_not_for_dssn():
    page = open_page(compare="Run it again", again="true")
    table = page.dataframe[0].value.set_index("method")
    assert table.loc["DSSN", "different radii"] == 1
    assert (table["different radii"] > 1).sum() >= 1


def test_the_sweep_covers_the_preset_sigmas(monkeypatch):
    monkeypatch.setattr(controls, "PRESET_SIGMAS", (0.15, 0.5, 1.0, 4.5))  # the last is none of the network's
    page = open_page(compare="Sweep over σ", sweep="true")
    assert len(page.get("plotly_chart")) == 2
    assert page.dataframe[0].value["σ"].tolist() == ["0.15", "0.50", "1.00"]
    assert any("exploration" in warning.value for warning in page.warning)


def test_two_pictures_of_one_class_are_two_settings():
    page = open_page(picture="cifar10-01")
    healthy(page.button(key="pin").click().run())
    healthy(page.button(key="pick-cifar10-02").click().run())
    assert not page.button(key="pin").disabled


def test_without_a_picture_the_page_says_what_is_missing():
    page = open_page(source="My own picture")
    assert any("as soon as there is a picture" in info.value for info in page.info)


def test_the_sweep_of_a_network_for_no_preset_sigma_is_at_the_one_that_is_set(monkeypatch):
    monkeypatch.setattr(controls, "PRESET_SIGMAS", ())
    page = open_page(compare="Sweep over σ", sweep="true", sigma="0.15")
    assert page.dataframe[0].value["σ"].tolist() == ["0.15"]


def test_a_comparison_says_which_networks_are_missing(monkeypatch):
    monkeypatch.setattr(collection, "list_models", lambda: ["cifar10-dssn"])
    page = open_page()
    assert len(page.get("plotly_chart")) == 1
    assert any("No network here is trained for additive uniform or" in warning.value for warning in page.warning)


def test_a_damaged_network_leaves_the_others_working(installed):
    shutil.copytree(PRETRAINED, installed, dirs_exist_ok=True)
    with (installed / "cifar10-uniform" / "weights.safetensors").open("ab") as file:
        file.write(b"x")
    page = open_page()
    assert any("SHA-256" in error.value for error in page.error)
    assert METHODS["dssn"] in [title.value for title in page.subheader]
    assert METHODS["uniform"] not in [title.value for title in page.subheader]


def test_the_networks_that_are_compared_are_a_click_away_over_many_pictures():
    page = open_page()
    (link,) = (found for found in page.get("page_link") if "many pictures" in found.proto.label)
    asked = parse_qs(link.proto.query_string)
    assert asked == {"bench-models-cifar10": ["cifar10-dssn", "cifar10-uniform", "cifar10-ssn"]}
    page.query_params.update(asked)
    page.switch_page("views/benchmark.py").run()
    assert not page.exception and "counterparts of cifar10-dssn" in " ".join(text.value for text in page.caption)


def test_what_is_said_of_each_method_is_said_of_that_one():
    page = open_page()
    said = [text.value for text in page.markdown if "- failure probability" in text.value]
    assert ["**0**, exactly" in text for text in said] == [True, False, False]
    assert all("up to **0.001**" in text for text in said[1:])
    badges = "\n".join(text.value for text in page.markdown)
    assert "green-badge[right]" in badges and "red-badge[right]" not in badges
    (costs,) = (table.value for table in page.dataframe if "samples in the literature" in table.value)
    assert costs["samples in the literature"].tolist() == [132, 100_000, 100_000]


def test_repetitions_are_other_draws_and_dssn_is_counted_anew(monkeypatch):
    seeds, repeats, estimate_of, votes_of = set(), set(), resources.estimate_of, resources.votes_of

    def estimated(name, image, plan):
        seeds.add(plan.seed)
        return estimate_of(name, image, plan)

    def counted(*asked):
        repeats.add(asked[4])
        return votes_of(*asked)

    monkeypatch.setattr(resources, "estimate_of", estimated)
    monkeypatch.setattr(resources, "votes_of", counted)
    page = open_page(compare="Run it again", again="true", seed="7")
    assert seeds == {8, 9, 10, 11, 12} and repeats == {1, 2, 3, 4, 5}
    table = page.dataframe[0].value
    assert (table["smallest ρ"] <= table["largest ρ"]).all() and (table["smallest ρ"] < table["largest ρ"]).any()


def test_three_settings_are_pinned_at_most():
    page = open_page(methods="DSSN")
    for sigma in (0.15, 0.2, 0.25):
        healthy(page.slider(key="sigma").set_value(sigma).run())
        healthy(page.button(key="pin").click().run())
    healthy(page.slider(key="sigma").set_value(0.3).run())
    assert len(page.session_state["pins"]) == 3 and page.button(key="pin").disabled


def test_the_same_setting_with_other_methods_is_another_pin():
    page = open_page(methods="DSSN")
    healthy(page.button(key="pin").click().run())
    by_key(page.get("button_group"), "methods").set_value(["dssn", "uniform", "ssn"]).run()
    assert not page.button(key="pin").disabled
