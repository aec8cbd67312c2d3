"""Commands that make networks."""

from dataclasses import fields, replace
from pathlib import Path

from .. import strict_json
from ..architectures import ARCHITECTURES
from ..checkpoints import find_model, load_model, save_checkpoint
from ..constants import COUNTINGS
from ..ensembles import joined
from ..files import only_writer, resolved
from ..manifest import MANIFEST
from ..noises import NOISES
from ..offsets import FRACTIONS
from ..optimizers import OPTIMIZERS
from ..precision import PRECISIONS
from ..tasks import TASKS
from ..train_settings import DENOISER, TrainSettings
from ..training import Trainer
from ..training_run import check_run, train
from .options import POSITIVE, Command, Options, Parser, checked, json_object

# --- train -----------------------------------------------------------------------------------------------------------


def add_train(parser: Parser) -> None:
    parser.add_argument("--dataset", choices=list(TASKS), default="cifar10", help="what --data holds")
    parser.add_argument("--data", required=True, help="zip or folder of class folders, or 'download' (CIFAR-10)")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run; its name becomes the model's")
    parser.add_argument("--start", help="model to start from, a name or a folder; of an ensemble, the member that fits")
    parser.add_argument(
        "--check-every",
        type=POSITIVE,
        help="images between held-out checks, made when a line is logged (default: 1/16 of the budget)",
    )
    parser.add_argument("--counting", choices=COUNTINGS, help="how the resulting classifier's votes are counted")
    own = parser.add_argument_group("settings (each data set has its own defaults)")
    own.add_argument("--noise", choices=list(NOISES))
    own.add_argument("--offsets", choices=list(FRACTIONS), help="offset scheme")
    own.add_argument(
        "--block", type=int, nargs=3, metavar=("CHANNELS", "ROWS", "COLUMNS"), help="pixels that are split together"
    )
    own.add_argument("--images", type=int, help="budget: images seen")
    own.add_argument("--batch-size", type=int)
    own.add_argument("--optimizer", choices=list(OPTIMIZERS))
    own.add_argument("--learning-rate", type=float)
    own.add_argument("--weight-decay", type=float)
    own.add_argument("--momentum", type=float)
    own.add_argument("--architecture", choices=list(ARCHITECTURES))
    own.add_argument("--seed", type=int)
    own.add_argument("--averaging", type=float, help="decay per step of the averaged weights; less for a short run")
    own.add_argument("--consistency", type=float, help="weight of the disagreement between two samples of an image")
    own.add_argument("--operations", type=int, help="RandAugment operations on every picture (default: none)")
    own.add_argument("--held-out-per-class", type=int, help="images held out from training, for making choices")
    own.add_argument("--sigma-range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="range of the training noise")
    own.add_argument(
        "--network", type=checked(strict_json.parse, json_object), metavar="JSON", help="settings of the architecture"
    )
    own.add_argument("--stability", type=float, help="for a denoiser: weight of matching the classifier's answers")
    own.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="number format of convolutions in training; bfloat16 is faster where the processor supports it",
    )
    own.add_argument("--inference", choices=PRECISIONS, help="the same, for the resulting classifier")


def settings_of(options: Options) -> TrainSettings:
    """Those of the data set, with what the options say."""
    names = {field.name for field in fields(TrainSettings)}
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    given.update({name: tuple(given[name]) for name in ("sigma_range", "block") if name in given})
    settings = replace(TASKS[options.dataset].settings, **given)
    if "stability" in given and settings.architecture != DENOISER:
        raise ValueError(
            f"--stability is for a denoiser: {settings.architecture!r} learns labels, and has no use for it"
        )
    return settings


def run_train(options: Options) -> int:
    settings = settings_of(options)
    check_run(options.output, settings, options.counting)
    if options.start:
        find_model(options.start)
    with only_writer(options.output):  # all of this before the data are read, which may take long
        trainer = Trainer(settings, TASKS[options.dataset].load(options.data), options.start)
        manifest = train(
            trainer,
            options.output,
            check_every=options.check_every,
            counting=options.counting,
            report=lambda line: print(line, flush=True),
        )
    print(f"wrote {options.output} (weights {manifest.weights_sha256})")
    return 0


# --- join ------------------------------------------------------------------------------------------------------------


def add_join(parser: Parser) -> None:
    parser.add_argument("--model", nargs="+", required=True, help="names of the members, or their folders")
    parser.add_argument("--output", type=Path, required=True, help="folder of the new model, which takes its name")
    parser.add_argument("--precision", choices=PRECISIONS, help="number format (default: its members')")
    parser.add_argument("--counting", choices=COUNTINGS, help="how votes are counted (default: its members')")


def run_join(options: Options) -> int:
    if (options.output / MANIFEST).exists():
        raise ValueError(f"{options.output} holds a model already: choose another folder")
    models = [load_model(name) for name in options.model]
    network, manifest = joined(models, resolved(options.output).name, options.counting)
    manifest = replace(manifest, precision=options.precision or manifest.precision)
    saved = save_checkpoint(options.output, network, manifest)
    print(f"wrote {options.output} (weights {saved.weights_sha256})")
    return 0


COMMANDS = {
    "train": Command("train a base classifier, resuming what the output folder holds", add_train, run_train),
    "join": Command("make one model of several: the mean of their log-probabilities", add_join, run_join),
}
