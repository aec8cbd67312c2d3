"""The Certify page through its real widgets, with the shipped network."""

import io
import json
import shutil
from functools import partial

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app import resources
from app.controls import typeset
from app.pictures import tame
from dssn_core import certify, levels_from_sigma, load_model, read_image
from dssn_core.checkpoints import PRETRAINED
from dssn_core.constants import DUELS, PLURALITY, largest_steps
from dssn_core.gallery import built_in_pictures
from dssn_core.images import image_sha256
from dssn_core.manifest import MANIFEST
from dssn_core.stored import Stored
from dssn_core.wording import display_radius
from tests.app.pages import open_view, shown_radius, sound
from tests.evaluated import counting_duels

healthy = partial(sound, title="Certify a picture")


def open_page(**parameters: str) -> AppTest:
    return healthy(open_view("certify", **parameters))


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def upload(data: bytes, name: str = "mine.png") -> AppTest:
    page = open_page()
    healthy(page.segmented_control(key="source").set_value("own").run())
    return healthy(page.file_uploader(key="upload").set_value((name, data, "image/png")).run())


def test_first_view_shows_a_certificate_without_a_click():
    page = open_page()
    assert shown_radius(page)
    assert any("The arithmetic" in text.value for text in page.markdown)


@pytest.mark.parametrize("place", [0, 7])
def test_the_page_shows_what_the_library_computes(place):
    picture = built_in_pictures()[place]
    certificate = certify(load_model("cifar10-dssn"), read_image(picture.path), levels_from_sigma(0.15))
    page = open_page(picture=picture.key, sigma="0.15")
    assert shown_radius(page) == display_radius(certificate.radius_steps)
    text = "\n".join(markdown.value for markdown in page.markdown)
    for line in certificate.account(load_model("cifar10-dssn").class_names):
        assert typeset(line) in text


def test_a_radius_is_put_in_scale_and_a_wrong_answer_is_told():
    for sigma, wrong in (
        ("0.5", []),
        ("3.5", [":red[**Certified, and wrong:** this proves that the answer stays “truck”"]),
    ):
        page = open_page(picture="cifar10-09", sigma=sigma)
        assert len([caption for caption in page.caption if "takes 255 grey levels" in caption.value]) == 1
        said = [markdown.value for markdown in page.markdown if "Certified, and wrong" in markdown.value]
        assert [text.split(", not that")[0] for text in said] == wrong


def test_another_network_may_vote():
    picture = built_in_pictures()[9]
    certificate = certify(load_model("cifar10-dssn-long"), read_image(picture.path), levels_from_sigma(0.2))
    page = open_page(**{"picture": picture.key, "sigma": "0.2", "cifar10-network": "cifar10-dssn-long"})
    assert shown_radius(page) == display_radius(certificate.radius_steps)
    expected = ["cifar10-dssn", "cifar10-dssn-blocks", "cifar10-dssn-long", "cifar10-dssn-pair"]
    assert list(page.selectbox(key="cifar10-network").options) == expected


def test_a_network_may_count_duels(installed):
    counting_duels(shutil.copytree(PRETRAINED / "cifar10-dssn", installed / "cifar10-dssn"))
    picture = built_in_pictures()[12]
    certificate = certify(load_model("cifar10-dssn", installed), read_image(picture.path), levels_from_sigma(0.5))
    plain = certificate.by_plurality
    assert certificate.radius_steps != plain.radius_steps
    page = open_page(picture=picture.key, sigma="0.5")
    assert shown_radius(page) == display_radius(certificate.radius_steps)
    assert next(metric.value for metric in page.metric if metric.label == "Closest duel") == "{} : {}".format(
        *certificate.pair
    )
    text = "\n".join(element.value for element in [*page.markdown, *page.caption])
    assert all(typeset(line) in text for line in certificate.account(load_model("cifar10-dssn").class_names))
    assert f"By first choices alone (the upper bars) ρ would be {display_radius(plain.radius_steps)}" in text
    margins = page.dataframe[0].value
    assert margins["class"].tolist() == [load_model("cifar10-dssn").class_names[c] for c in certificate.rivals]
    assert margins["samples that rank it above the winner"].tolist()[0] == certificate.pair[1]
    steps = margins["cannot win within, in grey levels"].tolist()
    assert steps == [certificate.margins[c] for c in certificate.rivals]
    assert steps[0] == certificate.radius_steps < steps[-1]


