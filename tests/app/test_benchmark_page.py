"""The Benchmark page over real kept records."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import installed, sources
from dssn_core.__main__ import main
from dssn_core.checkpoints import read_manifest, save_manifest
from dssn_core.datasets import CIFAR10_CLASSES
from dssn_core.gallery import built_in_pictures
from dssn_core.images import read_image, to_picture
from dssn_core.records import WHOLE
from tests.app.pages import by_key, open_view, sound
from tests.evaluated import class_folders, unmeasured

SECTIONS = ("Curves", "Table", "Images")


def open_page(section: str, view: str = "benchmark", **parameters: str) -> AppTest:
    return sound(open_view(view, **{"bench-section": section, **parameters}))


def drawn(page: AppTest) -> list[dict[str, Any]]:
    """The traces of the page's chart."""
    (chart,) = page.get("plotly_chart")
    return json.loads(chart.proto.spec)["data"]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(section):
    page = open_page(section)
    assert page.title[0].value == "Benchmark"
    assert len(page.get("plotly_chart")) == (section != "Table")
    assert len(page.dataframe) == (section != "Curves")


def test_the_table_has_ours_beside_theirs():
    table = open_page("Table").dataframe[0].value
    ours = table[table["network"] == "cifar10-dssn"].sort_values("ρ")
    assert ours["paper, %"].tolist() == [80.33, 72.25, 63.07, 56.21, 51.33, 46.76, 42.67, 39.46, 36.46]
    assert (ours["difference"] - (ours["ours, %"] - ours["paper, %"])).abs().max() < 0.011
    assert ((ours["95 % from"] <= ours["ours, %"]) & (ours["ours, %"] <= ours["to"])).all()


def test_the_table_begins_with_the_network_to_use_at_each_radius():
    table = open_page("Table").dataframe[0].value
    assert len(set(table["network"])) > 1
    assert table["chosen"].tolist() == ["yes"] * 9 + [""] * (len(table) - 9)
    assert table["ρ"].tolist()[:9] == [0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]


@pytest.mark.parametrize("section", ["Curves", "Table"])
def test_which_networks_count_duels_is_said(section):
    page = open_page(section)
    (said,) = [caption.value for caption in page.caption if "counted by duels" in caption.value]
    assert said.startswith("cifar10-dssn-blocks at σ = 3.")
    by_key(page.get("button_group"), "bench-models-cifar10").set_value(["cifar10-dssn-long"]).run()
    assert not any("counted by duels" in caption.value for caption in page.caption)


def test_radii_that_are_lower_bounds_are_marked():
    page = open_page("Images", **{"bench-network": "cifar10-dssn-pair", "bench-sigma": "1.00"})
    records = [r for r in installed.evaluated("cifar10-dssn-pair", WHOLE).test if r.levels == 883]
    shown = page.dataframe[0].value["ρ"].tolist()
    assert [radius.startswith("≥ ") for radius in shown] == [record.at_least for record in records]
    assert 0 < sum(record.at_least for record in records) < len(records)
    (said,) = [caption.value for caption in page.caption if "lower bounds" in caption.value]
    assert said.startswith("For some images duels were not counted")
    by_key(page.selectbox, "bench-sigma").set_value(1325).run()
    assert not any("lower bounds" in caption.value for caption in page.caption)


def test_the_curves_say_where_ours_are_better_and_where_not():
    page = open_page("Curves")
    (said,) = [text.value for text in page.markdown if "beside the paper's DSSN" in text.value]
    rows = open_page("Table").dataframe[0].value[:9]
    above = rows[rows["95 % from"] > rows["paper, %"]]["ρ"]
    below = rows[rows["to"] < rows["paper, %"]]["ρ"]
    assert f"above it at ρ = {', '.join(f'{rho:g}' for rho in above)};" in said
    assert f"below it at ρ = {', '.join(f'{rho:g}' for rho in below)};" in said
    assert not any("beside the paper's" in text.value for text in open_page("Curves", data="ImageNet").markdown)


def test_each_method_has_a_choice_of_its_own():
    page = open_page("Table")
    models = ["cifar10-dssn-long", "cifar10-ssn", "cifar10-uniform"]
    by_key(page.get("button_group"), "bench-models-cifar10").set_value(models).run()
    table = page.dataframe[0].value
    assert set(table[table["chosen"] == "yes"]["network"]) == set(models)
    page = open_page("Curves")
    by_key(page.get("button_group"), "bench-models-cifar10").set_value(models).run()
    thin = [trace["name"] for trace in drawn(page) if " σ = " in trace.get("name", "")]
    assert any("cifar10-ssn" in name for name in thin) and any("cifar10-uniform" in name for name in thin)


@pytest.mark.parametrize("section", ["Curves", "Table"])
def test_of_randomized_methods_it_is_said_from_how_few_samples_they_are(section):
    page = open_page(section)
    assert not any("samples per image" in caption.value for caption in page.caption)
    by_key(page.get("button_group"), "bench-models-cifar10").set_value(["cifar10-uniform"]).run()
    (said,) = [caption.value for caption in page.caption if "samples per image" in caption.value]
    assert "1,000 samples per image here, 100,000 in the paper" in said and "at most α = 0.001" in said
    if section == "Table":
        assert set(page.dataframe[0].value["network"]) == {"cifar10-uniform"}


