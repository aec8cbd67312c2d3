"""Numbers and values as people read them: a bound never grows on its way to the screen."""

import json
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from .constants import PIXEL_STEPS


def display_radius(steps: int) -> str:
    """R/255 with four decimals, rounded down: what is shown is never larger than what is certified."""
    return _as_decimal(steps * 10_000 // PIXEL_STEPS)


def shown_steps(steps: float) -> str:
    """A radius in steps, as `display_radius`; of a randomized method they need not be whole."""
    return display_radius(steps) if isinstance(steps, int) else rounded_down(steps / PIXEL_STEPS)


def display_bound(steps: int) -> str:
    """R/255 with four decimals, rounded up: a radius that cannot be exceeded."""
    return _as_decimal(-(-steps * 10_000 // PIXEL_STEPS))


def _as_decimal(units: int) -> str:
    """Units of 1/10,000 as a number with four decimals."""
    return f"{units // 10_000}.{units % 10_000:04d}"


def rounded_down(value: float, digits: int = 4) -> str:
    """Decimal digits of a number, never more than it is."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_FLOOR))


def rounded_up(value: float, digits: int = 4) -> str:
    """Decimal digits of a number, never less than it is."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_CEILING))


def at_most(value: float) -> str:
    """Two digits of a largest value that was measured: the number that they are read as is never less than it is."""
    exact = Decimal(str(value))
    return f"{float(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), rounding=ROUND_CEILING)):.2g}"


def counted(count: int, thing: str) -> str:
    """How many of a thing whose name takes an s: 1 step, 2 steps."""
    return f"{count:,} {thing}{'s' * (count != 1)}"


def shown(value: object) -> str:
    """A value from a file as one line of text that no terminal and no page takes for anything else."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(letter if letter.isprintable() else "�" for letter in text)
    if re.fullmatch("[0-9a-f]{64}", text):  # a hash
        return f"{text[:16]}…"
    return text if len(text) <= 80 else f"{text[:60]} …"