def test_either_way_of_counting_may_be_chosen():
    picture, model = built_in_pictures()[12], load_model("cifar10-dssn")
    page = open_page(picture=picture.key)
    assert page.segmented_control(key="counting").value == PLURALITY == model.counting
    radii = {}
    for counting in (DUELS, PLURALITY):
        healthy(page.segmented_control(key="counting").set_value(counting).run())
        certificate = certify(model, read_image(picture.path), levels_from_sigma(0.5), counting=counting)
        radii[counting] = shown_radius(page)
        assert radii[counting] == display_radius(certificate.radius_steps)
    assert radii[DUELS] != radii[PLURALITY]


def test_a_way_of_counting_that_was_chosen_holds_for_every_network():
    page = open_page(source="My own picture")  # none is there: nothing is counted

    def counted_with(network: str) -> str:
        healthy(page.selectbox(key="cifar10-network").set_value(network).run())
        return page.segmented_control(key="counting").value

    assert (counted_with("cifar10-dssn-blocks"), counted_with("cifar10-dssn")) == (DUELS, PLURALITY)
    healthy(page.segmented_control(key="counting").set_value(DUELS).run())
    assert (counted_with("cifar10-dssn-long"), counted_with("cifar10-dssn")) == (DUELS, DUELS)


def test_the_address_says_how_votes_are_counted():
    page = open_page(source="My own picture", counting="duels")
    assert page.segmented_control(key="counting").value == DUELS


@pytest.mark.parametrize("said", ["nonsense", ""])
def test_an_address_that_says_no_way_of_counting_chooses_none(said):
    page = open_page(source="My own picture", counting=said)
    healthy(page.selectbox(key="cifar10-network").set_value("cifar10-dssn-blocks").run())
    assert page.segmented_control(key="counting").value == DUELS


def test_the_noise_goes_no_further_than_the_network_was_trained_for():
    page = open_page(source="My own picture", **{"cifar10-network": "cifar10-dssn-blocks"})
    slider = page.slider(key="sigma")
    assert (slider.min, slider.value, slider.max) == (1.8, 1.8, 4.5)


def test_a_noise_that_another_network_does_not_know_is_not_forgotten():
    page = open_page(source="My own picture")  # none is there: nothing is counted

    def noise_with(network: str) -> float:
        healthy(page.selectbox(key="cifar10-network").set_value(network).run())
        return page.slider(key="sigma").value

    assert noise_with("cifar10-dssn-blocks") == 1.8
    assert any("from 1.8 to 4.5: instead of 0.5 the nearest is set" in caption.value for caption in page.caption)
    assert noise_with("cifar10-dssn") == 0.5
    healthy(page.slider(key="sigma").set_value(0.3).run())
    assert (noise_with("cifar10-dssn-blocks"), noise_with("cifar10-dssn")) == (1.8, 0.3)


@pytest.mark.parametrize(("view", "sigmas"), [("certify", [1, 1]), ("why_it_certifies", [0.15, 0.15])])
def test_a_network_may_be_trained_for_one_noise(view, sigmas, installed):
    """As the paper's are: there is nothing to choose."""
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", installed / "cifar10-dssn")
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "sigma_range": sigmas}))
    page = sound(open_view(view))
    assert not page.error
    assert any(f"Noise σ = **{sigmas[0]:g}**" in text.value for text in page.markdown)


def test_moving_the_noise_changes_the_levels():
    page = open_page()
    healthy(page.slider(key="sigma").set_value(0.25).run())
    assert any(f"**{levels_from_sigma(0.25)}** samples" in text.value for text in page.markdown)


def test_a_preset_sets_the_slider():
    page = open_page()
    healthy(page.button(key="preset-0.15").click().run())
    assert page.slider(key="sigma").value == 0.15


def test_a_gallery_button_changes_picture_and_address():
    page = open_page(sigma="0.15")
    healthy(page.button(key="pick-cifar10-05").click().run())
    assert page.query_params["picture"] == "cifar10-05"


def test_going_back_in_the_browser_ends_at_the_picture_that_the_page_began_with():
    page = open_page(sigma="0.15")
    first = shown_radius(page)
    healthy(page.button(key="pick-cifar10-05").click().run())
    assert shown_radius(page) != first
    del page.query_params["picture"]  # as the address was at first
    assert shown_radius(healthy(page.run())) == first


