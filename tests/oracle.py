"""A naive oracle, written from the design page alone: fractions and loops. It shares no line with dssn_core."""

from fractions import Fraction
from itertools import product

import numpy as np

Q = 255


def split_interval(k, v, j, levels):
    """The interval between two neighbouring splits that holds the pixel k/q, on the [0, 1] scale, not clipped."""
    pixel = Fraction(k, Q)
    period = Fraction(levels, Q)  # 2*lambda
    split = (((v + j) % levels) + Fraction(1, 2)) / Q
    while split > pixel:
        split -= period
    while split + period < pixel:
        split += period
    assert split < pixel < split + period  # a pixel never lies on a split
    return split, split + period


def clipped_interval(k, v, j, levels):
    low, high = split_interval(k, v, j, levels)
    return max(low, Fraction(0)), min(high, Fraction(1))


def centre(k, v, j, levels):
    """x_tilde, exactly: the middle of the clipped interval."""
    low, high = clipped_interval(k, v, j, levels)
    return (low + high) / 2


def short_form(k, v, j, levels):
    """The paper's form for N >= q: x_tilde = (min(s, 1) + [x > s]) / 2, as a fraction."""
    split = (((v + j) % levels) + Fraction(1, 2)) / Q
    return (min(split, Fraction(1)) + (Fraction(k, Q) > split)) / 2


def block_centre(pixels, v, j, levels):
    """x_tilde of pixels that are split together: the middle of the splits around their sum, over the largest sum."""
    whole, most = sum(pixels), len(pixels) * Q
    splits = [s + Fraction(1, 2) for s in range((v + j) % levels, most, levels)]
    low = max([s for s in splits if s < whole] + [Fraction(0)])
    high = min([s for s in splits if s > whole] + [Fraction(most)])
    return (low + high) / 2 / most


# --- offsets, one number at a time ---


def _offset(u, levels):
    return (u * levels) >> 32


def r2_fraction(c, y, x, channels):
    return (3242174889 * x + 2447445414 * y + c * 2**32 // channels) % 2**32


def r2_offset(c, y, x, channels, levels):
    return _offset(r2_fraction(c, y, x, channels), levels)


def bayer_rank(y, x):
    """Rank 0..255 in the 16x16 ordered-dither matrix: the bits of x^y and y, interleaved and reversed."""
    rank = 0
    for bit in range(4):
        rank = 4 * rank + 2 * (((x ^ y) >> bit) & 1) + ((y >> bit) & 1)
    return rank


def bayer_offset(c, y, x, channels, levels):
    return _offset((bayer_rank(y % 16, x % 16) * 2**24 + c * 2**32 // channels) % 2**32, levels)


def white_offset(c, y, x, shape, levels, seed):
    flat = np.random.RandomState(seed).randint(0, 2**32, size=shape[0] * shape[1] * shape[2], dtype=np.int64)
    return _offset(int(flat[(c * shape[1] + y) * shape[2] + x]), levels)


def reference_offset(c, y, x, shape, levels, seed):
    """The paper's own draw."""
    flat = np.random.RandomState(seed).randint(levels, size=shape[0] * shape[1] * shape[2])
    return int(flat[(c * shape[1] + y) * shape[2] + x])


# --- certificates by definition ---


def winner(votes):
    best = 0
    for c in range(len(votes)):
        if votes[c] > votes[best]:
            best = c
    return best


def certified_steps(votes):
    """The largest R such that moving at most R votes from the winner to one rival, whichever, keeps the winner."""
    a = winner(votes)
    for moved in range(1, votes[a] + 1):
        for rival in range(len(votes)):
            if rival != a:
                after = list(votes)
                after[a] -= moved
                after[rival] += moved
                if winner(after) != a:
                    return moved - 1
    return votes[a]


def completions(votes, levels):
    """Every complete vote that may follow from the partial one."""
    rest = levels - sum(votes)
    for extra in product(range(rest + 1), repeat=len(votes)):
        if sum(extra) == rest:
            yield [n + e for n, e in zip(votes, extra, strict=True)]


def bounds(votes, levels):
    """(smallest R, largest R, whether the label is determined) over all completions."""
    finals = list(completions(votes, levels))
    steps = [certified_steps(final) for final in finals]
    return min(steps), max(steps), len({winner(final) for final in finals}) == 1


# --- duels ---


def duels(logits):
    """At [a][c] how many rows of logits rank class a above class c; of equal logits the lower index ranks higher."""
    classes = range(len(logits[0]))
    return [
        [sum(row[a] > row[c] or (row[a] == row[c] and a < c) for row in logits) if a != c else 0 for c in classes]
        for a in classes
    ]


def winner_of_duels(counts):
    """The class that beats every other, ties going to the lower index; else the one whose worst duel is least bad."""
    classes = range(len(counts))
    for a in classes:
        if all(counts[a][c] > counts[c][a] or (counts[a][c] == counts[c][a] and a < c) for c in classes if c != a):
            return a
    worst = [min(counts[a][c] - counts[c][a] - (c < a) for c in classes if c != a) for a in classes]
    return worst.index(max(worst))
