"""Certificate files: what is made can be read, and nothing else is taken for one."""

import base64
import io
import json
import zlib

import jsonschema
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from dssn_core.certificate_file import (
    MAX_COMMAS,
    MOST_ROWS,
    CertificateFileError,
    digest,
    dumps,
    embedded_image,
    machine,
    make,
    parse,
)
from dssn_core.images import to_picture
from dssn_core.layout import ChunkLayout
from dssn_core.strict_json import schema
from dssn_core.voting import Vote, tally


@pytest.fixture(scope="module")
def document(model, image):
    return make(model, image, Vote.of_labels(np.arange(60) % 2, 10), 25, seconds=0.125)


def test_files_fit_the_schema(document):
    jsonschema.validate(document, schema("certificate"))
    jsonschema.validate(json.loads(dumps(document)), schema("certificate"))


def test_the_digest_heeds_what_is_said_and_not_in_what_order(document):
    turned = dict(reversed(document.items()))
    assert list(turned) != list(document) and digest(turned) == digest(document) == document["digest"]


def test_the_rows_of_a_layout_give_the_layout():
    # Files keep rows, not the batch size they came from.
    for levels in (2, 3, 60, 441, 1766, 8192):
        for batch_size in (1, 2, 7, 25, 255, 256, 8192):
            layout = ChunkLayout.of(levels, batch_size)
            assert ChunkLayout.of(levels, layout.rows) == layout


def test_what_is_made_can_be_read_whatever_the_chunks(model, image):
    """The most samples of a chunk that a file may state are as many as the schema has it."""
    assert schema("certificate")["properties"]["evaluation"]["properties"]["rows"]["maximum"] == MOST_ROWS
    labels = np.zeros(MOST_ROWS + 1, dtype=np.int64)
    made = make(model, image, Vote.of_labels(labels[:-1], 10), MOST_ROWS)
    assert parse(dumps(made).encode()) == made
    with pytest.raises(
        CertificateFileError, match="votes counted in chunks of 1025 samples of this size cannot be checked"
    ):
        make(model, image, Vote.of_labels(labels, 10), MOST_ROWS + 1)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b"1e999", b'{"format": NaN}', b"[" * 100_000, b" " * (11 * 2**20)],
    ids=range(9),
)
def test_bytes_that_are_no_certificate_are_refused(data):
    with pytest.raises(CertificateFileError):
        parse(data)


def test_a_file_of_millions_of_values_is_not_held_against_the_schema():
    """That would take half a minute."""
    claim = schema("certificate")["properties"]["claim"]["properties"]
    values = sum(claim[name]["maxItems"] for name in ("sample_labels", "votes", "wins"))
    assert 5 * values < MAX_COMMAS  # and as many names as votes, whose commas count too
    with pytest.raises(CertificateFileError, match="more than 250,000 commas"):
        parse(b'{"claim": {"votes": [%s0]}}' % (b"0," * 5_000_000))


@pytest.mark.parametrize("depth", range(100, 1100, 10))
def test_a_file_nested_too_deeply_is_refused(depth):
    with pytest.raises(CertificateFileError):
        parse(f'{{"claim": {{"votes": {"[" * depth}{"]" * depth}}}}}'.encode())


def test_a_file_that_says_something_twice_is_refused(document):
    """Of two radii in one object some readers would see the first, and some the last."""
    text = dumps(document)
    assert text.count('"radius_steps":') == 1
    with pytest.raises(CertificateFileError, match="'radius_steps' twice"):
        parse(text.replace('"radius_steps":', '"radius_steps": 8000, "radius_steps":').encode())


def test_a_number_beyond_all_numbers_is_refused(document):
    with pytest.raises(CertificateFileError, match="1e999 is too large a number"):
        parse(dumps(document).replace("0.125", "1e999").encode())


def test_no_file_is_made_of_a_vote_under_way(model, image):
    first, second = tally(model, image, model.manifest.noise_at(60), 30)
    (only,) = tally(model, image, model.manifest.noise_at(20), 30)  # all labels are there, but in its chunk's order
    for state in (first, second, only):
        with pytest.raises(ValueError, match="`complete` makes one of its states"):
            make(model, image, state)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_refused_or_fits(value):
    with pytest.raises(CertificateFileError):
        parse(json.dumps(value).encode())


def test_a_picture_with_a_damaged_part_behind_its_pixels_is_refused(document, image):
    buffer = io.BytesIO()
    to_picture(image).save(buffer, "PNG")
    end = len(buffer.getvalue()) - 12
    empty = b"\0\0\0\0iCCP" + zlib.crc32(b"iCCP").to_bytes(4, "big")
    damaged = base64.b64encode(buffer.getvalue()[:end] + empty + buffer.getvalue()[end:]).decode()
    with pytest.raises(CertificateFileError, match="no plain RGB picture"):
        embedded_image({**document, "image": {**document["image"], "png": damaged}})


def with_chunk(kind, contents):
    found = PngImagePlugin.PngInfo()
    found.add(kind, contents)
    return {"pnginfo": found}


OTHERWISE = {
    "transparent": {"mode": "RGBA"},
    "grey": {"mode": "L"},
    "one colour transparent": {"transparency": (0, 0, 0)},
    "animated": {"save_all": True, "append_images": [Image.new("RGB", (32, 32), "red")]},
    "brighter": with_chunk(b"gAMA", (10_000).to_bytes(4, "big")),
    "in other primaries": with_chunk(b"cICP", bytes([9, 16, 0, 1])),
}


@pytest.mark.parametrize("kind", OTHERWISE)
def test_a_picture_that_viewers_may_show_otherwise_is_refused(document, image, kind):
    how, buffer = dict(OTHERWISE[kind]), io.BytesIO()
    to_picture(image).convert(how.pop("mode", "RGB")).save(buffer, "PNG", **how)
    forged = {**document, "image": {**document["image"], "png": base64.b64encode(buffer.getvalue()).decode()}}
    with pytest.raises(CertificateFileError, match="no plain RGB picture"):
        embedded_image(forged)


def test_the_threads_of_the_arithmetic_are_said(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    assert machine()["threads"] == "7"