def test_a_network_that_does_not_know_the_noise_says_so():
    def told(page: AppTest) -> list[str]:
        return [caption.value for caption in page.caption if "the nearest is set" in caption.value]

    page = open_page(source="My own picture", **{"cifar10-network": "cifar10-dssn-long", "sigma": "0.2"})
    healthy(page.slider(key="sigma").set_value(0.15 + 0.1).run())
    assert not told(page)
    page.session_state["kept-sigma"] = 0.1
    healthy(page.run())
    assert page.slider(key="sigma").value == 0.2
    assert told(page) == ["This network was trained for σ from 0.2 to 4.5: instead of 0.1 the nearest is set."]
    healthy(page.slider(key="sigma").set_value(0.25).run())
    assert not told(page)


@pytest.mark.parametrize("parameters", [{"picture": "../../etc/passwd"}, {"sigma": "nan"}, {"sigma": "99"}])
def test_nonsense_in_the_address_falls_back_to_the_default(parameters):
    assert shown_radius(open_page(**parameters)) == shown_radius(open_page())


def test_an_uploaded_picture_is_certified():
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    page = upload(png(pixels))
    expected = certify(load_model("cifar10-dssn"), read_image(png(pixels)), levels_from_sigma(0.5))
    assert shown_radius(page) == display_radius(expected.radius_steps)
    assert page.slider(key="crop").value == 50


def test_a_file_that_is_no_picture_is_refused_kindly():
    page = upload(b"this is not a picture")
    assert "cannot be used" in page.error[0].value
    assert not page.metric


def test_the_name_of_a_file_is_not_drawn_as_markdown():
    page = upload(b"not a picture", "![x](https://a.example/b) .png")
    assert "](" not in page.error[0].value and "x https a.example_b .png" in page.error[0].value


def test_no_file_yet_asks_for_one():
    page = open_page()
    healthy(page.segmented_control(key="source").set_value("own").run())
    assert "Choose a picture" in page.info[0].value


def test_a_link_about_an_own_picture_asks_for_the_file_and_compares_it():
    page = open_page(source="My own picture", sha256="0" * 64)
    assert "made with an uploaded picture" in page.info[0].value
    data = png(np.zeros((32, 32, 3), dtype=np.uint8))
    healthy(page.file_uploader(key="upload").set_value(("mine.png", data, "image/png")).run())
    assert "not the picture of the link" in page.warning[0].value
    healthy(page.button(key="take-own").click().run())
    assert not page.warning
    assert page.query_params["sha256"] == image_sha256(read_image(data))


def test_the_crop_of_one_picture_is_not_that_of_the_next():
    page = upload(png(np.zeros((48, 64, 3), dtype=np.uint8)))
    healthy(page.slider(key="crop").set_value(10).run())
    data = png(np.full((48, 70, 3), 9, dtype=np.uint8))
    healthy(page.file_uploader(key="upload").set_value(("next.png", data, "image/png")).run())
    assert page.slider(key="crop").value == 50
    healthy(page.slider(key="crop").set_value(20).run())
    page.file_uploader(key="upload").set_value(("broken.png", b"no picture", "image/png")).run()
    assert page.error
    healthy(page.file_uploader(key="upload").set_value(("after.png", data, "image/png")).run())
    assert page.slider(key="crop").value == 50


def test_a_picture_that_is_taken_away_is_forgotten():
    page = upload(png(np.zeros((32, 32, 3), dtype=np.uint8)))
    assert "sha256" in page.query_params
    healthy(page.file_uploader(key="upload").set_value(None).run())
    assert "own" not in page.session_state and "sha256" not in page.query_params
    assert "Choose a picture." in page.info[0].value


def test_a_link_that_was_given_up_says_nothing_of_what_comes_after():
    page = open_page(source="My own picture", sha256="0" * 64, crop="10")
    healthy(page.segmented_control(key="source").set_value("built-in").run())
    healthy(page.segmented_control(key="source").set_value("own").run())
    assert "Choose a picture." in page.info[0].value
    data = png(np.zeros((48, 64, 3), dtype=np.uint8))
    healthy(page.file_uploader(key="upload").set_value(("mine.png", data, "image/png")).run())
    assert not page.warning and page.slider(key="crop").value == 50


