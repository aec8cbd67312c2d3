"""The images set apart from training. That no run sees them, or starts from what did, is in `test_training`."""

from dataclasses import replace

import pytest
import torch

from dssn_core import list_models
from dssn_core.checkpoints import PRETRAINED, read_manifest
from dssn_core.held_out import DECIDED_BY, check_unseen, held_out_split, seen_in


@pytest.mark.parametrize("per_class", [1, 5])
def test_the_held_out_split(per_class):
    labels = torch.tensor([0, 1, 2] * 10)
    training, held_out = held_out_split(labels, per_class, seed=0)
    assert sorted(torch.cat([training, held_out]).tolist()) == list(range(30))  # disjoint, and everything
    assert torch.bincount(labels[held_out]).tolist() == [per_class] * 3
    again = held_out_split(labels, per_class, seed=0)
    assert torch.equal(again[0], training) and torch.equal(again[1], held_out)


def test_the_split_is_drawn_as_it_was_for_the_networks_that_are_here():
    """With other draws, images that they were trained on would be taken for held-out ones."""
    assert held_out_split(torch.tensor([0, 1] * 10), 3, seed=0)[1].tolist() == [0, 2, 5, 6, 11, 13]


def test_the_held_out_split_heeds_the_seed():
    labels = torch.tensor([0, 1] * 50)
    assert not torch.equal(held_out_split(labels, 10, seed=0)[1], held_out_split(labels, 10, seed=1)[1])


def test_a_class_too_small_to_hold_out_from():
    with pytest.raises(ValueError, match="class 1, counted from 0, has 2 images, and 2 are to be held out"):
        held_out_split(torch.tensor([0, 0, 0, 1, 1]), 2, seed=0)


def seen(data="a.zip: 120 images", seed=0, per_class=8):
    return [{"data": data, "seed": seed, "held_out_per_class": per_class}]


@pytest.mark.parametrize(
    "before", [seen(), seen(per_class=9), seen("b.zip: 99 images", seed=5), seen("others", seed=5)]
)
def test_what_held_out_the_same_images_or_more_or_saw_others_may_be_gone_on_from(before):
    check_unseen("first", before, "a.zip: 120 images", seed=0, per_class=8)


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (seen(seed=1), "start with seed 1 and at most 8 held out per class"),
        (seen(per_class=7), "start with seed 0 and at most 7 held out per class"),
        (seen("b.zip: 120 images"), "may be the same images in another order"),
        (seen("my 500 images.zip: 120 images"), "may be the same images in another order"),
        ([*seen("others"), *seen(seed=1)], "start with seed 1"),
    ],
)
def test_what_may_have_seen_images_to_hold_out_is_refused(before, message):
    with pytest.raises(ValueError, match=message):
        check_unseen("first", before, "a.zip: 120 images", seed=0, per_class=8)


@pytest.mark.parametrize("missing", ["data", "seed", "held_out_per_class"])
def test_what_is_not_told_may_have_been_seen(missing):
    (told,) = seen()
    with pytest.raises(ValueError, match=f"does not state the {missing} of its training"):
        check_unseen("it", [told | {missing: ""}], "b.zip: 99 images", 0, 8)


def test_a_model_that_went_on_from_another_of_which_it_does_not_tell_is_refused():
    manifest = read_manifest(PRETRAINED / "cifar10-dssn-long")
    untold = {name: value for name, value in manifest.training.items() if name != "seen_before"}
    for of in (manifest, replace(manifest, training=untold)):
        seen_before, data = seen_in(of.training), of.training["data"]
        if of is manifest:
            check_unseen("it", seen_before, data, 0, 200)
        else:
            with pytest.raises(ValueError, match="does not state the data and seed and held_out_per_class"):
                check_unseen("it", seen_before, data, 0, 200)


def test_what_went_on_from_something_untold_has_seen_something_untold():
    manifest = read_manifest(PRETRAINED / "cifar10-dssn-long")
    before, _ = seen_in({**manifest.training, "seen_before": [{}]})
    assert before == dict.fromkeys(DECIDED_BY, "")


def test_every_network_here_tells_what_it_saw():
    for manifest in (read_manifest(PRETRAINED / name) for name in list_models()):
        told = all(of[what] != "" for of in seen_in(manifest.training) for what in DECIDED_BY)
        assert told or manifest.images_seen == 0, manifest.name


def test_a_run_that_went_on_has_seen_something_before_though_it_names_no_start():
    training = read_manifest(PRETRAINED / "cifar10-dssn-long").training
    kept = {name: value for name, value in training.items() if name not in ("seen_before", "start")}
    before, _ = seen_in({**kept, "images_before": 5})
    assert before == dict.fromkeys(DECIDED_BY, "")


def test_what_any_member_has_seen_the_ensemble_has_seen():
    told = {"data": "a: 9 images", "seed": 0, "held_out_per_class": 2}
    members = [{"training": told}, {"training": told | {"data": "b: 9 images"}}]
    assert "b: 9 images" in [seen["data"] for seen in seen_in({**told, "members": members})]