def test_damaged_records_are_told_and_the_others_shown(monkeypatch):
    readable = installed.evaluated

    def evaluated(name, *part):
        if name == "cifar10-dssn":
            raise ValueError("damaged")
        return readable(name, *part)

    monkeypatch.setattr(installed, "evaluated", evaluated)
    page = open_page("Table")
    assert page.warning[0].value.startswith("The records of cifar10-dssn cannot be read")
    assert set(page.dataframe[0].value["network"]) == {f"cifar10-dssn-{name}" for name in ("blocks", "long", "pair")}


def test_at_first_only_what_is_of_use_has_curves_and_more_can_be_had():
    def thin(page: AppTest) -> list[str]:
        return [trace["name"] for trace in drawn(page) if trace.get("line", {}).get("width") == 1.2]

    page = open_page("Curves")
    table = open_page("Table").dataframe[0].value.query("chosen == 'yes'")
    assert set(thin(page)) == {f"{row['network']}, σ = {row['our σ']:.2f}" for _, row in table.iterrows()}
    used = thin(page)
    more = by_key(page.get("button_group"), "bench-sigmas-cifar10")
    more.set_value([441]).run()
    assert set(thin(page)) == {*used, *(f"cifar10-dssn{name}, σ = 0.50" for name in ("", "-long", "-pair"))}


def test_a_network_of_which_no_noise_can_be_chosen_has_all_its_curves():
    page = open_page("Curves", data="ImageNet")
    assert not any("imagenet-bare" in str(trace.get("name")) for trace in drawn(page))  # at first the others
    by_key(page.get("button_group"), "bench-models-imagenet").set_value(["imagenet-dssn", "imagenet-bare"]).run()
    names = [trace["name"] for trace in drawn(page) if trace.get("line", {}).get("width") == 1.2]
    assert [name for name in names if name.startswith("imagenet-bare")] == [
        f"imagenet-bare, σ = {sigma}" for sigma in ("0.25", "0.50", "1.00")
    ]


def test_a_method_has_one_thick_curve_whatever_the_number_of_its_networks():
    page = open_page("Curves")
    by_key(page.get("button_group"), "bench-models-cifar10").set_value(
        ["cifar10-dssn", "cifar10-dssn-long", "cifar10-uniform"]
    ).run()
    thick = [trace["name"] for trace in drawn(page) if trace.get("line", {}).get("width") == 3.5]
    assert thick == ["ours: DSSN, network and σ chosen", "cifar10-uniform, σ chosen"]


def test_images_can_be_picked_by_what_became_of_them():
    page = open_page("Images")
    page.selectbox(key="bench-kind").set_value("wrong").run()
    assert not page.exception
    shown = page.dataframe[0].value
    assert len(shown) and (shown["true class"] != shown["answer"]).all()


def test_where_the_test_images_are_at_hand_one_is_carried_to_certify(tmp_path, monkeypatch):
    for place, name in enumerate(CIFAR10_CLASSES):
        (tmp_path / name).mkdir()
        to_picture(read_image(built_in_pictures()[place].path)).save(tmp_path / name / "0.png")
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path))
    st.cache_resource.clear()
    try:
        page = open_page("", "certify", picture="test-4", sigma="0.1")
        assert page.get("image")[0].captions[0] == f"picture 4 of {tmp_path.name}, true class: deer"
    finally:
        monkeypatch.delenv(sources.DATA_VARIABLE)
        st.cache_resource.clear()


def test_an_image_is_carried_with_the_way_its_votes_were_counted(tmp_path, monkeypatch, installed):
    """Whatever the network itself counts."""
    folder = unmeasured(tmp_path).rename(installed / "cifar10-dssn")
    save_manifest(folder, replace(read_manifest(folder), name="cifar10-dssn"))
    data = str(class_folders(tmp_path))
    command = ["evaluate", "--data", data, "--sigma", "0.1", "--limit", "2", "--model", str(folder), "--record"]
    monkeypatch.setenv(sources.DATA_VARIABLE, data)
    for counting in (["--counting", "duels"], []):
        assert main([*command, *counting]) == 0
        (link,) = (found for found in open_page("Images").get("page_link") if found.proto.label == "Certify it")
        assert parse_qs(link.proto.query_string).get("counting") == (["duels"] if counting else None)
        (folder / "test.jsonl.gz").unlink()


def test_no_network_at_all_is_told():
    page = open_page("Curves")
    by_key(page.get("button_group"), "bench-models-cifar10").set_value([]).run()
    assert not page.exception and page.info[0].value == "Choose at least one network."
    assert not page.get("plotly_chart")


def test_the_largest_gain_comes_first():
    kind = "largest gain of DSSN over additive uniform, both classes right"
    page = open_page("Images", **{"bench-network": "cifar10-dssn", "bench-sigma": "0.50", "bench-kind": kind})
    larger = page.dataframe[0].value["larger by"].tolist()
    assert len(larger) > 5 and larger == sorted(larger, reverse=True) and larger[0] > larger[-1]


def test_an_image_is_carried_to_certify_with_its_network_and_noise(tmp_path, monkeypatch, installed):
    for name in ("cifar10-dssn", "other"):
        folder = unmeasured(tmp_path).rename(installed / name)
        save_manifest(folder, replace(read_manifest(folder), name=name))
    data = str(class_folders(tmp_path))
    assert main(["evaluate", "--data", data, "--sigma", "0.1", "--limit", "2", "--model", str(folder), "--record"]) == 0
    monkeypatch.setenv(sources.DATA_VARIABLE, data)
    page = open_page("Images")
    page.selectbox(key="bench-carry").set_value(1).run()
    (link,) = (found for found in page.get("page_link") if found.proto.label == "Certify it")
    assert parse_qs(link.proto.query_string) == {"cifar10-network": ["other"], "picture": ["test-1"], "sigma": ["0.1"]}
