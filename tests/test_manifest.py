"""What a manifest says is checked when it is read."""

import json
from dataclasses import replace

import pytest

from dssn_core.checkpoints import PRETRAINED
from dssn_core.constants import DUELS
from dssn_core.manifest import HASHED_LEVELS, MANIFEST, CheckpointError, Manifest, StatedOffsets
from dssn_core.splitting import SplitNoise
from tests.test_checkpoints import SHAPE, small_manifest

WHOLE = replace(small_manifest(), weights_sha256="0" * 64)
FIELDS = list(json.loads(WHOLE.to_json()))


def edited(**changes):
    """A manifest with other fields, as JSON; a value of None removes the field."""
    fields = json.loads(WHOLE.to_json()) | changes
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def refused(text, message):
    with pytest.raises(CheckpointError, match=message):
        Manifest.from_json(text)


def test_a_manifest_comes_back():
    assert Manifest.from_json(WHOLE.to_json()) == WHOLE


def test_the_noise_is_that_of_the_stated_offsets():
    noise = WHOLE.noise_at(441)
    assert (noise.levels, noise.scheme, noise.seed, noise.shape) == (441, "white", 3, SHAPE)
    assert noise.offsets_sha256 == WHOLE.offsets.sha256["441"]


def test_the_stated_offsets_hash_what_split_noise_makes():
    stated = StatedOffsets.of("r2", 0, SHAPE)
    assert (stated.scheme, stated.seed) == ("r2", 0)
    assert stated.sha256 == {str(n): SplitNoise(n, SHAPE, "r2").offsets_sha256 for n in HASHED_LEVELS}


def test_an_unknown_noise_is_refused():
    refused(edited(noise="gaussian"), "unknown noise 'gaussian'; known: dssn, uniform, ssn")


def test_only_dssn_splits_blocks():
    refused(
        edited(noise="ssn", offsets=StatedOffsets.of("r2", 0, SHAPE, (3, 1, 1)).to_json()),
        "only DSSN splits blocks of pixels together, not 'ssn'",
    )


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "counting"])
def test_a_missing_field(name):
    refused(edited(**{name: None}), rf"the file: '{name}' is a required property")


def test_an_unknown_counting():
    refused(edited(counting="by hand"), "unknown counting 'by hand'; known: plurality, duels")


def test_randomized_methods_count_no_duels():
    refused(edited(counting=DUELS, noise="uniform"), "only DSSN counts votes by duels, not 'uniform'")


def test_an_unknown_field():
    refused(edited(extra=1), r"Additional properties are not allowed \('extra' was unexpected\)")


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_another_type(name):
    refused(edited(**{name: 1.5}), rf"{name}: 1\.5|has format 1\.5")


@pytest.mark.parametrize("value", [2, 0, True])
def test_another_format(value):
    refused(edited(format=value), "format")


@pytest.mark.parametrize(
    "changes",
    [
        {"input_shape": [3, 16]},
        {"input_shape": [3, 16, 0]},
        {"input_shape": [3, 16, "16"]},
        {"class_names": ["ant"]},
        {"class_names": ["ant", "bee", 3]},
        {"class_names": ["ant", "bee", ""]},
        {"class_names": ["ant", "bee", "ant"]},
        {"sigma_range": [0.1]},
        {"sigma_range": ["0.1", 3.5]},
        {"sigma_range": [3.5, 0.1]},
        {"sigma_range": [0.0001, 3.5]},
        {"sigma_range": [0.1, 900]},
        {"sigma_range": [0.1, 10**400]},
        {"offsets": {"scheme": "white", "seed": 3}},
    ],
    ids=str,
)
def test_values_that_make_no_sense(changes):
    refused(edited(**changes), next(iter(changes)))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'"manifest"', b"\xff\xfe not UTF-8"])
def test_a_manifest_that_is_none(text):
    refused(text, r"manifest\.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"data": 5}}, "training/data: "),
        ({"training": {"seed": "0"}}, "training/seed: "),
        ({"training": {"members": {}}}, "training/members: "),
        ({"training": {"members": [1]}}, "training/members/0: "),
        ({"training": {"members": [{}]}}, "training/members/0: "),
        ({"training": {"members": [{"training": {"seed": True}}]}}, "training/members/0/training/seed: "),
        ({"training": {"seen_before": 3}}, "training/seen_before: "),
        ({"training": {"seen_before": [1]}}, "training/seen_before/0: "),
        ({"training": {"seen_before": [{"held_out_per_class": "many"}]}}, "seen_before/0/held_out_per_class: "),
        ({"measured": {"certified_accuracy": []}}, "measured/certified_accuracy: "),
        ({"measured": {"certified_accuracy": {"data": 5}}}, "measured/certified_accuracy/data: "),
    ],
)
def test_what_later_work_relies_on_is_checked(changes, message):
    refused(edited(**changes), message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"name":', '"format": 1, "name":', 1), "says 'format' twice"),
        (lambda text: text.replace('"airplane"', '"\\u001b[2J"', 1), "strings that can be printed"),
        (
            lambda text: text.replace('"input_shape": [\n  3,', '"input_shape": [\n  1000000,', 1),
            "input_shape/0: 1000000 is greater than the maximum of 1024",
        ),
    ],
)
def test_a_manifest_that_readers_may_take_for_another_is_refused(change, message):
    text = (PRETRAINED / "cifar10-dssn" / MANIFEST).read_text()
    assert change(text) != text
    refused(change(text), message)
