"""What is read as JSON, and what is not."""

import json

import jsonschema
import pytest

from dssn_core.checkpoints import PRETRAINED
from dssn_core.images import MAX_SIDE
from dssn_core.manifest import MANIFEST
from dssn_core.strict_json import check_fits, parse, schema


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, null, "ä"]}', '{"a": [1, 2.5, null, "ä"]}'.encode()])
def test_json_is_read(text):
    assert parse(text) == {"a": [1, 2.5, None, "ä"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "it says 'c' twice"),
        ("{" + ", ".join(f'"{n}": 0' for n in [*range(200_000), 199_999]) + "}", "it says '199999' twice"),  # at once
        ("[NaN]", "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("[1e999]", "1e999 is too large"),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "utf-8"),
        (b"{", "Expecting property name"),
    ],
    ids=range(8),
)
def test_what_readers_may_understand_differently_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


@pytest.mark.parametrize("name", ["certificate", "manifest"])
def test_schemas_are_schemas(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_what_does_not_fit_is_told_with_its_place():
    with pytest.raises(ValueError, match="the file: 'name' is a required property"):
        check_fits({}, "manifest")


@pytest.mark.parametrize("shape", [[3, 32.0, 32], [3, True, 32], [3, "32", 32]])
def test_an_integer_is_written_as_one(shape):
    manifest = json.loads((PRETRAINED / "cifar10-dssn" / MANIFEST).read_text())
    check_fits(manifest, "manifest")
    with pytest.raises(ValueError, match=r"input_shape/1: .* is not of type 'integer'"):
        check_fits({**manifest, "input_shape": shape}, "manifest")


def test_a_long_value_leaves_the_reason_in_the_message():
    manifest = json.loads((PRETRAINED / "imagenet-dssn" / MANIFEST).read_text())
    names = [*manifest["class_names"][:-1], manifest["class_names"][0]]
    with pytest.raises(ValueError, match=r"class_names: \['tench', .* … .* has non-unique elements"):
        check_fits({**manifest, "class_names": names}, "manifest")


def test_images_may_be_as_large_as_those_that_are_read():
    sizes = schema("manifest")["properties"]["input_shape"], schema("certificate")["properties"]["image"]
    assert {size["maximum"] for size in (sizes[0]["items"], sizes[1]["properties"]["shape"]["items"])} == {MAX_SIDE}
