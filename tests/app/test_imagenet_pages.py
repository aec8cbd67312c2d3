"""Every page with ImageNet pictures, through its real widgets, with the shipped network."""

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import installed, laboratory, resources, sources
from app.collection import COLLECTIONS
from app.installed import manifest_of
from dssn_core import certificate_from_votes, certify, levels_from_sigma, load_model, read_image
from dssn_core.comparison import METHODS
from dssn_core.constants import PLURALITY
from dssn_core.gallery import built_in_pictures
from dssn_core.images import to_picture
from dssn_core.records import WHOLE, Record
from dssn_core.standings import Evaluated
from dssn_core.wording import display_radius
from tests.app.pages import open_view, shown_radius, sound

PICTURE = built_in_pictures("imagenet")[9]


def open_page(view: str, **parameters: str) -> AppTest:
    return healthy(open_view(view, **parameters))


def healthy(page: AppTest) -> AppTest:
    assert not page.error
    return sound(page)


def test_the_first_view_comes_with_the_network():
    page = open_page("certify", data="ImageNet")
    assert any("came with the network" in caption.value for caption in page.caption)
    assert len(page.get("image")) == 3  # the picture, a sample, and what the denoiser makes of it


def test_a_stored_vote_is_what_counting_it_here_gives():
    page = open_page("certify", picture=PICTURE.key, **{"imagenet-sigma": "0.15"})  # the picture tells which network
    image = read_image(PICTURE.path, (224, 224))
    kept = resources.stored_run("imagenet-dssn", image, 132)

    def radius_of(labels):
        return display_radius(certificate_from_votes(np.bincount(labels, minlength=1000), 132).radius_steps)

    assert shown_radius(page) == radius_of(kept.labels)
    healthy(page.button(key="count-here").click().run())
    counted = resources.votes_of("imagenet-dssn", image, 132, PLURALITY)
    assert counted.finished and shown_radius(page) == radius_of(counted.labels)
    differing = int((counted.labels != kept.labels).sum())
    assert differing <= 3  # nearly tied samples, which another kind of machine may turn
    words = f"{differing} of 132 votes differ from" if differing else "all 132 votes are"
    assert any(f"{words} those that came with the network" in caption.value for caption in page.caption)


def test_the_page_shows_what_the_library_computes():
    certificate = certify(load_model("imagenet-dssn"), read_image(PICTURE.path, (224, 224)), levels_from_sigma(0.1))
    page = open_page("certify", data="ImageNet", picture=PICTURE.key, **{"imagenet-sigma": "0.1"})
    assert shown_radius(page) == display_radius(certificate.radius_steps)
    assert page.subheader[0].value == load_model("imagenet-dssn").class_names[certificate.label]


def test_a_change_of_pictures_changes_network_and_gallery():
    page = open_page("certify", picture="cifar10-03", sigma="0.15")
    healthy(page.segmented_control(key="data").set_value("ImageNet").run())
    assert page.slider(key="imagenet-sigma").value == 0.25 and "picture" not in page.query_params
    assert page.button(key="pick-imagenet-03")
    healthy(page.slider(key="imagenet-sigma").set_value(0.5).run())
    healthy(page.segmented_control(key="data").set_value("CIFAR-10").run())
    assert page.slider(key="sigma").value == 0.15 and page.query_params["picture"] == "cifar10-03"
    healthy(page.segmented_control(key="data").set_value("ImageNet").run())
    assert page.slider(key="imagenet-sigma").value == 0.5


def test_the_picture_of_an_earlier_address_tells_which_network_whatever_was_chosen_since():
    page = open_page("certify", picture="cifar10-03", sigma="0.15")
    healthy(page.switch_page("views/benchmark.py").run())
    healthy(page.segmented_control(key="data").set_value("ImageNet").run())
    page.query_params.clear()  # as the browser's Back, over several entries, leads to the first
    page.query_params["picture"] = "cifar10-03"
    healthy(page.switch_page("views/certify.py").run())
    assert not page.warning and page.query_params["picture"] == "cifar10-03"
    assert page.segmented_control(key="data").value == "CIFAR-10"


def test_more_noise_than_the_other_network_knows_becomes_its_most():
    parameters = {"cifar10-network": "cifar10-dssn-long", "source": "My own picture"}  # none is there
    page = open_page("certify", sigma="4.5", **parameters)
    assert page.slider(key="sigma").value == 4.5
    healthy(page.selectbox(key="cifar10-network").set_value("cifar10-dssn").run())
    assert page.slider(key="sigma").value == 3.5


@pytest.mark.parametrize(
    ("section", "key", "figures"),
    [("One picture", "lam", 1), ("Offsets", "offsets-lam", 2)],
    ids=["picture", "offsets"],
)
def test_the_laboratory(section, key, figures, monkeypatch):
    monkeypatch.setattr("dssn_core.reconstruction.SAMPLES", 1)  # of so large a picture the errors take long
    try:
        page = open_page("split_and_centre", data="ImageNet", section=section, **{key: "0.25"})
        assert len(page.get("bidi_component")) + len(page.get("plotly_chart")) == figures
    finally:
        laboratory.reconstruction_errors.clear()


