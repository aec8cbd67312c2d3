"""The command that looks for what a certificate does not cover."""

from pathlib import Path
from statistics import median

from tqdm import tqdm

from ..constants import DSSN
from ..files import write_atomically
from ..flips import ROUNDS, Flip, nearest_flip
from ..gallery import pictures_for
from ..images import png, read_image
from ..voting import certify
from ..wording import counted
from .options import (
    POSITIVE,
    Command,
    Options,
    Parser,
    add_vote_options,
    check_output,
    model_of,
    warn_of_other_noise,
)


def add_attack(parser: Parser) -> None:
    pictures = "PNG, JPEG, WebP or BMP pictures, cropped and resized to fit (default: all built-in ones)"
    parser.add_argument("images", type=Path, nargs="*", metavar="image", help=pictures)
    add_vote_options(parser)
    parser.add_argument("--rounds", type=POSITIVE, default=ROUNDS, help="of the search, at most (default %(default)s)")
    parser.add_argument("--output", type=Path, help="write the picture that was found, as PNG, as soon as it is")
    parser.epilog = "exit code: 0 if one was found for every picture"


def run_attack(options: Options) -> int:
    model = model_of(options)
    if options.output:
        if len(options.images) != 1:
            raise ValueError("--output is for the flip of one picture: name one")
        check_output(options.output, options.images[0])
    warn_of_other_noise(model, DSSN, [options.levels])
    names, counting = model.class_names, options.counting or model.counting
    noise = model.manifest.noise_at(options.levels)
    paths = options.images or [picture.path for picture in pictures_for(model)]
    images = [read_image(path, model.input_shape[1:]) for path in paths]
    ratios = list[float]()
    for path, image in zip(paths, images, strict=True):
        certificate = certify(model, image, options.levels, counting=counting)
        print(f"{path.name}: {certificate.statement(names[certificate.label])}")
        searches = nearest_flip(model, image, noise, certificate, counting, options.rounds)
        flip: Flip | None = None
        for search in tqdm(searches, unit="round", total=options.rounds, disable=None, leave=False):
            before, flip = flip, search.nearest
            if options.output and flip is not None and flip is not before:
                write_atomically(options.output, png(flip.image))  # at once: who interrupts the search keeps it
        if flip is None:
            print("No picture with another answer was found, which does not mean that there is none.", flush=True)
            continue
        print(f"A change of {counted(flip.distance, 'grey level')} was found that makes it “{names[flip.label]}”.")
        print(certificate.bracket(flip.distance), flush=True)
        ratios.append(flip.distance / (certificate.radius_steps + 1))
    if len(images) > 1 and ratios:
        least, middle, most = min(ratios), median(ratios), max(ratios)
        told = f"{least:.1f} to {most:.1f} times the least that is possible, R + 1, median {middle:.1f}"
        print(f"Flips of {len(ratios)} of {len(images)} pictures were found, at {told}.")
    return 0 if len(ratios) == len(images) else 1


COMMANDS = {"attack": Command("look for the nearest picture with another answer", add_attack, run_attack)}
