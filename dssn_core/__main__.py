"""The command line: `python -m dssn_core COMMAND`. Thin: every command is a few calls into the library."""

import argparse
import sys
from pathlib import Path

from . import training
from .allocator import keep_freed_memory
from .gallery import load_dataset


def add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    defaults = training.TrainSettings()
    parser = commands.add_parser("train", help="train a base classifier, resuming what the output folder holds")
    parser.add_argument("--dataset", choices=["cifar10"], default="cifar10")
    parser.add_argument("--data", required=True, help="zip or folder of class folders, or 'download'")
    parser.add_argument("--noise", choices=list(training.NOISES), default=defaults.noise)
    parser.add_argument("--offsets", default=defaults.offsets, help="offset scheme (default %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run; its name becomes the model's")
    parser.add_argument("--images", type=int, default=defaults.images, help="budget: images seen (default %(default)s)")
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--stages", type=int, nargs="+", default=list(defaults.stages), help="channels of each stage")
    parser.add_argument("--start", help="name of a model, or its folder, to start from")
    parser.add_argument("--compile", action="store_true", help="torch.compile the training pass (needs a C++ compiler)")
    parser.set_defaults(run=run_train)


def run_train(options: argparse.Namespace) -> int:
    settings = training.TrainSettings(
        noise=options.noise,
        offsets=options.offsets,
        images=options.images,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
        stages=tuple(options.stages),
    )
    trainer = training.Trainer(settings, load_dataset(options.data), options.start, options.compile)
    manifest = training.train(trainer, options.output, report=lambda line: print(line, flush=True))
    print(f"wrote {options.output} ({manifest.weights_sha256})")
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m dssn_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add_train(commands)
    options = parser.parse_args(arguments)
    keep_freed_memory()
    try:
        return int(options.run(options))
    except (ValueError, OSError) as error:
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
