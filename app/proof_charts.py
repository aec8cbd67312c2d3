"""Figures of the page that shows why a certificate holds."""

from collections.abc import Sequence
from html import escape

import numpy as np
import torch

from app.charts import (
    BAR_STYLE,
    SURE_COLOUR,
    WRONG_COLOUR,
    bar,
    class_colour,
    colour_places,
    contenders,
    percent,
)
from app.film import FRAMES, PART, Film
from app.pictures import data_url
from app.strips import legend
from dssn_core import PIXEL_STEPS, Certificate
from dssn_core.constants import DUELS
from dssn_core.duels import DuelCertificate, slacks
from dssn_core.two_pixels import Found, Point
from dssn_core.wording import counted


def budget_meter(spent: int, radius: int) -> str:
    """HTML: how much of the certified radius has been spent, in steps; what goes beyond it in red."""
    beyond, whole = max(0, spent - radius), max(radius, spent, 1)
    text = f"{spent:,} of {radius:,} steps spent"
    if beyond:
        text = f"{counted(spent, 'step')} spent, {beyond:,} beyond the certificate: anything may happen"
    green = "the green part is " if beyond else ""
    red = bar(spent, whole, WRONG_COLOUR) if beyond else ""
    return (
        f'{BAR_STYLE}<div class="dssn-track" role="img" aria-label="{text}">'
        f"{red}{bar(min(spent, radius), whole, SURE_COLOUR)}</div>"
        f'<div class="dssn-scale"><span>{text}</span><span>{green}R = {radius:,}</span></div>'
    )


