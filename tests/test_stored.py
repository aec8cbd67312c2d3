"""Certificates of the built-in pictures, kept beside the weights."""

import gzip
import json

import pytest

from dssn_core.certificate_file import digest, make
from dssn_core.images import image_sha256
from dssn_core.stored import FILE, keep_certificates, stored_vote
from dssn_core.voting import Vote, complete, tally

LEVELS = 40


@pytest.fixture(scope="module")
def labels(model, image):
    return complete(tally(model, image, model.manifest.noise_at(LEVELS))).labels


@pytest.fixture
def folder(model, image, labels, tmp_path):
    keep_certificates(tmp_path, [make(model, image, Vote.of_labels(labels, 10), seconds=1.5, embed=False)])
    return tmp_path


def rewritten(folder, change, sealed=True):
    """sealed: with the digest that fits the change, as somebody who means it would give it."""
    line = json.loads(gzip.decompress((folder / FILE).read_bytes()))
    change(line)
    if sealed:
        line["digest"] = digest(line)
    (folder / FILE).write_bytes(gzip.compress(json.dumps(line).encode() + b"\n"))
    return folder


def test_what_is_kept_comes_back(model, image, labels, folder):
    found = stored_vote(model, folder, image_sha256(image), LEVELS)
    assert found is not None
    assert found.labels.tolist() == labels.tolist() and found.seconds == 1.5 and "torch" in found.made


def test_certificates_of_other_subjects_are_kept_and_those_of_other_weights_dropped(model, image, labels, folder):
    first = make(model, image, Vote.of_labels(labels, 10), embed=False)
    noise = model.manifest.noise_at(30)
    more = make(model, image, complete(tally(model, image, noise)), embed=False)
    keep_certificates(folder, [more, first])
    assert all(stored_vote(model, folder, image_sha256(image), levels) for levels in (30, LEVELS))
    keep_certificates(folder, [{**more, "model": {**more["model"], "weights_sha256": "0" * 64}}])
    assert stored_vote(model, folder, image_sha256(image), LEVELS) is None


def test_nothing_is_known_of_other_subjects(model, image, folder, tmp_path):
    assert stored_vote(model, folder, image_sha256(image), LEVELS + 1) is None
    assert stored_vote(model, folder, image_sha256(255 - image), LEVELS) is None
    assert stored_vote(model, tmp_path / "empty", image_sha256(image), LEVELS) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line["model"].update(weights_sha256="0" * 64),
        lambda line: line["noise"]["offsets"].update(sha256="0" * 64),
        lambda line: line["evaluation"].update(rows=39),
        lambda line: line["evaluation"].update(precision="bfloat16"),
        lambda line: line["claim"]["sample_labels"].append(0),
        lambda line: line["claim"]["sample_labels"].__setitem__(0, 10),
    ],
    ids=["weights", "offsets", "chunks", "format", "votes", "classes"],
)
def test_a_vote_that_would_be_counted_otherwise_here_is_left_out(model, image, folder, change):
    assert stored_vote(model, rewritten(folder, change), image_sha256(image), LEVELS) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.pop("image"),
        lambda line: line["claim"].pop("votes"),
        lambda line: line["claim"]["sample_labels"].__setitem__(0, 9),
    ],
    ids=["image", "votes", "a vote"],
)
def test_a_damaged_file_is_told(model, image, folder, change):
    with pytest.raises(ValueError, match="damaged"):
        stored_vote(model, rewritten(folder, change, sealed=False), image_sha256(image), LEVELS)


def test_a_time_that_is_no_number_is_told_too(model, image, folder):
    with pytest.raises(ValueError, match="damaged"):
        stored_vote(model, rewritten(folder, lambda line: line["made"].update(seconds="long")), image_sha256(image), 40)


@pytest.mark.parametrize("line", [b"{}", b'{"model": 5}'])
def test_nothing_is_written_over_a_damaged_file(model, image, labels, folder, line):
    (folder / FILE).write_bytes(before := gzip.compress(line + b"\n"))
    with pytest.raises(ValueError, match="damaged"):
        keep_certificates(folder, [make(model, image, Vote.of_labels(labels, 10), embed=False)])
    assert (folder / FILE).read_bytes() == before
