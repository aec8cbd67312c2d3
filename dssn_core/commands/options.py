"""What commands share: what one is, kinds and groups of options, an exit code, a warning."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..checkpoints import load_model
from ..checks import check_whole
from ..classifier import Classifier
from ..constants import COUNTINGS, check_levels, levels_from_lambda, levels_from_sigma, sigma_from_levels
from ..files import check_replaceable, check_writable, resolved
from ..records import WHOLE

Parser = argparse.ArgumentParser
Options = argparse.Namespace

DEFAULT_MODEL = "cifar10-dssn"

DIFFERS = 3
"""Exit code of `verify` and `self-check` for what was checked and does not hold."""


def checked(convert: Callable[[str], Any], check: Callable[[Any], Any]) -> Callable[[str], Any]:
    """An argparse type whose refusal carries the library's own message."""

    def parse(text: str) -> Any:
        try:
            return check(convert(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def usable_sigma(sigma: float) -> float:
    levels_from_sigma(sigma)
    return sigma


def json_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f'must be a JSON object such as {{"stem": 24}}, got {json.dumps(value)}')
    return value


def radius(rho: float) -> float:
    if not 0 <= rho < float("inf"):
        raise ValueError(f"a radius must be a number of 0 or more, got {rho}")
    return rho


POSITIVE = checked(int, partial(check_whole, "the number"))
RADIUS = checked(float, radius)
SIGMA = checked(float, usable_sigma)


def warn_of_other_noise(model: Classifier, method: str, levels: Iterable[int]) -> None:
    """Say on standard error what of this noise the model was not trained for."""
    manifest, other = model.manifest, [n for n in levels if not model.manifest.trained_at(n)]
    if method != manifest.noise:
        print(f"{manifest.name} is trained for {manifest.noise}: these samples are new to it", file=sys.stderr)
    if other:
        known = "{} is trained for sigma from {:g} to {:g}".format(manifest.name, *manifest.sigma_range)
        there = ", ".join(f"{sigma_from_levels(n):.2g}" for n in other)
        print(f"{known}: its answers at sigma {there} mean little", file=sys.stderr)


def add_noise_options(parser: Parser) -> None:
    noise = parser.add_mutually_exclusive_group()
    for option, convert, check, text in (
        ("--sigma", float, levels_from_sigma, "noise as standard deviation, lambda/sqrt(3) (default 0.5)"),
        ("--lambda", float, levels_from_lambda, "noise as lambda = N/510, half the period of the splits"),
        ("--levels", int, check_levels, "noise as N, the number of samples, 2 to 8192"),
    ):
        noise.add_argument(
            option, dest="levels", type=checked(convert, check), metavar=option.strip("-").upper(), help=text
        )
    parser.set_defaults(levels=levels_from_sigma(0.5))


def add_model_option(parser: Parser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or folder of a model (default %(default)s)")


def add_part_options(parser: Parser) -> None:
    parser.add_argument("--files", default=WHOLE.files, metavar="PATTERN", help="only images whose file names match")
    parser.add_argument("--but", default=WHOLE.but, metavar="PATTERN", help="but none whose file names match this")


def add_float32_option(parser: Parser) -> None:
    parser.add_argument(
        "--float32", action="store_true", help="vote in this number format, as any model may, and not in its own"
    )


def add_vote_options(parser: Parser) -> None:
    """Of commands that vote on single pictures: which model, at what noise, counted and computed how."""
    add_model_option(parser)
    add_noise_options(parser)
    parser.add_argument("--counting", choices=COUNTINGS, help="plurality: first choices (default: as the model)")
    add_float32_option(parser)


def check_output(output: Path, image: Path | None = None) -> None:
    """ValueError or OSError unless a file can be written there, and spares the picture that it is made of."""
    check_replaceable(output)
    check_writable(next(folder for folder in resolved(output).parents if folder.exists()))
    if image is not None and resolved(output) == resolved(image):
        raise ValueError("--output names the picture itself: choose another name, or it would be lost")


def model_of(options: Options) -> Classifier:
    """The model that the options name, in the number format that they ask for."""
    model = load_model(options.model)
    return model.running_in("float32") if options.float32 else model


@dataclass(frozen=True)
class Command:
    """help: one line. add_options: to a parser. run: with the parsed options; returns the exit code.

    ValueError, FloatingPointError and OSError of a run are refusals: their message is for the user.
    """

    help: str
    add_options: Callable[[Parser], None]
    run: Callable[[Options], int]