@pytest.mark.parametrize("view", ["certify", "lesson"])
def test_missing_built_in_pictures_are_told(view, monkeypatch):
    def missing(task, size):
        raise FileNotFoundError("the built-in pictures come with the package foolbox: pip install foolbox")

    monkeypatch.setattr("app.sources.built_in", missing)
    page = sound(open_view(view))
    assert "pip install foolbox" in page.error[0].value


def test_a_built_in_picture_leaves_no_trace_of_ones_own_in_the_address():
    page = upload(png(np.zeros((32, 32, 3), dtype=np.uint8)))
    assert "sha256" in page.query_params
    healthy(page.segmented_control(key="source").set_value("built-in").run())
    assert "sha256" not in page.query_params


def test_without_the_picture_in_it_the_picture_is_offered_beside_the_certificate():
    page = open_page()
    before = len(page.get("download_button"))
    healthy(page.checkbox(key="embed").set_value(False).run())
    assert len(page.get("download_button")) == before + 1


@pytest.mark.parametrize(
    ("name", "asked", "shown"),
    [
        ("sigma", "99", "0.5"),
        ("sigma", "[x](y)", "0.5"),
        ("cifar10-network", "nope", "cifar10-dssn"),
        ("counting", "all", "first choices"),
        ("data", "MNIST", "CIFAR-10"),
    ],
)
def test_what_a_link_asks_for_in_vain_is_told(name, asked, shown):
    page = open_page(**{name: asked})
    told = [caption.value for caption in page.caption if "The link asks for" in caption.value]
    assert told == [f"The link asks for {name} = {tame(asked)}, which is not available here: {shown} is shown."]


@pytest.mark.parametrize("name", ["sigma", "cifar10-network", "counting", "data"])
def test_what_a_link_leaves_empty_is_as_it_is_to_begin_with(name):
    page = open_page(**{name: ""})
    assert shown_radius(page) == shown_radius(open_page())


def test_what_a_link_gets_is_not_told():
    chosen = {"source": "My own picture", "cifar10-network": "cifar10-dssn-long"}  # none is there: nothing is counted
    page = open_page(sigma="0.50", counting="duels", data="CIFAR-10", **chosen)
    assert not any("The link asks for" in caption.value for caption in page.caption)


def test_votes_that_differ_from_those_that_came_with_the_network_are_told(monkeypatch):
    kept = resources.votes_of("cifar10-dssn", read_image(built_in_pictures()[9].path), 132, PLURALITY, repeat=7)
    kept.finish()
    labels = kept.labels.copy()
    labels[:2] = (labels[:2] + 1) % 10
    kept.take(Stored(labels, {"torch": "0.1", "processor": "another"}, 1.0))
    monkeypatch.setattr(resources, "stored_run", lambda *subject: kept)
    page = open_page(sigma="0.15")
    assert any("This vote came with the network, counted in 1.0 s with torch 0.1" in c.value for c in page.caption)
    healthy(page.button(key="count-here").click().run())
    assert any("2 of 132 votes differ from those that came with the network" in c.value for c in page.caption)


@pytest.mark.parametrize(("picture", "told"), [("cifar10-03", False), ("cifar10-04", True)])
def test_why_all_samples_do_not_prove_all_that_is_possible(picture, told):
    page = open_page(picture=picture, sigma="0.1")  # of the first class, and of a later one
    assert any("one grey level below the largest" in caption.value for caption in page.caption) == told


def test_the_figures_beside_the_radius():
    page = open_page(sigma="0.5")  # 362 of 441 votes are 82.086 %, which is not rounded up
    assert [metric.value for metric in page.metric if metric.label == "Vote share"] == ["82.0 %"]
    text = "\n".join(markdown.value for markdown in page.markdown)
    assert f"largest possible radius **{display_radius(largest_steps(441))}**" in text
    assert "one grey level everywhere adds up to 3,072)" in text
    assert "check: right]" in text and "wrong: it is" not in text


def test_a_wrong_answer_has_another_badge():
    text = "\n".join(markdown.value for markdown in open_page(picture="cifar10-09", sigma="3.5").markdown)
    assert "wrong: it is automobile]" in text and "check: right]" not in text
