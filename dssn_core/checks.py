"""Arguments that many functions take: seeds, names out of a table, and shapes of images or blocks."""

from collections.abc import Iterable

import numpy as np

MAX_SEED = 2**32 - 1

Shape = tuple[int, int, int]


def check_seed(seed: int) -> int:
    """The seed, a whole number from 0 to 2^32-1; ValueError for anything else."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed must be an integer from 0 to {MAX_SEED}, got {seed!r}")
    return int(seed)


def check_choice(what: str, value: str, known: Iterable[str]) -> None:
    """ValueError, which lists the known values, for any other. what: the value's name in the message."""
    choices = tuple(known)
    if value not in choices:
        raise ValueError(f"unknown {what} {value!r}; known: {', '.join(choices)}")


def check_shape(shape: Iterable[int], what: str = "shape") -> Shape:
    """The shape as three positive integers; ValueError for anything else. what: its name in the message."""
    sizes = tuple(shape) if isinstance(shape, Iterable) else ()
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in sizes)
    if len(sizes) != 3 or not whole or min(sizes) < 1:
        raise ValueError(f"{what} must be (channels, height, width), three positive integers, got {shape!r}")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])
