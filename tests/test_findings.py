"""What a file states beside what was found."""

from dssn_core.findings import DIGEST, Finding, Verdict, compared, verdict


def test_near_ties_do_not_excuse_a_file_that_was_edited():
    near, edited = Finding("votes", False, "", rounding=True), Finding(DIGEST, False, "")
    verdicts = [verdict(found) for found in ([], [near], [edited], [near, edited])]
    assert verdicts == [Verdict.HOLDS, Verdict.ROUNDING, Verdict.EDITED, Verdict.DIFFERS]


def test_the_first_difference_of_long_lists_is_told():
    names = [f"class {place}" for place in range(30)]
    finding = compared("class names", names, [*names[:-1], "other"])
    assert not finding.agrees
    assert finding.text == "1 of 30 differ, the first in place 29: the file says class 29, but it is other"
    assert compared("votes", names[:25], names).text == "the file lists 25, but there are 30"