def test_poking_a_large_picture():
    page = open_page("why_it_certifies", **{"data": "ImageNet", "picture": PICTURE.key, "imagenet-sigma": "0.1"})
    for action in ("poke-up", "poke-guided", "poke-spend", "poke-undo"):
        healthy(page.button(key=action).click().run())


def test_the_arithmetic():
    page = open_page("why_it_certifies", **{"data": "ImageNet", "why": "The arithmetic", "imagenet-sigma": "0.1"})
    assert page.latex


def test_every_method_has_a_network_of_its_own():
    assert all(manifest_of(name).noise == method for method, name in COLLECTIONS["ImageNet"].own.items())
    page = open_page("compare", data="ImageNet", source="My own picture")  # none is there: nothing is counted
    assert any("as soon as there is a picture" in info.value for info in page.info) and not page.warning


def test_a_method_is_compared_with_what_its_denoiser_paints():
    parameters = {"methods": METHODS["ssn"], "imagenet-samples": "100", "imagenet-sigma": "0.1"}
    page = open_page("compare", data="ImageNet", **parameters)
    assert [title.value for title in page.subheader] == [METHODS["ssn"]]
    assert len(page.get("plotly_chart")) == 1 and len(page.get("image")) == 3


def votes_for_all(right: list[bool], levels: int = 441) -> list[Record]:
    """Records of images that all samples agree on, made for the page alone."""
    weights = manifest_of("imagenet-dssn").weights_sha256
    label, rival = 455, 456
    return [
        Record(
            index=place,
            levels=levels,
            weights_sha256=weights,
            precision="bfloat16",
            image_sha256=f"{place:064x}",
            label=label if is_right else rival,
            predicted=label,
            radius_steps=levels // 2,
            votes=tuple(levels * (c == label) for c in range(1000)),
            seconds=1.0,
            file=f"ILSVRC2012_val_{place:08}.JPEG",
        )
        for place, is_right in enumerate(right)
    ]


@pytest.mark.parametrize("section", ["Curves", "Table", "Images"])
def test_without_records_the_benchmark_says_so(section, monkeypatch):
    monkeypatch.setattr(installed, "evaluated", lambda name, part=WHOLE: Evaluated(name, [], []))
    page = open_page("benchmark", **{"data": "ImageNet", "bench-section": section})
    assert page.info[0].value.startswith("No network has records of these pictures yet.")


def test_the_benchmark_reports_a_part_beside_the_papers_figures(monkeypatch):
    test, held_out = votes_for_all([True, True, False, True]), votes_for_all([True])

    def evaluated(name, part=WHOLE):
        found = (part.of(test), held_out) if name == "imagenet-dssn" else ([], [])
        return Evaluated(name, *found)

    monkeypatch.setattr(installed, "evaluated", evaluated)
    st.cache_resource.clear()
    try:
        page = open_page("benchmark", **{"data": "ImageNet", "bench-section": "Table"})
        table = page.dataframe[0].value
        assert table[table["ρ"] == 0.5][["ours, %", "paper, %", "chosen"]].values.tolist() == [[75.0, 57.6, "yes"]]
        healthy(page.segmented_control(key="bench-part").set_value(list(COLLECTIONS["ImageNet"].parts)[1]).run())
        assert page.info[0].value.startswith("No network has records of these pictures yet.")
    finally:
        st.cache_resource.clear()


def test_networks_without_records_of_a_part_come_back_with_the_other_part():
    page = open_page("benchmark", data="ImageNet")
    networks, (first, second) = page.pills(key="bench-models-imagenet"), COLLECTIONS["ImageNet"].parts
    for chosen, there in ((networks.options, 2), (["imagenet-ssn"], 1)):
        healthy(page.pills(key="bench-models-imagenet").set_value(chosen).run())
        healthy(page.segmented_control(key="bench-part").set_value(second).run())
        assert len(page.pills(key="bench-models-imagenet").value) == there and page.get("plotly_chart")
        healthy(page.segmented_control(key="bench-part").set_value(first).run())
        assert page.pills(key="bench-models-imagenet").value == chosen


def test_a_folder_of_ones_own_works_with_both_networks(tmp_path, monkeypatch):
    for place, name in enumerate(("n02870880", "n02823428")):
        (tmp_path / "val" / name).mkdir(parents=True)
        picture = read_image(built_in_pictures("imagenet")[9 * place].path, (64, 96))
        to_picture(picture).save(tmp_path / "val" / name / f"{place}.png")
    (tmp_path / "val" / "n02823428" / "broken.png").write_bytes(b"no picture")
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path))
    st.cache_resource.clear()
    try:
        page = open_page("certify", data="ImageNet", picture="test-0", **{"imagenet-sigma": "0.1"})
        name = f"picture 0 of {tmp_path.name}, true class: beer bottle"  # in order of the folders' names
        assert page.get("image")[0].captions[0] == name
        healthy(page.button(key="pick-test-2").click().run())
        assert "bookcase" in page.get("image")[0].captions[0]
        page.query_params["picture"] = "test-1"
        assert any("cannot be read" in error.value for error in page.run().error) and not page.exception
        page = open_page("certify", data="CIFAR-10", sigma="0.1", picture="test-0")
        assert page.get("image")[0].captions[0] == f"picture 0 of {tmp_path.name}"  # its classes are unknown there
    finally:
        monkeypatch.delenv(sources.DATA_VARIABLE)
        st.cache_resource.clear()
