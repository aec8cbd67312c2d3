"""What the steps of the lesson show, first with their question and then with the answer.

All of it is computed but two votes of a network, which a test counts again. Each figure is a function of the lesson's
picture, uint8 (3, H, W), and of whether the answer has been revealed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app import charts, laboratory, proof_charts
from app.film import Film
from app.pictures import sample_image
from app.splitting_charts import moving_splits, offset_picture
from app.strips import bands, filmstrip, hits
from dssn_core import PIXEL_STEPS, SplitNoise, certificate_from_votes, levels_from_lambda
from dssn_core.attack import distance
from dssn_core.checks import check_shape
from dssn_core.datasets import CIFAR10_CLASSES
from dssn_core.two_pixels import Point, World

VOTES = (0, 362, 0, 0, 0, 0, 0, 0, 0, 79)
"""Of the small network on the lesson's picture, at sigma 0.5; they certify `RADIUS` grey levels."""
VOTES_IN_MORE_NOISE = (3, 1094, 2, 46, 0, 13, 0, 6, 81, 1846)
"""At sigma 3.5, by which the answer is wrong."""
RADIUS = 141

OFFSETS_INDEX = 100
"""Of the sample that shows what offsets do: at 0 those that are equal would say nothing of this picture."""

PIXEL, FEW_LEVELS = 100, levels_from_lambda(0.25)
"""Of the steps about one pixel, whose offset is 0: a grey level, and N."""


@dataclass(frozen=True)
class Figure:
    """alt: for those who do not see it. play: what its button says, if it plays."""

    film: Film
    alt: str
    play: str = "Play"


LessonFigure = Callable[[Tensor, bool], Figure]


def _strip(
    cells: Sequence[tuple[str, Sequence[Tensor]]], rows: Sequence[str] = ("",), below: str = "", said: str = ""
) -> Figure:
    """Pictures side by side. below: HTML of what stands below them; said: what that is, in words."""
    alt = "; ".join([*(caption for caption, _ in cells), *([said] if said else [])])
    return Figure(Film(filmstrip(cells, 115, rows) + below), alt)  # four beside each other on a small laptop


def _one_pixel() -> SplitNoise:
    return SplitNoise(FEW_LEVELS, (1, 1, 1), torch.zeros(1, 1, 1, dtype=torch.int64))


def _told(votes: Sequence[int]) -> str:
    return ", ".join(f"{CIFAR10_CLASSES[c]} {votes[c]:,}" for c in charts.ranking(votes) if votes[c])


