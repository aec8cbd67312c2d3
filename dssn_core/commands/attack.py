"""The command that looks for what a certificate does not cover."""

from pathlib import Path

from tqdm import tqdm

from ..constants import COUNTINGS, DSSN
from ..files import check_replaceable, resolved, write_atomically
from ..flips import ROUNDS, Flip, nearest_flip
from ..images import png, read_image
from ..voting import certify, noise_for
from ..wording import counted
from .options import (
    DEFAULT_MODEL,
    POSITIVE,
    Command,
    Options,
    Parser,
    add_float32_option,
    add_noise_options,
    model_of,
    warn_of_other_noise,
)


def add_attack(parser: Parser) -> None:
    parser.add_argument("image", type=Path, help="a PNG, JPEG, WebP or BMP picture; cropped and resized to fit")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or folder of a model (default %(default)s)")
    add_noise_options(parser)
    parser.add_argument("--counting", choices=COUNTINGS, help="how votes are counted (default: as the model says)")
    add_float32_option(parser)
    parser.add_argument("--rounds", type=POSITIVE, default=ROUNDS, help="of the search, at most (default %(default)s)")
    parser.add_argument("--output", type=Path, help="write the picture that was found, as PNG")


def run_attack(options: Options) -> int:
    model = model_of(options)
    image = read_image(options.image, model.input_shape[1:])
    warn_of_other_noise(model, DSSN, [options.levels])
    if options.output:
        check_replaceable(options.output)
        if resolved(options.output) == resolved(options.image):
            raise ValueError("--output names the picture itself: choose another name, or it would be lost")
    names, counting = model.class_names, options.counting or model.counting
    certificate = certify(model, image, options.levels, counting=counting)
    print(certificate.statement(names[certificate.label]))
    nearest: Flip | None = None
    noise = noise_for(model, options.levels)
    searches = nearest_flip(model, image, noise, certificate, counting, options.rounds)
    for search in tqdm(searches, unit="round", total=options.rounds, disable=None, leave=False):
        nearest = search.nearest
    if nearest is None:
        print("No picture with another answer was found, which does not mean that there is none.")
        return 0
    print(f"A change of {counted(nearest.distance, 'grey level')} was found that makes it “{names[nearest.label]}”.")
    print(certificate.bracket(nearest.distance))
    if options.output:
        write_atomically(options.output, png(nearest.image))
    return 0


COMMANDS = {"attack": Command("look for the nearest picture with another answer", add_attack, run_attack)}
