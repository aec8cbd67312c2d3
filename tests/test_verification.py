"""Whatever is changed in a certificate file is found when it is computed again."""

import base64
import contextlib
import copy
import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin
from PIL.PngImagePlugin import PngInfo

from dssn_core import (
    certificate_file,
    certificate_from_votes,
    certify,
    load_model,
    near_ties,
    radius_bounds,
    verification,
)
from dssn_core.__main__ import main
from dssn_core.certificate_file import CertificateFileError, digest, dumps, make, parse, with_votes
from dssn_core.checkpoints import PRETRAINED, read_manifest, save_manifest
from dssn_core.commands.certificates import ROUNDING
from dssn_core.commands.options import DIFFERS
from dssn_core.constants import DUELS
from dssn_core.counts import Counts
from dssn_core.duels import DuelCertificate, certificate_from_duels, count_duels
from dssn_core.findings import Verdict, verdict
from dssn_core.gallery import built_in_pictures
from dssn_core.images import MAX_SIDE
from dssn_core.manifest import MANIFEST, CheckpointError, StatedOffsets
from dssn_core.near_ties import NEAR_TIE
from dssn_core.verification import verify
from dssn_core.voting import Vote, complete, tally
from dssn_core.wording import at_most, display_radius
from tests.toys import tallied

LEVELS, BATCH = 60, 25
PICTURE = built_in_pictures()[9].path


@pytest.fixture(scope="module")
def document(model, image):
    return make(model, image, complete(tally(model, image, model.manifest.noise_at(LEVELS), BATCH)), BATCH, seconds=1.5)


def differences(document, image=None) -> list[str]:
    data = json.dumps(document).encode()
    return [finding.what for finding in verify(parse(data), image) if not finding.agrees]


def changed(document, path, value):
    """A copy with one field replaced, and the digest made to fit: an edit on purpose."""
    edited = copy.deepcopy(document)
    place = edited
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    edited["digest"] = digest(edited)
    return edited


def test_what_is_made_holds_and_says_what_certify_says(document, model, image):
    assert differences(document) == []
    certificate = certify(model, image, LEVELS, BATCH)
    assert document["claim"]["votes"] == list(certificate.votes)
    assert document["claim"]["radius_steps"] == certificate.radius_steps


def test_a_file_is_counted_again_in_its_own_chunks(document):
    rows = []

    def watch(model, states):
        for state in states:
            rows.append(len(state.indices))
            yield state

    assert verdict(verify(document, watch=watch)) == Verdict.HOLDS and rows == [20, 20, 20]