def vote_transfer(certificate: Certificate, names: tuple[str, ...]) -> Film:
    """The worst case, played: votes move from the winner to its rival, R of them without harm, one more tips it.

    By duels: samples, in the closest duel of a class that wins all of its own.
    """
    duel = certificate.counting == DUELS
    what, in_it = ("sample", " their duel") if duel else ("vote", "")
    a, b, (ours, its) = certificate.label, certificate.rival, certificate.pair
    colours = colour_places(certificate.votes)
    radius = certificate.radius_steps
    count = min(FRAMES - 1, radius + 1)
    moved = sorted({0, radius, radius + 1, *(step * radius // max(1, count - 1) for step in range(count))})

    def parts(taken: int) -> tuple[str, ...]:
        left, right = ours - taken, its + taken
        wins = right > left or (right == left and bool(certificate.tie))
        tied = " the tie" * (left == right) + " in" * (duel and left == right)
        verdict = f"{names[b]} wins{tied}{in_it}" if wins else f"{names[a]} still wins{in_it}"
        rows = (
            f'<div>{escape(names[c])}</div><div class="track"><div style="width: {percent(n, certificate.levels)}; '
            f'background: {class_colour(colours[c])}"></div></div><div class="count">{n}</div>'
            for c, n in ((a, left), (b, right))
        )
        title = f"{counted(taken, what)} moved: {verdict}"
        return escape(title), "".join(rows)

    frames = tuple(parts(taken) for taken in moved)
    template = '<div class="title" data-part></div><div class="votes">' + PART + "</div>"
    return Film(template, frames[0], frames, tuple(f"{taken} moved" for taken in moved))


DUELS_STYLE = """<style>
.dssn-duels {overflow-x: auto; padding: 3px}
.dssn-duels table {border-collapse: separate; border-spacing: 2px; font-size: 0.85rem;
  font-variant-numeric: tabular-nums}
.dssn-duels th {font-weight: normal; text-align: left; white-space: nowrap; padding-right: 6px}
.dssn-duels thead th {writing-mode: vertical-rl; transform: rotate(180deg); padding: 6px 4px 0}
.dssn-duels td {min-width: 2.6em; text-align: right; padding: 3px 5px; border-radius: 3px}
.dssn-duels .closest {outline: 2px solid currentColor}
</style>"""


def duel_table(certificate: DuelCertificate, duels: np.ndarray, names: Sequence[str], most: int) -> str:
    """HTML: how many samples rank the class of a row above that of a column; the closest duel of the answer is framed.

    The answer comes first, then its `contenders`, so that there are at most `most` classes. Green is a duel that the
    row's class wins, the deeper the clearer.
    """
    order = [certificate.label, *contenders(certificate, most - 1)]
    leads = duels - duels.T
    won = slacks(leads) >= 0

    def cell(row: int, column: int) -> str:
        if row == column:
            return "<td>–</td>"
        depth = 0.12 + 0.5 * leads[row, column] / certificate.levels
        shade = f"rgba(47, 158, 98, {depth:.2f})" if won[row, column] else "rgba(136, 136, 136, 0.12)"
        framed = ' class="closest"' * ((row, column) == (certificate.label, certificate.rival))
        return f'<td{framed} style="background: {shade}">{duels[row, column]:,}</td>'

    head = "".join(f'<th scope="col">{escape(names[c])}</th>' for c in order)
    rows = (
        f'<tr><th scope="row">{escape(names[row])}</th>{"".join(cell(row, column) for column in order)}</tr>'
        for row in order
    )
    return (
        f'{DUELS_STYLE}<div class="dssn-duels"><table><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


SIDE = PIXEL_STEPS + 1
LENS = 14
"""Grey levels across the magnified part of the plane."""
BLUES, ORANGES = ("#4e79a7", "#c9d8e8"), ("#fbe3c8", "#f28e2b")
"""Colours of the plane, from no votes for class 1 to half, and from half to all."""


def _plane_colours(levels: int) -> np.ndarray:
    """uint8 (N + 1, 3): the colour of each number of votes for class 1; it jumps where the answer changes."""
    votes = np.arange(levels + 1)[:, None]

    def blend(ends: tuple[str, str], share: np.ndarray) -> np.ndarray:
        first, last = (np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) for colour in ends)
        mixed: np.ndarray = first + (last - first) * share
        return mixed

    colours = np.where(
        2 * votes > levels, blend(ORANGES, 2 * votes / levels - 1), blend(BLUES, (2 * votes / levels).clip(0, 1))
    )
    return colours.round().astype(np.uint8)


PICK = f' data-pick="{SIDE} {SIDE}"'


BEYOND = legend(
    [
        (
            f'<path d="M8 1L15 8 8 15 1 8z" fill="none" stroke="{WRONG_COLOUR}" stroke-width="2" '
            'stroke-dasharray="2 2" />',
            "one grey level more: the worst case",
        ),
        (f'<path d="M3 3L13 13M13 3L3 13" stroke="{WRONG_COLOUR}" stroke-width="3" />', "nearest of the other class"),
    ]
)
"""Of the legend, what lies outside of the diamond."""

PLANE = f"""<div class="legend">{
    legend(
        [
            ('<circle cx="8" cy="8" r="5" fill="white" stroke="#222" stroke-width="2" />', "the picture"),
            (
                f'<rect width="16" height="16" fill="{BLUES[1]}" />'
                '<path d="M8 2L14 8 8 14 2 8z" fill="none" stroke="#222" stroke-width="2" />',
                "certified",
            ),
        ]
    )
}{BEYOND}</div>
<div class="world">
  <div class="up ends"><span>0</span><span>second pixel</span><span>{PIXEL_STEPS}</span></div>
  <div class="plane"{PICK}>{PART}{PART}</div>
  <div></div><div class="ends"><span>0</span><span>first pixel</span><span>{PIXEL_STEPS}</span></div>
  <div></div><div class="scale" style="background: linear-gradient(to right,
    {BLUES[0]}, {BLUES[1]} 50%, {ORANGES[0]} 50%, {ORANGES[1]})"></div>
  <div></div><div class="ends"><span>all vote blue</span><span>half</span><span>all vote orange</span></div>
</div>"""


def two_pixel_plane(votes: np.ndarray, levels: int, found: Found, pick: bool = True, beyond: bool = True) -> Film:
    """Every image of two pixels coloured by its smoothed class; the chosen one with its diamond and nearest rival.

    In a corner the edge of the diamond towards that rival, magnified.

    pick: whether the plane can be clicked: row 0 of its cells is the top, where the second pixel is white. beyond:
    whether what lies outside of the diamond is drawn, too.
    """
    source = data_url(torch.from_numpy(_plane_colours(levels)[votes[::-1]]).permute(2, 0, 1))
    image, radius, other = found.image, found.radius, found.other
    x, y = image.first + 0.5, SIDE - image.second - 0.5

    def diamond(size: int, style: str) -> str:
        path = f"M{x - size} {y}L{x} {y - size} {x + size} {y} {x} {y + size}z"
        return f'<path d="{path}" fill="none" stroke-width="2" {style} />'

    def drawn(arm: float) -> str:
        """All marks; arm: half the size of the cross."""
        cross = ""
        if other is not None and beyond:
            left, up = other.first + 0.5, SIDE - other.second - 0.5
            away = counted(image.distance(other), "grey level")
            cross = (
                f'<path d="M{left - arm} {up - arm}l{2 * arm} {2 * arm}m0 -{2 * arm}l-{2 * arm} {2 * arm}" '
                f'stroke="{WRONG_COLOUR}" stroke-width="3">'
                f"<title>{away} away: pixels {other.first}, {other.second}</title></path>"
            )
        return (
            diamond(radius + 1, f'stroke="{WRONG_COLOUR}" stroke-dasharray="2 4"') * beyond
            + diamond(radius, 'stroke="#222222"')
            + cross
            + f'<circle cx="{x}" cy="{y}" r="{min(arm, max(0.4, radius / 3)):g}" fill="white" stroke="#222222" '
            'stroke-width="1.2" vector-effect="non-scaling-stroke" />'
        )

    # The two diamonds lie one grey level apart: the lens shows where the outer one comes nearest to the other class.
    towards = Point(image.first + 1, image.second) if other is None else other
    share = (radius + 0.5) / image.distance(towards)
    near_x, near_y = x + share * (towards.first - image.first), y + share * (image.second - towards.second)
    corner = f"{'right' if x < SIDE / 2 else 'left'}: 0; {'bottom' if y < SIDE / 2 else 'top'}: 0"
    lens = (
        f'<svg class="lens" style="{corner}" aria-hidden="true" '
        f'viewBox="{near_x - LENS / 2} {near_y - LENS / 2} {LENS} {LENS}">'
        f'<image href="{source}" width="{SIDE}" height="{SIDE}" style="image-rendering: pixelated" />{drawn(0.4)}</svg>'
    )
    coloured = f'<img src="{source}" alt="" draggable="false">'
    template = PLANE if pick else PLANE.replace(PICK, "")
    drawing = f'<svg viewBox="0 0 {SIDE} {SIDE}" aria-hidden="true">{drawn(3)}</svg>{lens * beyond}'
    return Film(template if beyond else template.replace(BEYOND, ""), (coloured, drawing))
