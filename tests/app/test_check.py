"""The page that checks certificate files. What it finds is tested with `certificate_file`; uploads need a browser."""

import pytest

from app import checking
from dssn_core import load_model, read_image
from dssn_core.certificate_file import dumps, make
from dssn_core.findings import Finding
from dssn_core.gallery import built_in_pictures
from dssn_core.verification import RADIUS, verify
from dssn_core.voting import complete, tally
from tests.app.pages import open_view, sound


def open_page():
    return sound(open_view("check"))


def test_the_page_asks_for_a_file():
    page = open_page()
    assert page.title[0].value == "Check a certificate"
    assert "Certify a picture and download" in page.info[0].value


def test_the_page_finds_what_the_library_finds_and_tells_how_far_it_is():
    model, image = load_model("cifar10-dssn"), read_image(built_in_pictures()[9].path)
    document = make(model, image, complete(tally(model, image, model.manifest.noise_at(300))))
    shares: list[float] = []
    assert checking.verification(document, None, shares.append) == list(verify(document))
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_an_example_holds_and_its_forgery_is_caught():
    page = open_page()
    page.button(key="example").click().run()
    assert not page.exception and not page.error and len(page.success) == 1
    page.button(key="forgery").click().run()
    assert not page.exception and not page.success
    (told,), differing = page.error, page.get("html")[0].proto.body
    claimed = checking.forgery()["claim"]["radius_steps"]
    assert (
        f"the file claims {claimed} grey levels for “automobile”, the votes counted here certify 75 grey levels"
        in differing
    )
    assert "2 of" in told.value and "votes of the samples" in told.value


def test_an_example_that_is_missing_gets_a_message(monkeypatch, tmp_path):
    page = open_page()
    monkeypatch.setattr(checking, "PRETRAINED", tmp_path)
    page.button(key="example").click().run()
    assert not page.exception and len(page.error) == 1


def test_a_file_is_still_there_after_a_change_of_page_and_not_counted_again(monkeypatch):
    page = open_page()
    page.button(key="forgery").click().run()
    verify = checking.verify
    monkeypatch.setattr(checking, "installation", lambda: ())  # whatever becomes of the networks meanwhile
    page.run()
    monkeypatch.setattr(checking, "verify", lambda *_, **__: pytest.fail("counted again"))
    page.switch_page("views/lesson.py").run()
    page.switch_page("views/check.py").run()
    assert not page.exception and len(page.error) == 1
    monkeypatch.setattr(checking, "verify", verify)
    page.button(key="example").click().run()
    assert not page.exception and not page.error and len(page.success) == 1


def test_a_file_is_checked_anew_when_a_network_here_has_changed(monkeypatch):
    page = open_page()
    page.button(key="example").click().run()
    assert len(page.success) == 1
    monkeypatch.setattr(checking, "installation", lambda: ((1,),))
    monkeypatch.setattr(checking, "verify", lambda *_, **__: [Finding("weights", False, "others")])
    page.run()
    assert not page.success and "weights" in page.error[0].value


def test_what_one_session_has_checked_no_other_counts_again(monkeypatch):
    for counting in (checking.verify, lambda *_, **__: pytest.fail("counted again")):
        monkeypatch.setattr(checking, "verify", counting)
        page = open_page()
        page.button(key="example").click().run()
        assert not page.exception and len(page.success) == 1


def test_what_rounding_may_explain_is_not_marked_as_wrong(monkeypatch):
    found = [Finding("weights", True, "the same"), Finding("votes", False, "3 differ", rounding=True)]
    monkeypatch.setattr(checking, "verification", lambda *_: found)
    page = open_page()
    page.button(key="example").click().run()
    differing, agreeing = (html.proto.body for html in page.get("html") if "dssn-checks" in html.proto.body)
    assert page.warning and "3 differ" in differing and "differs as rounding may" in differing and "✗" not in differing
    assert "the same" in agreeing and "3 differ" not in agreeing
    assert page.expander[0].label == "1 check agrees" and not page.expander[0].proto.expanded


def test_the_words_of_a_file_are_no_markdown():
    document = checking.example()
    claim = {**document["claim"], "class": "![x](https://example.org/x.png)"}
    page = open_page()
    edited = {**document, "claim": {**claim, "radius_steps": claim["radius_steps"] + 1}}
    page.file_uploader(key="certificate-0").set_value(("c.json", dumps(edited).encode(), "application/json")).run()
    assert not page.exception and page.error and "![x]" in page.get("html")[0].proto.body
    assert not any("![x]" in shown.value for shown in [*page.error, *page.markdown, *page.caption])


def test_the_picture_of_a_file_without_pixels_is_kept_as_long_as_the_file():
    model, sample = load_model("cifar10-dssn"), built_in_pictures()[9].path
    vote = complete(tally(model, read_image(sample), model.manifest.noise_at(300)))
    document = dumps(make(model, read_image(sample), vote, embed=False)).encode()
    page = open_page()
    page.file_uploader(key="certificate-0").set_value(("c.json", document, "application/json")).run()
    assert "holds no pixels" in page.info[0].value
    page.file_uploader(key="certified").set_value(("p.png", sample.read_bytes(), "image/png")).run()
    assert not page.exception and len(page.success) == 1
    page.switch_page("views/lesson.py").run()
    page.switch_page("views/check.py").run()
    assert not page.exception and len(page.success) == 1
    page.button(key="example").click().run()
    assert len(page.success) == 1 and "checked-picture" not in page.session_state


def test_a_forgery_is_checked_after_a_file_of_ones_own():
    page = open_page()
    own = ("c.json", dumps(checking.example()).encode(), "application/json")
    page.file_uploader(key="certificate-0").set_value(own).run()
    assert len(page.success) == 1 and any(caption.value == "Checking: c.json" for caption in page.caption)
    page.button(key="forgery").click().run()
    assert not page.exception and len(page.error) == 1 and not page.success
    page.file_uploader(key="certificate-1").set_value(own).run()
    assert len(page.success) == 1 and not page.error


def test_the_forgery_claims_more_and_only_counting_again_tells():
    document = checking.forgery()
    assert document["claim"]["radius_steps"] > checking.example()["claim"]["radius_steps"]
    assert [finding.what for finding in verify(document) if not finding.agrees] == [RADIUS, "votes of the samples"]


def test_a_file_that_was_edited_where_no_claim_rests_on_it_is_told_in_yellow():
    page, edited = open_page(), {**checking.example(), "made": {"torch": "another"}}
    page.file_uploader(key="certificate-0").set_value(("c.json", dumps(edited).encode(), "application/json")).run()
    assert len(page.warning) == 1 and not page.success and not page.error


def test_the_verdict_states_the_radius_in_both_units():
    page, claim = open_page(), checking.example()["claim"]
    page.button(key="example").click().run()
    assert f"R = {claim['radius_steps']} grey levels, ρ = {claim['radius']}, by" in page.success[0].value
