"""Arguments that many functions take: whole numbers, names out of a table, and shapes of images or blocks."""

import operator
from collections.abc import Iterable

MAX_SEED = 2**32 - 1

Shape = tuple[int, int, int]


def check_whole(what: str, value: object, low: int = 1, high: int | None = None) -> int:
    """The value, also one of numpy's, as an int from `low` to `high`; ValueError for anything else, a bool too.

    what: its name in the message.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = low - 1
    if isinstance(value, bool) or number < low or (high is not None and number > high):
        meant = f"an integer from {low} to {high}" if high is not None else f"an integer of {low} or more"
        raise ValueError(f"{what} must be {meant}, got {value!r}")
    return number


def check_seed(seed: int) -> int:
    """The seed, a whole number from 0 to 2^32-1; ValueError for anything else."""
    return check_whole("seed", seed, 0, MAX_SEED)


def check_choice(what: str, value: str, known: Iterable[str]) -> None:
    """ValueError, which lists the known values, for any other. what: the value's name in the message."""
    choices = tuple(known)
    if value not in choices:
        raise ValueError(f"unknown {what} {value!r}; known: {', '.join(choices)}")


def check_shape(shape: Iterable[int], what: str = "shape") -> Shape:
    """The shape as three positive integers; ValueError for anything else. what: its name in the message."""
    try:
        channels, height, width = (check_whole(what, size) for size in shape)
    except (TypeError, ValueError):
        raise ValueError(f"{what} must be (channels, height, width), three positive integers, got {shape!r}") from None
    return channels, height, width