def many_values(image: Tensor, count: int) -> Tensor:
    """The image with one grey level more in so many values of its first channel."""
    changed = image.clone()
    first = changed[0].view(-1)
    first[torch.arange(count) * len(first) // count] += 1
    return changed


def one_value(image: Tensor, steps: int) -> Tensor:
    """The image with so many grey levels more in its darkest value."""
    changed = image.clone()
    changed.view(-1)[changed.argmin()] += steps
    return changed


def promise(image: Tensor, revealed: bool) -> Figure:
    changes = {
        f"{RADIUS} pixels, one grey level each in one channel": many_values(image, RADIUS),
        "every value one grey level brighter": image + 1,
        "one pixel, 200 grey levels": one_value(image, 200),
    }
    nothing = torch.zeros_like(image)
    cells = [("the picture", [nothing, image] if revealed else [image])]
    for what, changed in changes.items():
        steps = distance(image, changed)
        said = f": {steps:,} in all, {'covered' if steps <= RADIUS else 'not covered'}"
        where = (changed != image).to(torch.uint8) * PIXEL_STEPS
        cells.append((what + said * revealed, [where, changed] if revealed else [changed]))
    return _strip(cells, ("where it changed", "the picture") if revealed else ("",))


def votes(image: Tensor, revealed: bool) -> Figure:
    levels = sum(VOTES)
    certificate = certificate_from_votes(VOTES, levels)
    if revealed:
        film = proof_charts.vote_transfer(certificate, CIFAR10_CLASSES)
        return Figure(film, " ".join(certificate.account(CIFAR10_CLASSES)), "Move votes")
    noise, count = SplitNoise(levels, check_shape(image.shape)), 3
    samples = noise.samples_at(image, torch.arange(count) * levels // count)
    cells = [(f"one of the {levels} samples", [sample_image(sample)]) for sample in samples]
    bars = charts.vote_bars(VOTES, CIFAR10_CLASSES, levels, most=2, bracket=False)
    return _strip([("the picture", [image]), *cells], below=bars, said=_told(VOTES))


def split(image: Tensor, revealed: bool) -> Figure:
    index = PIXEL if revealed else 0  # a split lies just above the pixel where j is k - v
    film = moving_splits(_one_pixel(), PIXEL, index)
    return Figure(film, f"grey level {PIXEL} on its number line, with the splits", "Play j")


def centre(image: Tensor, revealed: bool) -> Figure:
    noise = _one_pixel()
    before, after = (
        noise.samples(torch.full((1, 1, 1), pixel, dtype=torch.uint8), 0, noise.levels).flatten()
        for pixel in (PIXEL, PIXEL + 1)
    )
    changed = before != after
    title = f"the centre in each of the {noise.levels} samples, from j = 0 to {noise.levels - 1}"
    rows = [(f"Pixel {PIXEL}: {title}", sample_image(before))]
    if revealed:
        which = ", ".join(str(j) for j in changed.nonzero().flatten().tolist())
        rows += [
            (f"Pixel {PIXEL + 1}: its centres", sample_image(after)),
            (f"Where they differ (orange): j = {which}", hits(changed)),
        ]
    return Figure(Film(bands(rows)), " ".join(text for text, _ in rows))


def count(image: Tensor, revealed: bool) -> Figure:
    changes = {
        f"one value, {RADIUS} grey levels": one_value(image, RADIUS),
        f"{RADIUS} values, one grey level each": many_values(image, RADIUS),
    }
    cells = [("the picture", [image]), *((what, [changed]) for what, changed in changes.items())]
    if not revealed:
        return _strip(cells)
    noise, rows = SplitNoise(sum(VOTES), check_shape(image.shape)), []
    before = noise.numerators(image, 0, noise.levels)
    for what, changed in changes.items():
        moved = (noise.numerators(changed, 0, noise.levels) != before).flatten(1).any(dim=1)
        rows.append((f"{what}: {int(moved.sum())} of {noise.levels} samples changed (orange)", hits(moved)))
    return _strip(cells, below=bands(rows), said="; ".join(found for found, _ in rows))


def theorem(image: Tensor, revealed: bool) -> Figure:
    world = World()
    plane = laboratory.plane(world)
    found = world.found(plane, Point())
    film = proof_charts.two_pixel_plane(plane, world.levels, found, pick=False, beyond=revealed)
    counts = f"N = {world.levels}: {world.levels - found.ones} vote blue, {found.ones} orange; R = {found.radius}"
    alt = f"the plane of all pictures of two pixels, and a diamond around one of them. {counts}"
    return Figure(replace(film, template=f'<div class="title">{counts}</div>{film.template}'), alt)


def more_noise(image: Tensor, revealed: bool) -> Figure:
    cells = [("the picture", [image])]
    for lam in (0.5, 1.0) if revealed else (0.5,):
        noise = SplitNoise(levels_from_lambda(lam), check_shape(image.shape))
        said = f"; {int(100 * noise.known)}\u00a0% of the values say something" * revealed
        cells.append((f"a sample, λ = {lam:g}{said}", [sample_image(noise.samples(image, 0, 1)[0])]))
    return _strip(cells)


def offsets(image: Tensor, revealed: bool) -> Figure:
    cells = []
    for name, scheme in (("random", "white"), ("the same for all", "equal"), ("evenly spread", "r2")):
        noise = SplitNoise(levels_from_lambda(1.0), check_shape(image.shape), scheme)
        shown = [offset_picture(noise)]
        if revealed:
            shown += laboratory.sample_and_rebuilt(image, noise, OFFSETS_INDEX)
        cells.append((name, shown))
    rows = ("offsets", "sample", "what a blur gets back")[: len(cells[0][1])]
    figure = _strip([("the picture", [image]), *cells], rows)
    return Figure(figure.film, f"from above: {', '.join(rows)}; {figure.alt}")


def not_said(image: Tensor, revealed: bool) -> Figure:
    levels = sum(VOTES_IN_MORE_NOISE)
    bars = charts.vote_bars(VOTES_IN_MORE_NOISE, CIFAR10_CLASSES, levels, most=3)
    caption = f"the picture of step 2, an automobile; below, the votes of its {levels:,} samples"
    return _strip([(caption, [image])], below=bars, said=_told(VOTES_IN_MORE_NOISE))
