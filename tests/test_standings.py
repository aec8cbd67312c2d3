"""Our figures beside the paper's."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dssn_core.checkpoints import PRETRAINED, read_manifest, save_manifest
from dssn_core.constants import levels_from_sigma
from dssn_core.paper import published
from dssn_core.records import Record
from dssn_core.standings import Evaluated, Side, chosen, on_shared_images, standings
from tests.evaluated import a_record

LOW, HIGH = levels_from_sigma(0.5), levels_from_sigma(2.0)


def records(levels: int, radii: list[int]) -> list[Record]:
    """One right record of every radius in steps; a negative one is of a wrong record."""
    return [
        Record(place, levels, "w", "float32", "i", 1, 1 if steps >= 0 else 2, abs(steps), (), 0.0)
        for place, steps in enumerate(radii)
    ]


def one(test: list[Record], held_out: list[Record], network: str = "ours") -> list[Evaluated]:
    return [Evaluated(network, test, held_out)]


def test_the_noise_is_chosen_on_held_out_images_and_reported_on_test_images():
    test = records(LOW, [130, 130, 130, 130]) + records(HIGH, [130, 0, 0, 0])
    held_out = records(LOW, [130, 0]) + records(HIGH, [130, 130])
    (row,) = standings(one(test, held_out), published("cifar10"), [0.5])
    assert row.ours.levels == HIGH  # though the other did better on the test images
    assert (row.ours.certified.count, row.ours.certified.images) == (1, 4)
    assert row.published == 72.25
    assert row.difference == pytest.approx(25 - 72.25)
    assert row.row()["ours"] == 25.0 and row.row()["paper_sigma"] == row.theirs.sigma


@pytest.mark.parametrize(("right", "side"), [(0, Side.BELOW), (29, Side.OPEN), (40, Side.ABOVE)])
def test_on_which_side_of_the_papers_figure_ours_lies(right, side):
    test = records(LOW, [130] * right + [0] * (40 - right))
    (row,) = standings(one(test, test), published("cifar10"), [0.5])
    assert row.side == side and row.row()["side"] == side.value


def test_duels_can_be_set_beside_first_choices():
    duels = replace(a_record(3), counting="duels", wins=(432, 0, 225), votes=(9, 219, 213), radius_steps=4)
    plain = duels.by_plurality
    assert (duels.certificate.radius_steps, plain.radius_steps, plain.wins) == (4, 3, ())
    (network,) = [network.by_plurality() for network in one([duels], [duels])]
    assert network == Evaluated("ours", [plain], [plain])
    assert Record.from_json(plain.to_json()) == plain


def test_a_choice_is_not_made_on_votes_that_are_counted_otherwise():
    duels = replace(a_record(200), counting="duels", wins=(441, 0, 421), radius_steps=200)
    plain = duels.by_plurality
    assert chosen(one([duels], [plain]), [0.5]) == []
    assert [found.counting for held in (plain, duels) for found in chosen(one([held], [held]), [0.5])] == [
        "plurality",
        "duels",
    ]


def test_only_noises_evaluated_on_both_are_chosen():
    test, held_out = records(LOW, [10]), records(LOW, [0]) + records(HIGH, [400])
    assert [found.levels for found in chosen(one(test, held_out), [0.5])] == [LOW]


def test_the_network_is_chosen_on_held_out_images_as_well():
    good, bad = records(LOW, [130, 130]), records(LOW, [130, 0])
    (found,) = chosen(one(good, bad, "first") + one(bad, good, "second"), [0.5])
    assert (found.network, found.certified.count) == ("second", 1)
    (found,) = chosen(one(good, good, "first") + one(bad, good, "second"), [0.5])
    assert found.network == "first"  # of two that do equally well
    high = records(HIGH, [600, 600])
    found, further = chosen(one(high, high, "far") + one(bad, bad, "near"), [0.5, 1.0])
    assert (found.network, further.network) == ("far", "far")
    (found,) = chosen(one(high, high, "far") + one(good, good, "near"), [0.5])
    assert found.network == "near"  # the cheaper


def test_rows_can_be_compared_on_the_images_that_all_of_them_are_measured_on():
    near, far = records(LOW, [130, 130, 0, 130]), records(HIGH, [300, 0, 300])
    networks = one(near, near, "near") + one(far[1:], far, "far")
    rows = chosen(networks, [0.5, 1.0])
    assert [(at.network, at.certified.count, at.certified.images) for at in rows] == [("near", 3, 4), ("far", 1, 2)]
    rows = chosen(on_shared_images(networks, [0.5, 1.0]), [0.5, 1.0])
    assert [(at.network, at.certified.count, at.certified.images) for at in rows] == [("near", 1, 2), ("far", 1, 2)]
    assert on_shared_images(networks, [0.5]) == [networks[0], replace(networks[1], test=far[1:])]
    other = [replace(record, image_sha256="another") for record in far]
    with pytest.raises(ValueError, match="no test image is one that all rows are measured on"):
        on_shared_images(one(near, near, "near") + one(other, far, "far"), [0.5, 1.0])
    assert on_shared_images([], [0.5]) == []


def test_few_images_all_right_do_not_outdo_many_nearly_all_right():
    few, many = records(LOW, [130] * 2), records(LOW, [130] * 95 + [-1] * 5)
    (found,) = chosen(one(few, few, "lucky") + one(many, many, "known"), [0.5])
    assert found.network == "known"


def test_of_two_that_do_equally_well_the_cheaper_is_chosen():
    both = records(LOW, [200, 60]) + records(HIGH, [200, 60])
    found = chosen(one(both, both), [0.0, 0.2, 0.5, 1.0])
    assert [at.levels for at in found] == [LOW, LOW, LOW, HIGH]  # N = 441 cannot certify 1.0
    assert [at.certified.count for at in found] == [2, 2, 1, 0]


def test_what_was_not_measured_has_no_row():
    assert standings(one(records(LOW, [10]), records(HIGH, [10])), published("cifar10"), [0.5]) == []
    low = standings(one(records(LOW, [10]), records(LOW, [10])), published("cifar10"))
    assert [row.ours.rho for row in low] == [0.25, 0.5]  # N = 441 can certify up to 220/255
    assert chosen(one(records(LOW, [10]), records(LOW, [10])), [1.0]) == []


def test_the_rows_are_those_of_the_papers_headline():
    top = levels_from_sigma(3.5)
    rows = standings(one(records(top, [300, -1]), records(top, [300])), published("cifar10"))
    assert [row.published for row in rows] == [80.33, 72.25, 63.07, 56.21, 51.33, 46.76, 42.67, 39.46, 36.46]
    assert [row.ours.certified.count for row in rows] == [1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_what_is_kept_of_the_right_answers():
    test = records(LOW, [200, 128, 127, -1])
    row, none = (standings(one(found, test), published("imagenet"), [0.5])[0] for found in (test, records(LOW, [-1])))
    assert row.row()["ours_kept"] == 66.66  # two of the three right ones
    assert row.row()["paper_kept"] == 89.72  # 57.6 of 64.2
    assert none.row()["ours_kept"] is None


def test_no_figure_of_ours_is_rounded_up():
    test = records(LOW, [130, 130, 0])  # two of three
    (row,) = (standing.row() for standing in standings(one(test, test), published("cifar10"), [0.5]))
    assert (row["ours"], row["difference"], row["ours_kept"]) == (66.66, -5.59, 66.66)
    assert row["ours_95_low"] == 20.76 and row["ours_95_high"] == 93.86


def test_records_of_weights_that_are_gone_are_not_reported(tmp_path):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine")
    assert len(Evaluated.read(folder).test) == 2500
    save_manifest(folder, replace(read_manifest(folder), weights_sha256="0" * 64))
    assert Evaluated.read(folder) == Evaluated("mine", [], [])


def test_a_network_in_the_folder_one_is_in_has_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine"))
    assert Evaluated.read(Path(".")).network == "mine"