def leaves(value, path=()):
    """Paths of all fields that are no objects; of a list, its first element."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        yield (*path, 0)
    else:
        yield path


def altered(value):
    """Another value of the same kind."""
    if isinstance(value, int):
        return value + 1
    if len(value) == 64:  # a hash
        return ("1" if value[0] == "0" else "0") + value[1:]
    return value + "x"


CLAIMED = ("image", "model", "noise", "evaluation", "claim")


def test_a_change_of_any_field_the_claim_rests_on_is_caught(document):
    paths = [path for path in leaves(document) if path[0] in CLAIMED and path != ("image", "png")]
    assert len(paths) == 18
    for path in paths:
        value = document
        for step in path:
            value = value[step]
        with contextlib.suppress(CertificateFileError):  # refused: caught as well
            assert differences(changed(document, path, altered(value))), path


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("claim", "radius_steps"), 1, "arithmetic on the stated votes: certified radius in grey levels"),
        (("claim", "radius"), "0.9999", "arithmetic on the stated votes: certified radius ρ"),
        (("model", "weights_sha256"), "0" * 64, "weights"),
        (("noise", "offsets", "scheme"), "white", "offset scheme and seed"),
        (("noise", "offsets", "seed"), 1, "offset scheme and seed"),
        (("noise", "offsets", "sha256"), "0" * 64, "offsets"),
    ],
)
def test_the_finding_names_what_was_changed(document, path, value, found):
    assert differences(changed(document, path, value)) == [found]


def test_what_the_votes_here_certify_is_set_beside_what_is_claimed(document):
    stated = document["claim"]["radius_steps"]
    told = {}
    for claimed in (stated - 1, stated, stated + 1):
        findings = verify(changed(document, ("claim", "radius_steps"), claimed))
        (told[claimed],) = (finding for finding in findings if finding.what == verification.RADIUS)
    assert [told[claimed].agrees for claimed in sorted(told)] == [True, True, False]
    assert not any(finding.rounding for finding in told.values())  # no vote differs that would excuse it
    name = document["claim"]["class"]
    assert told[stated].text == f"{stated} grey levels for “{name}”"
    assert told[stated + 1].text == (
        f"the file claims {stated + 1} grey levels for “{name}”, the votes counted here certify {stated} grey levels "
        f"for “{name}”"
    )


def test_the_votes_that_differ_are_counted_and_their_effect_told(document):
    listed = document["claim"]["sample_labels"]
    edited = with_votes(document, [(label + 1) % 10 for label in listed[:3]] + listed[3:])
    findings = list(verify(edited))
    (finding,) = [finding for finding in findings if not finding.agrees]
    assert finding.text.startswith("3 of 60 samples vote differently here than stated, the first: j = 0.")
    whole = certificate_from_votes(document["claim"]["votes"], LEVELS)
    agreed = np.bincount(listed[3:], minlength=10)
    assert f"certify {whole.radius_steps} grey levels" in finding.text
    assert (
        f"at least {radius_bounds(agreed, LEVELS).lower} grey levels are certified for “{document['claim']['class']}”"
        in finding.text
    )
    assert verdict(findings) == Verdict.DIFFERS  # the stated classes are far behind


def logits_here(model, image, noise, indices):
    """Of these samples, in the batches that `verify` takes: others may round differently."""
    found = verification._logits_of(model, image, noise, lambda work: work(), indices)
    return np.concatenate([logits for _, logits in found])


def test_votes_that_rounding_may_turn_are_told_apart(document, model, image, monkeypatch):
    noise = model.manifest.noise_at(LEVELS)
    with torch.inference_mode():
        best = model(noise.samples(image, 0, LEVELS), noise.lam).topk(2, dim=1)
    closest = int((best.values[:, 0] - best.values[:, 1]).argmin())
    (alone,) = logits_here(model, image, noise, np.array([closest]))
    gap = float(alone.max() - alone[int(best.indices[closest, 1])])
    listed = list(document["claim"]["sample_labels"])
    listed[closest] = int(best.indices[closest, 1])
    edited = with_votes(document, listed)
    for bound, expected in ((1.01 * gap, Verdict.ROUNDING), (0.99 * gap, Verdict.DIFFERS)):
        monkeypatch.setitem(near_ties.NEAR_TIE, "float32", bound)
        assert verdict(verify(edited)) == expected
    monkeypatch.setitem(near_ties.NEAR_TIE, "float32", 1e9)
    assert verdict(verify(edited)) == Verdict.ROUNDING
    # Nothing else is excused: not a radius that does not follow, not more votes than can be near ties.
    assert verdict(verify(changed(edited, ("claim", "radius_steps"), 29))) == Verdict.DIFFERS
    many = [(label + 1) % 10 for label in listed[:7]] + listed[7:]
    assert verdict(verify(with_votes(document, many))) == Verdict.DIFFERS


def test_the_widest_gap_decides_in_whatever_chunk_it_is(document, model, image, monkeypatch):
    noise = model.manifest.noise_at(LEVELS)
    with torch.inference_mode():
        best = model(noise.samples(image, 0, LEVELS), noise.lam).topk(2, dim=1)
    gaps = best.values[:, 0] - best.values[:, 1]
    order = gaps.argsort().tolist()
    near, wide = next((order[0], place) for place in order[1:] if place < order[0])  # the wide one comes first
    listed = list(document["claim"]["sample_labels"])
    for place in (near, wide):
        listed[place] = int(best.indices[place, 1])
    edited = with_votes(document, listed)
    monkeypatch.setattr(verification, "fitting_batch_size", lambda shape: 1)
    for share, expected in ((1.01, Verdict.ROUNDING), (0.99, Verdict.DIFFERS)):
        monkeypatch.setitem(near_ties.NEAR_TIE, "float32", share * float(gaps[wide]))
        assert verdict(verify(edited, watch=lambda *_: tally(model, image, noise))) == expected


@pytest.mark.parametrize(
    ("first", "expected"),
    [(50, Verdict.ROUNDING), (33, Verdict.ROUNDING), (32, Verdict.DIFFERS), (31, Verdict.DIFFERS)],
)
def test_near_ties_that_decide_which_class_wins_are_not_excused(document, monkeypatch, first, expected):
    """Three of 60 votes are near ties: stated for class 0, counted for class 1. What is certain is the other 57."""
    monkeypatch.setitem(near_ties.NEAR_TIE, "float32", 1e9)
    listed = np.repeat([0, 1], [first, LEVELS - first])
    counted = np.repeat([1, 0, 1], [3, first - 3, LEVELS - first])
    assert verdict(verify(with_votes(document, listed), watch=lambda *_: [tallied(counted, 10)])) == expected


# --- duels ---


MANY = 441


@pytest.fixture(scope="module")
def by_duels(model, contested):
    return make(model, contested, complete(tally(model, contested, model.manifest.noise_at(MANY), counting=DUELS)))


def test_a_file_says_how_it_was_counted_and_is_checked_so(by_duels, document, model, contested):
    claim = by_duels["claim"]
    assert claim["counting"] == "duels" and "counting" not in document["claim"]
    assert claim["radius_steps"] > certificate_from_votes(claim["votes"], MANY).radius_steps
    findings = list(verify(parse(dumps(by_duels).encode())))
    assert verdict(findings) == Verdict.HOLDS
    (counting,) = [finding.text for finding in findings if finding.what == "counting of the votes"]
    assert counting == "duels (this network's own: plurality, by which its answer may be another)"
    assert any(finding.what == "duels of the class" for finding in findings)
    noise = model.manifest.noise_at(MANY)
    logits = model(noise.samples(contested, 0, MANY), noise.lam).numpy()
    certificate = certificate_from_duels(count_duels(logits), claim["votes"], MANY)
    assert (claim["label"], claim["radius_steps"]) == (certificate.label, certificate.radius_steps)


def with_wins(document, wins):
    """The same file with other duels, and the radius that follows from them."""
    claim = document["claim"]
    forged = DuelCertificate(MANY, tuple(claim["votes"]), claim["label"], tuple(wins))
    edited = changed(document, ("claim", "wins"), list(wins))
    edited = changed(edited, ("claim", "radius"), display_radius(forged.radius_steps))
    return changed(edited, ("claim", "radius_steps"), forged.radius_steps)


def test_duels_that_were_not_fought_come_to_light(by_duels):
    claim = by_duels["claim"]
    most = [(c != claim["label"]) * (MANY - count) for c, count in enumerate(claim["votes"])]
    assert most != claim["wins"]
    edited = with_wins(by_duels, most)
    radius, finding = [finding for finding in verify(edited) if not finding.agrees]
    assert radius.what == verification.RADIUS and not radius.rounding
    assert finding.what == "duels of the class" and "have other counts here than stated" in finding.text
    assert f"The duels counted here certify {claim['radius_steps']} grey levels" in finding.text


def test_duels_of_another_class_come_to_light(by_duels):
    claim = by_duels["claim"]
    other = max((c for c in range(10) if c != claim["label"]), key=claim["votes"].__getitem__)
    wins = [(c != other) * (MANY - count) for c, count in enumerate(claim["votes"])]
    edited = changed(changed(by_duels, ("claim", "label"), other), ("claim", "class"), "dog")
    found = {finding.what: finding for finding in verify(changed(edited, ("claim", "wins"), wins))}
    assert "wins, but here it is" in found["duels of the class"].text
    assert not found[verification.RADIUS].agrees


def test_duels_that_no_samples_could_fight_are_told(by_duels):
    wins = [MANY] * 10
    assert "duels" in differences(changed(by_duels, ("claim", "wins"), wins))


def test_a_radius_that_does_not_follow_from_the_duels_comes_to_light(by_duels):
    edited = changed(by_duels, ("claim", "radius_steps"), by_duels["claim"]["radius_steps"] + 1)
    assert differences(edited) == [
        verification.RADIUS,
        "arithmetic on the stated votes and duels: certified radius in grey levels",
    ]


def test_duels_that_rounding_may_turn_are_told_apart(by_duels, model, contested, monkeypatch):
    noise, claim = model.manifest.noise_at(MANY), by_duels["claim"]
    a = claim["label"]
    rival = next(c for c in range(10) if c != a and claim["wins"][c] + claim["votes"][c] < MANY)
    logits = logits_here(model, contested, noise, np.arange(MANY))
    leads = (logits[:, rival] - logits[:, a])[~np.isin(claim["sample_labels"], (a, rival))]
    for change, gap in ((1, float(leads[leads > 0].min())), (-1, float(-leads[leads < 0].max()))):
        edited = with_wins(by_duels, [n + change * (c == rival) for c, n in enumerate(claim["wins"])])
        # In bounds so wide that near ties decide all duels, those far less tied than what differs do not count.
        for bound, expected in (
            (1.01 * gap, Verdict.ROUNDING),
            (0.99 * gap, Verdict.DIFFERS),
            (1e3, Verdict.ROUNDING),
        ):
            monkeypatch.setitem(near_ties.NEAR_TIE, "float32", bound)
            findings = {finding.what: finding for finding in verify(edited)}
            assert verdict(findings.values()) == expected, (change, bound)
            assert f"up to {at_most(gap)} apart must side differently" in findings["duels of the class"].text


def test_near_ties_that_decide_a_duel_are_not_excused(by_duels, model):
    """Here class 3 loses its duel with class 5 by 4 of 441, or wins it by no more: near ties could go either way."""
    duels = np.triu(np.full((10, 10), MANY), 1)
    labels = np.repeat([3, 5, 7], [210, 210, 21])
    for here, stated in ((219, 230), (225, 230)):
        duels[3], duels[:, 3], duels[3, 3] = MANY, 0, 0
        duels[5], duels[:, 5], duels[5, 5] = MANY, 0, 0
        duels[3, 5], duels[5, 3] = here, MANY - here
        duels[:, 7], duels[7], duels[7, 7] = MANY - 21, 21, 0
        plain = Vote.of_labels(labels, 10)
        vote = replace(plain, counts=Counts(plain.votes, duels.copy()))
        forged = DuelCertificate(
            MANY, tuple(vote.votes.tolist()), 3, (*[MANY] * 3, 0, MANY, stated, MANY, MANY - 21, MANY, MANY)
        )
        finding = near_ties.compare_duels(
            lambda indices: iter([(indices, np.zeros((len(indices), 10), np.float32))]), model, labels, forged, vote
        )
        assert not finding.agrees and not finding.rounding
        assert "no class is certain to win" in finding.text or "but here it is" in finding.text


def test_a_forgery_of_duels_is_whole_but_for_the_count(by_duels):
    forged = with_votes(by_duels, [by_duels["claim"]["label"]] * MANY)
    assert forged["claim"]["radius_steps"] in (MANY // 2, (MANY - 1) // 2)
    assert differences(forged) == [verification.RADIUS, "votes of the samples", "duels of the class"]


@pytest.mark.parametrize("field", ["counting", "wins"])
def test_half_a_statement_of_duels_is_no_file(by_duels, field):
    edited = copy.deepcopy(by_duels)
    del edited["claim"][field]
    with pytest.raises(CertificateFileError, match="this is not a certificate file"):
        parse(dumps(edited).encode())


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_a_file_is_checked_in_the_number_format_it_was_counted_in(image, tmp_path, monkeypatch, precision):
    """Whatever the processor has kernels for: each format is one function."""
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "pretrained" / "cifar10-dssn")
    save_manifest(folder, replace(read_manifest(folder), precision="bfloat16"))
    monkeypatch.setattr("dssn_core.precision.HAS_BFLOAT16", False)
    model = load_model(str(folder)).running_in(precision)
    document = make(model, image, complete(tally(model, image, model.manifest.noise_at(LEVELS), BATCH)), BATCH)
    assert document["evaluation"]["precision"] == precision
    assert verdict(verify(document, folder=folder.parent)) == Verdict.HOLDS
    # A format that is not the model's own, nor float32, is a fault.
    strange = changed(document, ("evaluation", "precision"), "int8")
    assert verdict(verify(strange, folder=folder.parent)) == Verdict.DIFFERS


def test_a_file_says_which_pixels_are_split_together(document, image, tmp_path):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "pretrained" / "cifar10-dssn")
    save_manifest(folder, replace(read_manifest(folder), offsets=StatedOffsets.of("r2", 0, (3, 32, 32), (3, 1, 1))))
    model = load_model(str(folder))
    made = make(model, image, complete(tally(model, image, model.manifest.noise_at(LEVELS), BATCH)), BATCH)
    assert made["noise"]["block"] == [3, 1, 1] and "block" not in document["noise"]
    assert parse(json.dumps(made).encode()) == made
    assert verdict(verify(made, folder=folder.parent)) == Verdict.HOLDS
    what = "pixels that are split together (channels, rows, columns)"
    for other in ([1, 1, 1], [1, 2, 2]):
        findings = verify(changed(made, ("noise", "block"), other), folder=folder.parent)
        assert [finding.what for finding in findings if not finding.agrees] == [what]
    # A file of a network that splits every pixel by itself does not pass for this one.
    assert what in [finding.what for finding in verify(document, folder=folder.parent) if not finding.agrees]


def test_chunks_that_would_take_all_the_memory_are_not_checked(document, model, image, monkeypatch):
    labels = np.array(document["claim"]["sample_labels"])
    monkeypatch.setattr(certificate_file, "MOST_VALUES", 20 * image.numel())
    with pytest.raises(ValueError, match="votes counted in chunks of 30 samples of this size cannot be checked"):
        make(model, image, Vote.of_labels(labels, 10), 30)
    with pytest.raises(
        CertificateFileError,
        match="votes counted in chunks of 1024 samples of this size cannot be checked: at most 20",
    ):
        differences(changed(document, ("evaluation", "rows"), 1024))
    assert differences(document) == []  # of 20


def test_an_altered_image_is_caught_and_its_own_votes_are_counted(document, image):
    other = image.clone()
    other[0, 5, 5] ^= 128
    buffer = io.BytesIO()
    Image.fromarray(other.permute(1, 2, 0).numpy()).save(buffer, "PNG")
    edited = changed(document, ("image", "png"), base64.b64encode(buffer.getvalue()).decode())
    assert "SHA-256 of the image in the file" in differences(edited)
    assert "SHA-256 of the image given" in differences(document, other)
    with pytest.raises(CertificateFileError, match="not the one that the file is about"):
        differences(changed(document, ("image", "png"), None), other)


@pytest.mark.parametrize("labels", [[3] * 59, [3] * 61, [10] * 60])
def test_votes_that_are_not_one_of_a_class_for_each_sample_differ(document, labels):
    edited = changed(document, ("claim", "sample_labels"), labels)
    found = verify(edited, watch=lambda *_: pytest.fail("counted, though nothing could be compared"))
    assert [one.what for one in found if not one.agrees] == ["votes of the samples"]


def test_a_model_may_be_chosen_and_another_one_does_not_pass(document, tmp_path):
    moved = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine")
    assert verdict(verify(document, chosen=str(moved))) == Verdict.HOLDS
    assert "weights" in [found.what for found in verify(document, chosen="cifar10-ssn") if not found.agrees]
    with pytest.raises(CheckpointError, match="unknown model 'nowhere'"):
        list(verify(document, chosen="nowhere"))
    (moved / "manifest.json").write_bytes(b"{")
    with pytest.raises(CheckpointError, match="is not JSON"):
        list(verify(document, chosen=str(moved)))


def test_a_path_may_name_any_of_the_installed_models_of_the_same_weights(document, tmp_path):
    for name in ("first", "second"):
        shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / name)
    save_manifest(tmp_path / "first", replace(read_manifest(tmp_path / "first"), settings={"width": 1}))
    assert verdict(verify(document, folder=tmp_path, chosen=str(tmp_path / "second"))) == Verdict.HOLDS


def test_of_models_with_the_stated_weights_the_one_of_the_stated_name_is_asked(document, tmp_path):
    """Whatever comes first in the alphabet; a damaged model beside them is no answer to any question."""
    for name in ("another", "cifar10-dssn", "broken"):
        folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / name)
        save_manifest(folder, replace(read_manifest(folder), name=name))
    (tmp_path / "broken" / MANIFEST).write_text("{")
    assert verdict(verify(document, folder=tmp_path)) == Verdict.HOLDS


def test_the_weights_decide_which_network_is_asked_and_not_the_name(document):
    assert differences(changed(document, ("model", "name"), "cifar10-ssn")) == ["name of the model"]


def test_a_number_format_that_a_model_does_not_count_in_differs(document):
    assert "number format" in differences(changed(document, ("evaluation", "precision"), "bfloat16"))


def test_a_picture_of_another_size_than_the_network_takes_is_refused(document, image):
    smaller = Image.fromarray(image[:, :16, :16].permute(1, 2, 0).numpy())
    buffer = io.BytesIO()
    smaller.save(buffer, "PNG")
    edited = changed(document, ("image", "png"), base64.b64encode(buffer.getvalue()).decode())
    with pytest.raises(CertificateFileError, match=r"cifar10-dssn takes images of shape \(3, 32, 32\), not"):
        differences(edited)


def test_duels_that_differ_for_other_reasons_excuse_no_radius(by_duels, monkeypatch):
    """One vote is a near tie; the duels, of a radius that is too large, are not."""
    claim = by_duels["claim"]
    monkeypatch.setitem(near_ties.NEAR_TIE, "float32", 1e9)
    listed = list(claim["sample_labels"])
    place = next(place for place, label in enumerate(listed) if label != claim["label"])
    listed[place] = next(c for c in range(10) if c not in (claim["label"], listed[place]))
    votes = np.bincount(listed, minlength=10).tolist()
    wins = [0 if c == claim["label"] else MANY - count for c, count in enumerate(votes)]
    edited = changed(changed(by_duels, ("claim", "sample_labels"), listed), ("claim", "votes"), votes)
    forged = DuelCertificate(MANY, tuple(votes), claim["label"], tuple(wins))
    edited = changed(changed(edited, ("claim", "wins"), wins), ("claim", "radius_steps"), forged.radius_steps)
    found = {finding.what: finding for finding in verify(edited)}
    assert found["votes of the samples"].rounding and not found["duels of the class"].rounding
    assert not found[verification.RADIUS].agrees and not found[verification.RADIUS].rounding


def test_what_a_file_says_cannot_pose_as_something_else(document):
    edited = changed(document, ("claim", "class"), "x\nagrees  everything\n\x1b[8m")
    (finding,) = [finding for finding in verify(edited) if not finding.agrees]
    assert finding.text.isprintable() and "agrees  everything" in finding.text
    more = changed(edited, ("claim", "radius_steps"), document["claim"]["radius_steps"] + 1)
    for claimed in (edited, more):
        assert all(found.text.isprintable() for found in verify(claimed))


@pytest.mark.parametrize("side", [MAX_SIDE + 1, 3000])
def test_an_embedded_picture_of_another_size_is_not_decoded(document, side):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side)).save(buffer, "PNG")
    with pytest.raises(CertificateFileError, match=f"the embedded picture has {side} x {side}"):
        differences(changed(document, ("image", "png"), base64.b64encode(buffer.getvalue()).decode()))


def test_an_edit_without_a_new_digest_is_caught_even_where_nothing_rests_on_it(document):
    edited = copy.deepcopy(document)
    edited["made"]["seconds"] = 0.001
    findings = list(verify(edited))
    assert [found.what for found in findings if not found.agrees] == ["digest of the file"]
    assert verdict(findings) == Verdict.EDITED  # what it claims holds all the same
    edited["claim"]["radius_steps"] += 1
    assert verdict(verify(edited)) == Verdict.DIFFERS


def test_without_pixels_the_image_is_asked_for(document, image):
    bare = changed(document, ("image", "png"), None)
    with pytest.raises(CertificateFileError, match="holds no pixels"):
        differences(bare)
    assert differences(bare, image) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("image", "png"), "@@", "not base64"),
        (("image", "png"), base64.b64encode(b"GIF89a").decode(), "not a PNG"),
        (("noise", "levels"), 60.0, "60.0 is not of type 'integer'"),
        (("evaluation", "rows"), 5000, "rows"),
        (("claim", "class"), "\ud800", "surrogates"),
        (("format",), 2, "format"),
        (("claim", "votes"), [1, -1], "votes"),
        (("noise", "levels"), 10**9, "levels"),
        (("surprise",), 1, "surprise"),
        (("made", "\x1b[31m" + "long" * 99), [], "made/�.31mlong[a-z]* …: "),
    ],
)
def test_what_cannot_be_checked_is_refused_with_the_reason(document, path, value, message):
    with pytest.raises(CertificateFileError, match=message):
        differences(changed(document, path, value))


def test_a_difference_deep_in_a_list_is_told(document):
    names = list(document["model"]["class_names"])
    edited = changed(document, ("model", "class_names"), [*names[:-1], "lorry"])
    [finding] = [found for found in verify(edited) if found.what == "class names"]
    assert finding.text == "1 of 10 differ, the first in place 9: the file says lorry, but it is truck"


def test_a_png_that_pillow_refuses_for_what_it_says_of_itself_is_no_png(document):
    data, huge = io.BytesIO(), PngInfo()
    huge.add_text("comment", "x" * (PngImagePlugin.MAX_TEXT_CHUNK + 1), zip=True)
    Image.new("RGB", (32, 32)).save(data, "PNG", pnginfo=huge)
    edited = changed(document, ("image", "png"), base64.b64encode(data.getvalue()).decode())
    with pytest.raises(CertificateFileError, match="it is not a PNG"):
        differences(edited)


def test_a_model_that_is_not_installed_is_named(document):
    edited = changed(changed(document, ("model", "weights_sha256"), "0" * 64), ("model", "name"), "mine")
    with pytest.raises(CertificateFileError, match=r"'mine'; installed: cifar10-dssn.* verify --model names one"):
        differences(edited)


def test_counted_labels_are_those_of_every_sample(model, image):
    noise = model.manifest.noise_at(LEVELS)
    with torch.inference_mode():
        alone = [int(model(noise.samples(image, j, j + 1), noise.lam).argmax()) for j in range(LEVELS)]
    assert complete(tally(model, image, noise, 1)).labels.tolist() == alone


def test_the_commands_agree_differ_and_refuse(tmp_path, capsys):
    file = tmp_path / "certificate.json"
    assert main(["certify", str(PICTURE), "--levels", "40", "--output", str(file)]) == 0
    assert main(["verify", str(file)]) == 0
    assert "The certificate holds." in capsys.readouterr().out
    document = json.loads(file.read_text())
    file.write_text(dumps(changed(document, ("claim", "radius_steps"), 18)))
    assert main(["verify", str(file)]) == DIFFERS
    said = capsys.readouterr().out
    assert "DIFFERS  arithmetic on the stated votes: certified radius in grey levels: the file says 18" in said
    file.write_text("{")
    assert main(["verify", str(file)]) == 1
    assert "not a JSON file" in capsys.readouterr().err


def test_the_command_tells_near_ties_and_a_file_that_was_edited_apart(document, tmp_path, capsys, monkeypatch):
    file = tmp_path / "certificate.json"
    listed = list(document["claim"]["sample_labels"])
    listed[0] = (listed[0] + 1) % 10
    file.write_text(dumps(with_votes(document, listed)))
    assert main(["verify", str(file)]) == DIFFERS
    monkeypatch.setitem(near_ties.NEAR_TIE, "float32", 1e9)
    assert main(["verify", str(file)]) == ROUNDING
    assert "whatever those vote for, at least" in capsys.readouterr().out
    file.write_text(dumps({**document, "made": {"torch": "another"}}))  # under the digest of the file as it was made
    assert main(["verify", str(file)]) == DIFFERS
    assert Verdict.EDITED in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "missing.json")]) == 1


def test_the_command_leaves_pixels_out_on_request(tmp_path):
    file = tmp_path / "certificate.json"
    assert main(["certify", str(PICTURE), "--levels", "40", "--output", str(file), "--no-pixels"]) == 0
    assert main(["verify", str(file)]) == 1
    assert main(["verify", str(file), "--image", str(PICTURE)]) == 0


def test_a_file_in_float32_is_not_excused_by_the_rounding_of_bfloat16(image, tmp_path):
    """Of a model that counts in bfloat16 by itself: what the file says it was counted in is what matters."""
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "pretrained" / "cifar10-dssn")
    save_manifest(folder, replace(read_manifest(folder), precision="bfloat16"))
    model = load_model(str(folder)).running_in("float32")
    noise = model.manifest.noise_at(LEVELS)
    document = make(model, image, complete(tally(model, image, noise, BATCH)), BATCH)
    assert verdict(verify(document, folder=folder.parent)) == Verdict.HOLDS
    with torch.inference_mode():
        best = model(noise.samples_at(image, torch.arange(LEVELS)), noise.lam).topk(2)
    gaps = best.values[:, 0] - best.values[:, 1]
    place = next(j for j in gaps.argsort().tolist() if gaps[j] > 0.002)  # more than float32's rounding
    assert gaps[place] < NEAR_TIE["bfloat16"]  # and less than what is granted to bfloat16
    listed = list(document["claim"]["sample_labels"])
    listed[place] = int(best.indices[place, 1])
    assert verdict(verify(with_votes(document, listed), folder=folder.parent)) == Verdict.DIFFERS


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["settings"].update(scaled_input=True),
        lambda found: found.update(class_names=found["class_names"][::-1]),
    ],
)
def test_the_weights_of_a_network_here_under_other_settings_do_not_pass(model, image, tmp_path, change):
    forged = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "forged")
    found = json.loads((forged / MANIFEST).read_text())
    change(found)
    (forged / MANIFEST).write_text(json.dumps(found))
    other = load_model(str(forged))
    vote = complete(tally(other, image, other.manifest.noise_at(60)))
    findings = list(verify(make(other, image, vote), chosen=str(forged)))
    assert verdict(findings) == Verdict.DIFFERS
    assert "other settings, classes or offsets" in next(f.text for f in findings if f.what == "weights")
