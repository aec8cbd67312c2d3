"""Numbers in words and digits, for people: a bound never grows on its way to the screen."""

from decimal import ROUND_FLOOR, Decimal

from .constants import PIXEL_STEPS


def display_radius(steps: int) -> str:
    """R/255 with four decimals, rounded down: what is shown is never larger than what is certified."""
    units = steps * 10_000 // PIXEL_STEPS
    return f"{units // 10_000}.{units % 10_000:04d}"


def rounded_down(value: float, digits: int = 4) -> str:
    """Decimal digits of a number, never more than it is."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_FLOOR))


def counted(count: int, thing: str) -> str:
    """How many of a thing whose name takes an s: 1 step, 2 steps."""
    return f"{count} {thing}{'s' * (count != 1)}"
