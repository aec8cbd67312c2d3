"""JSON from anywhere, read so that no two readers see different things, and held against a schema of this package."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from .wording import shown

INTEGERS = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
"""JSON Schema accepts 3.0 as an integer; here it is none, because later code needs an `int`."""
VALIDATOR = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=INTEGERS)  # type: ignore[no-untyped-call]


def parse(text: bytes | str) -> Any:
    """What a text says; ValueError for one that is not JSON in UTF-8, or that readers understand differently.

    Such as numbers too large or not finite, and objects that say something twice.
    """
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_unambiguous)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def check_fits(found: Any, name: str) -> None:
    """ValueError, which names the place, unless what was read fits the schema `name` of this package."""
    try:
        error = jsonschema.exceptions.best_match(_validator(name).iter_errors(found))
    except RecursionError:  # from putting a value into the message
        raise ValueError("it is nested too deeply") from None
    if error is not None:
        place, why = shown("/".join(map(str, error.absolute_path))) or "the file", error.message
        raise ValueError(f"{place}: {why if len(why) <= 200 else f'{why[:110]} … {why[-80:]}'}")


@cache
def _validator(name: str) -> Any:
    return VALIDATOR(schema(name))


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema `name` of this package."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name(f"{name}_schema.json").read_text(encoding="utf-8"))
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text} is too large a number")
    return float(text)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it says {name!r} twice")
        found[name] = value
    return found
