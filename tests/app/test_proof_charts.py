"""Figures of the page that shows why."""

import base64
import io
import re

import numpy as np
from PIL import Image

from app import charts, proof_charts
from dssn_core import certificate_from_votes
from dssn_core.duels import DuelCertificate, certificate_from_duels, count_duels
from dssn_core.two_pixels import Found, Point
from dssn_core.wording import counted


def test_the_meter_turns_red_only_beyond_the_radius():
    assert charts.WRONG_COLOUR not in proof_charts.budget_meter(10, 10)
    assert charts.WRONG_COLOUR in proof_charts.budget_meter(11, 10)
    assert "0 of 0 steps" in proof_charts.budget_meter(0, 0)
    assert "1 step spent, 1 beyond" in proof_charts.budget_meter(1, 0)


def titles(certificate, names):
    return [parts[0] for parts in proof_charts.vote_transfer(certificate, names).frames]


def test_votes_move_until_one_more_tips_it():
    for votes in ([40, 1, 0], [1, 40, 0], [20, 21, 0], [5, 5, 31], [41, 0, 0]):
        certificate = certificate_from_votes(votes, 41)
        shown = titles(certificate, ("cat", "dog", "frog"))
        assert len(shown) <= 32
        assert all("still wins" in title for title in shown[:-1])
        assert shown[-2].startswith(f"{counted(certificate.radius_steps, 'vote')} moved")
        assert shown[-1].startswith(f"{counted(certificate.radius_steps + 1, 'vote')} moved")


def test_the_step_after_the_radius_can_tip_the_vote():
    # An odd slack leaves one vote over: then R + 1 moved votes are more than enough, never too few.
    for votes in ([30, 11], [11, 30], [25, 16], [16, 25]):
        assert "still wins" not in titles(certificate_from_votes(votes, 41), ("cat", "dog"))[-1]


def test_the_table_of_duels_counts_from_both_sides():
    # 41 samples: 16 rank 1 > 0 > 2, 13 rank 0 > 2 > 1 and 12 rank 2 > 0 > 1. So 0 beats both, 1 by 25 to 16.
    logits = np.repeat(np.array([[2, 3, 1], [3, 1, 2], [2, 1, 3]], dtype=np.float32), [16, 13, 12], axis=0)
    duels = count_duels(logits)
    certificate = certificate_from_duels(duels, (13, 16, 12), 41)
    html = proof_charts.duel_table(certificate, duels, ("cat", "<dog>", "frog"), 10)
    assert "<dog>" not in html
    rows = re.findall(r"<tr><th.*?</tr>", html)
    assert [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows] == [
        ["–", "25", "29"],
        ["16", "–", "16"],
        ["12", "25", "–"],
    ]
    assert re.findall(r'class="closest"[^>]*>(\d+)', html) == ["25"]
    assert [row.count("rgba(47, 158, 98") for row in rows] == [2, 0, 1]  # the duels won
    assert proof_charts.duel_table(certificate, duels, ("cat", "dog", "frog"), 2).count("<tr>") == 3


def test_in_the_table_of_duels_the_earlier_class_wins_a_tie():
    duels = count_duels(np.array([[1, 0], [0, 1]], dtype=np.float32))
    html = proof_charts.duel_table(certificate_from_duels(duels, (1, 1), 2), duels, ("cat", "dog"), 10)
    assert [row.count("rgba(47, 158, 98") for row in re.findall(r"<tr><th.*?</tr>", html)] == [1, 0]


def test_in_a_duel_its_own_samples_move():
    # First choices 16, 13 and 12 of 41: R would be 1. In the duel with the second class 25 are for the first.
    certificate = DuelCertificate(41, (16, 13, 12), 0, (0, 25, 28))
    shown = titles(certificate, ("cat", "dog", "frog"))
    assert certificate.radius_steps == 4
    assert shown[-2].startswith("4 samples moved") and "cat still wins their duel" in shown[-2]
    assert shown[-1].startswith("5 samples moved") and "dog wins their duel" in shown[-1]


def test_class_names_are_escaped():
    film = proof_charts.vote_transfer(certificate_from_votes([30, 11], 41), ("<i>", "<b>"))
    assert not any(tag in part for parts in film.frames for part in parts for tag in ("<i>", "<b>"))


def test_the_colour_of_the_plane_changes_where_the_answer_does():
    for levels in (2, 7, 200):
        colours = proof_charts._plane_colours(levels).astype(int)
        orange = colours[:, 0] > colours[:, 2]  # more red than blue
        assert orange.tolist() == [2 * votes > levels for votes in range(levels + 1)]


def test_the_plane_puts_the_second_pixel_upwards():
    votes = np.zeros((256, 256), dtype=np.int64)
    votes[250, 3] = 5  # the second pixel nearly white, the first nearly black
    image, drawn = proof_charts.two_pixel_plane(votes, 5, Found(Point(3, 250), 4, 2, Point(12, 250))).still
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(image.split("base64,")[1].split('"')[0]))))
    assert pixels[5, 3].tolist() == [0xF2, 0x8E, 0x2B]
    assert 'cx="3.5" cy="5.5"' in drawn and "9 grey levels away" in drawn
    assert 'd="M9.5 2.5l6 6' in drawn  # the cross is around (12.5, 5.5)
    half = proof_charts.LENS / 2
    # The lens is around the point on the way there that is 2.5 steps away, where the edges of both diamonds are.
    assert f'viewBox="{6 - half} {5.5 - half} {2 * half:g} {2 * half:g}"' in drawn and "right: 0; bottom: 0" in drawn
