"""Commands about this installation: what it computes, how exactly, and how fast."""

from .. import agreement, self_check, speed, strict
from ..checkpoints import load_model
from ..gallery import pictures_for
from ..images import read_image
from ..wording import counted
from .options import DIFFERS, POSITIVE, Command, Options, Parser, add_model_option, add_noise_options

# --- self-check ------------------------------------------------------------------------------------------------------


def add_self_check(parser: Parser) -> None:
    parser.epilog = f"exit code: 0 all passed, {DIFFERS} something is wrong"


def run_self_check(options: Options) -> int:
    at_fault = False
    for result in self_check.run():
        mark = "passed" if result.agrees else "rounds" if result.rounding else "FAILED"
        print(f"{mark}  {result.what}: {result.text}", flush=True)
        at_fault |= result.at_fault
    return DIFFERS if at_fault else 0


# --- agree -----------------------------------------------------------------------------------------------------------


def add_agree(parser: Parser) -> None:
    add_model_option(parser)
    add_noise_options(parser)
    parser.add_argument("--images", type=POSITIVE, default=20, help="how many built-in pictures (default %(default)s)")


def run_agree(options: Options) -> int:
    model = load_model(options.model)
    images = [read_image(picture.path, model.input_shape[1:]) for picture in pictures_for(model)[: options.images]]
    pictures, reference = counted(len(images), "picture"), agreement.settings_of(model)[0]
    print(f"{options.model}, N = {options.levels}, {pictures}, against {reference}")
    logits = agreement.reference_logits(model, images, options.levels)
    for found in agreement.compare(model, images, logits):
        print(found, flush=True)
    for price in strict.prices([found.numpy() for found in logits], model.counting):
        print(price)
    return 0


# --- bench -----------------------------------------------------------------------------------------------------------


def add_bench(parser: Parser) -> None:
    add_model_option(parser)
    add_noise_options(parser)
    parser.add_argument("--rounds", type=POSITIVE, default=7)
    parser.add_argument("--batch-size", type=POSITIVE, help="most samples of a chunk (default: as many as fit)")


def run_bench(options: Options) -> int:
    model = load_model(options.model)
    image = read_image(pictures_for(model)[0].path, model.input_shape[1:])
    print(speed.measured(model, image, options.levels, options.rounds, options.batch_size))
    return 0


COMMANDS = {
    "self-check": Command("check that this installation computes what it should", add_self_check, run_self_check),
    "agree": Command("measure how much threads, chunks and number formats change votes", add_agree, run_agree),
    "bench": Command("time certification against the bare forward passes", add_bench, run_bench),
}
