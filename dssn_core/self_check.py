"""Does this installation compute what it should? Checked against slow, independent arithmetic and known results."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import combinations, combinations_with_replacement, permutations, product
from operator import call
from pathlib import Path

import numpy as np
import torch

from .base_classifier import Worker
from .certificate import certificate_from_votes
from .certificate_file import parse
from .checkpoints import PRETRAINED, list_models, load_model
from .constants import PIXEL_STEPS
from .duels import certificate_from_duels, count_duels
from .findings import Finding, Verdict, verdict
from .splitting import PIXELWISE, SplitNoise
from .verification import Watch, unwatched, verify
from .wording import counted

KNOWN = "certificate.json"
"""In the folder of a model that is shipped: a certificate made when the model was, to be computed again."""

SMALL_LEVELS = (2, 7, 100, 255, 300)


class Rounding(Exception):
    """What a check found differs only as it may between kinds of machines."""


def centre(pixel: int, offset: int, index: int, levels: int) -> Fraction:
    """The sample value of a pixel, in exact fractions and straight from the definition (Levine & Feizi 2021).

    Splits lie half a step above every offset + index, repeated every N steps; the pixel's interval is clipped to the
    scale, and its middle taken.
    """
    split = Fraction(2 * ((offset + index) % levels) + 1, 2)
    below = split + levels * ((pixel - split) // levels)
    low, high = max(below, Fraction(0)), min(below + levels, Fraction(PIXEL_STEPS))
    return (low + high) / (2 * PIXEL_STEPS)


def _splitting() -> str:
    """Every pixel value, at a few offsets, in every sample of a few small N."""
    compared = 0
    pixels = torch.arange(PIXEL_STEPS + 1, dtype=torch.uint8)[None, None, :]
    for levels in SMALL_LEVELS:
        offset = levels // 3
        noise = SplitNoise(levels, (1, 1, PIXEL_STEPS + 1), torch.full((1, 1, PIXEL_STEPS + 1), offset))
        found = noise.numerators(pixels, 0, levels)[:, 0, 0].tolist()
        for index, pixel in product(range(levels), range(PIXEL_STEPS + 1)):
            expected = centre(pixel, offset, index, levels)
            if Fraction(found[index][pixel], 4 * PIXEL_STEPS) != expected:
                raise AssertionError(f"pixel {pixel}, N = {levels}, j = {index}: {found[index][pixel]}/1020")
            compared += 1
    return f"{compared:,} sample values equal the exact fractions"


def _one_sample() -> str:
    """A step of one pixel changes exactly one sample, also where the colours of a pixel are split together."""
    generator = torch.Generator().manual_seed(0)
    tried = 0
    for levels, scheme, block in product((3, 132, 441), ("r2", "white"), (PIXELWISE, (3, 1, 1))):
        noise = SplitNoise(levels, (3, 4, 4), scheme, block=block)
        image = torch.randint(0, PIXEL_STEPS, (3, 4, 4), generator=generator, dtype=torch.uint8)
        before = noise.numerators(image, 0, levels)
        for place in product(range(3), range(4), range(4)):
            stepped = image.clone()
            stepped[place] += 1
            changed = (noise.numerators(stepped, 0, levels) != before).flatten(1).any(dim=1)
            if int(changed.sum()) != 1:
                raise AssertionError(f"{noise}: a step at {place} changed {int(changed.sum())} samples")
            tried += 1
    return f"each of {tried} steps of one pixel changed exactly one sample"


def _winner(votes: tuple[int, ...]) -> int:
    return max(range(len(votes)), key=lambda c: (votes[c], -c))


def _arithmetic() -> str:
    """R against trying out, for every vote of a few samples over three classes: R moves never help, R + 1 may."""
    levels, tried = 9, 0
    for first, second in product(range(levels + 1), repeat=2):
        votes = (first, second, levels - first - second)
        if votes[2] < 0:
            continue
        label = _winner(votes)

        def safe(moves: int, votes: tuple[int, ...] = votes, label: int = label) -> bool:
            """Whether no rival wins after `moves` votes or fewer went over to it."""
            rivals = [c for c in range(3) if c != label]
            return all(
                _winner(tuple(n + moved * ((c == rival) - (c == label)) for c, n in enumerate(votes))) == label
                for rival in rivals
                for moved in range(min(moves, votes[label]) + 1)
            )

        radius = certificate_from_votes(votes, levels).radius_steps
        if not safe(radius) or safe(radius + 1):
            raise AssertionError(f"votes {votes}: R = {radius}")
        tried += 1
    return f"R is exactly what brute force gives, for all {tried} votes of {levels} samples over 3 classes"


def _wins_all(rankings: tuple[tuple[int, ...], ...]) -> int | None:
    """The class that wins all of its duels, where each sample ranks first what it likes best; None if there is none."""
    for a in range(3):
        leads = {c: sum(2 * (r.index(a) < r.index(c)) - 1 for r in rankings) for c in range(3) if c != a}
        if all(lead > 0 or (lead == 0 and a < c) for c, lead in leads.items()):
            return a
    return None


def _duels() -> str:
    """Every ranking of three classes by four samples, and every change of as many samples as R allows."""
    ways, tried = tuple(permutations(range(3))), 0
    for rankings in combinations_with_replacement(ways, 4):
        logits = np.array([[-r.index(c) for c in range(3)] for r in rankings])
        votes = [sum(r[0] == c for r in rankings) for c in range(3)]
        certificate, winner = certificate_from_duels(count_duels(logits), votes, 4), _wins_all(rankings)
        if winner is None and certificate.radius_steps == 0:
            continue
        for places in combinations(range(4), certificate.radius_steps):
            for new in product(ways, repeat=certificate.radius_steps):
                after = dict(enumerate(rankings)) | dict(zip(places, new, strict=True))
                if not certificate.label == winner == _wins_all(tuple(after.values())):
                    raise AssertionError(f"rankings {rankings}: R = {certificate.radius_steps}")
                tried += 1
    return f"no change of R samples changes the answer, in all {tried:,} changes of 4 samples over 3 classes"


def _networks(folder: Path) -> str:
    names = list_models(folder)
    if not names:
        raise AssertionError("there are none")
    return f"{len(names)} are installed: {', '.join(names)}"


def _weights(name: str, folder: Path) -> str:
    model = load_model(name, folder)
    return f"weights, shapes and offsets are those of the manifest: {model.manifest.weights_sha256[:16]}…"


def _known(name: str, folder: Path, watch: Watch, work: Worker) -> str:
    document = parse((folder / name / KNOWN).read_bytes())
    findings = list(verify(document, folder=folder, watch=watch, work=work))
    differing = "; ".join(f"{finding.what}: {finding.text}" for finding in findings if not finding.agrees)
    result = verdict(findings)
    if result in (Verdict.DIFFERS, Verdict.EDITED):
        raise AssertionError(differing)
    if result == Verdict.ROUNDING:
        raise Rounding(f"computed again, it differs only as another kind of machine may: {differing}")
    claim = document["claim"]
    return f"computed again, it is the same: “{claim['class']}” within {counted(claim['radius_steps'], 'grey level')}"


def checks(
    folder: Path = PRETRAINED, watch: Watch = unwatched, work: Worker = call
) -> Iterator[tuple[str, Callable[[], str]]]:
    """What there is to check: a name, and a function that returns what it compared or raises.

    watch, work: as for `verify`.
    """
    yield "splitting against exact fractions", _splitting
    yield "one step, one sample", _one_sample
    yield "the radius against brute force", _arithmetic
    yield "the radius by duels against brute force", _duels
    yield "the networks", partial(_networks, folder)
    for name in list_models(folder):
        yield f"{name}: the files", partial(_weights, name, folder)
        if (folder / name / KNOWN).is_file():
            yield f"{name}: a known certificate", partial(_known, name, folder, watch, work)


def outcome(what: str, check: Callable[[], str]) -> Finding:
    """Do one of `checks`. One that fails says why, and nothing is raised."""
    try:
        return Finding(what, True, check())
    except Rounding as difference:
        return Finding(what, False, f"{difference}", rounding=True)
    except Exception as error:  # whatever is wrong with this installation, it is to be told
        return Finding(what, False, f"{error}" if isinstance(error, AssertionError | ValueError) else repr(error))


def run(folder: Path = PRETRAINED) -> Iterator[Finding]:
    """Do all checks, one after the other; a check that fails does not stop the others."""
    for what, check in checks(folder):
        yield outcome(what, check)
