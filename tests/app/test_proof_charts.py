"""Figures of the page that shows why."""

from app import proof_charts
from dssn_core import certificate_from_votes


def test_the_meter_turns_red_only_beyond_the_radius():
    assert proof_charts.OVER_COLOUR not in proof_charts.budget_meter(10, 10)
    assert proof_charts.OVER_COLOUR in proof_charts.budget_meter(11, 10)
    assert "0 of 0 steps" in proof_charts.budget_meter(0, 0)


def test_votes_move_until_one_more_tips_it():
    for votes in ([40, 1, 0], [1, 40, 0], [20, 21, 0], [5, 5, 31], [41, 0, 0]):
        certificate = certificate_from_votes(votes, 41)
        frames = proof_charts.vote_transfer(certificate, ("cat", "dog", "frog")).frames
        titles = [frame.layout.title.text for frame in frames]
        assert len(frames) <= 32
        assert all("still wins" in title for title in titles[:-1])
        assert frames[-2].name == str(certificate.radius_steps)
        assert frames[-1].name == str(certificate.radius_steps + 1)


def test_the_step_after_the_radius_can_tip_the_vote():
    # An odd slack leaves one vote over: then R + 1 moved votes are more than enough, never too few.
    for votes in ([30, 11], [11, 30], [25, 16], [16, 25]):
        certificate = certificate_from_votes(votes, 41)
        last = proof_charts.vote_transfer(certificate, ("cat", "dog")).frames[-1].layout.title.text
        assert "still wins" not in last
