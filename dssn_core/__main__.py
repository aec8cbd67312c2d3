"""The command line of DSSN Explorer. Thin: every command is a few calls into the library."""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from . import accuracy, agreement, certificate_file, evaluation, record_files, self_check, speed, training
from .allocator import keep_freed_memory
from .architectures import ARCHITECTURES
from .certificate import Certificate, certificate_from_labels, radius_bounds
from .checkpoints import MANIFEST, find_model, load_model, read_manifest, save_checkpoint
from .comparison import METHODS
from .constants import check_levels, levels_from_lambda, levels_from_sigma
from .datasets import list_dataset
from .ensembles import joined
from .estimates import quick_estimates
from .files import check_replaceable, only_writer, write_atomically
from .held_out import held_out_of
from .images import image_sha256, read_image
from .monte_carlo import Plan
from .networks import Classifier
from .noises import NOISES
from .optimizers import OPTIMIZERS
from .paper import published
from .precision import PRECISIONS
from .records import WHOLE, Part, Sampling
from .splitting import SplitNoise
from .standings import TABLE_RHOS, Evaluated, markdown, standings
from .stored import keep_certificates, pictures_for
from .strict import Hesitant, StrictCertificate, check_gap, strictly
from .tasks import TASKS, labelled_for, task_of
from .train_settings import TrainSettings
from .verification import Verdict, verdict, verify
from .voting import ChunkLayout, Tally, noise_for, sample_labels

Parser = argparse.ArgumentParser
Options = argparse.Namespace

DEFAULT_MODEL = "cifar10-dssn"


def checked(convert: Callable[[str], Any], check: Callable[[Any], Any]) -> Callable[[str], Any]:
    """An argparse type whose refusal carries the library's own message."""

    def parse(text: str) -> Any:
        try:
            return check(convert(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def positive(number: int) -> int:
    if number < 1:
        raise ValueError(f"must be 1 or more, got {number}")
    return number


def usable_sigma(sigma: float) -> float:
    levels_from_sigma(sigma)
    return sigma


def json_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f'must be a JSON object, as {{"stem": 24}}, got {json.dumps(value)}')
    return value


def radius(rho: float) -> float:
    if not 0 <= rho < float("inf"):
        raise ValueError(f"a radius must be a number of 0 or more, got {rho}")
    return rho


POSITIVE = checked(int, positive)
RADIUS = checked(float, radius)


def votes_with_bar(
    model: Classifier, image: Tensor, noise: SplitNoise, batch_size: int | None, gap: float | None = None
) -> np.ndarray:
    """The class that each sample votes for, with a bar on the terminal that tells how the vote stands.

    gap: count the votes of samples whose two best logits are closer for the twins of the classes, as `Hesitant` does.
    """

    def watch(states: Iterator[Tally]) -> Iterator[Tally]:
        with tqdm(total=noise.levels, unit="sample", disable=None, leave=False) as bar:
            for state in states:
                bar.update(len(state.indices))
                bounds = radius_bounds(state.votes.reshape(-1, model.num_classes).sum(axis=0), noise.levels)
                bar.set_postfix_str(f"{model.class_names[bounds.label]}, R in {bounds.lower}..{bounds.upper}")
                yield state

    return sample_labels(model if gap is None else Hesitant(model, gap), image, noise, batch_size, watch)


def warn_of_other_noise(model: Classifier, method: str) -> None:
    if method != model.manifest.noise:
        known = f"{model.manifest.name} is trained for {model.manifest.noise}"
        print(f"{known}: these samples are new to it", file=sys.stderr)


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


def add_part_options(parser: Parser) -> None:
    parser.add_argument("--files", default=WHOLE.files, metavar="PATTERN", help="only images of such file names")
    parser.add_argument("--but", default=WHOLE.but, metavar="PATTERN", help="and not of such")


# --- certify -------------------------------------------------------------------------------------------------------


def add_certify(parser: Parser) -> None:
    parser.add_argument("image", type=Path, help="a PNG, JPEG, WebP or BMP picture; cropped and resized to fit")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or folder of a model (default %(default)s)")
    add_noise_options(parser)
    parser.add_argument("--batch-size", type=POSITIVE, help="most samples of a chunk (default: as many as fit)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    parser.add_argument("--output", type=Path, help="write a certificate file that `verify` can check")
    parser.add_argument(
        "--strict",
        type=checked(float, check_gap),
        metavar="GAP",
        help="also the radius that holds on machines whose logits differ by less than GAP/2",
    )
    parser.add_argument("--no-pixels", action="store_true", help="leave the image out of that file, but for its hash")


def certificate_json(certificate: Certificate, class_names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "class": class_names[certificate.label],
        "label": certificate.label,
        "radius": certificate.radius,
        "radius_steps": certificate.radius_steps,
        "levels": certificate.levels,
        "lambda": certificate.lam,
        "sigma": certificate.sigma,
        "votes": dict(zip(class_names, certificate.votes, strict=True)),
        "margins": dict(zip(class_names, certificate.margins, strict=True)),
        "account": certificate.account(class_names),
    }


def run_certify(options: Options) -> int:
    model = load_model(options.model)
    image = read_image(options.image, model.input_shape[1:])
    noise = noise_for(model, options.levels)
    warn_of_other_noise(model, "dssn")
    if options.no_pixels and not options.output:
        raise ValueError("--no-pixels is about the file of --output: give that too")
    if options.output:  # before the vote, not after it
        check_replaceable(options.output)
        if options.output.resolve() == options.image.resolve():
            raise ValueError("--output names the picture itself: choose another name, or it would be lost")
        layout = ChunkLayout.for_images(noise.levels, noise.shape, options.batch_size)
        try:
            certificate_file.check_rows(layout.rows, noise.shape)
        except ValueError as error:
            raise ValueError(f"{error}: choose a smaller --batch-size") from None
    began = time.perf_counter()
    votes = votes_with_bar(model, image, noise, options.batch_size, options.strict)
    seconds = time.perf_counter() - began
    labels = votes % model.num_classes
    certificate = certificate_from_labels(labels, model.num_classes)
    strict = strictly(votes, model.num_classes, options.strict) if options.strict else None
    if options.json:
        about: dict[str, Any] = {
            "image": str(options.image),
            "image_sha256": image_sha256(image),
            "model": model.manifest.name,
            "weights_sha256": model.manifest.weights_sha256,
        }
        if strict is not None:
            about["strict"] = {**asdict(strict), "label": strict.label, "radius_steps": strict.radius_steps}
        print(json.dumps({**about, **certificate_json(certificate, model.class_names)}))
    else:
        height, width = model.input_shape[1:]
        print(f"{options.image} at {width} x {height}, model {model.manifest.name}")
        print(f"N = {noise.levels}, lambda = {noise.lam:.4f}, sigma = {noise.sigma:.4f}\n")
        print("\n".join(certificate.account(model.class_names)))
        if strict is not None:
            print(f"\n{strict_account(strict, certificate, model.class_names)}")
    if options.output:  # last: where it cannot be written, the certificate has been seen
        embed = not options.no_pixels
        document = certificate_file.make(model, image, labels, noise.levels, options.batch_size, seconds, embed)
        write_atomically(options.output, certificate_file.dumps(document).encode())
    return 0


def strict_account(strict: StrictCertificate, certificate: Certificate, class_names: tuple[str, ...]) -> str:
    where = f"on machines whose logits differ from these by less than {strict.gap / 2:g}"
    undecided = f"{strict.undecided} of {strict.levels} samples have their two best logits at most {strict.gap:g} apart"
    if strict.label is None:
        return f"Strictly: {undecided}. They could make another class win, so there is no strict certificate."
    return (
        f"Strictly: {undecided}. However they vote, “{class_names[strict.label]}” is certified within "
        f"{strict.radius_steps} steps {where} (here alone: {certificate.radius_steps})."
    )


# --- gallery -------------------------------------------------------------------------------------------------------


def add_gallery(parser: Parser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--sigma", type=checked(float, usable_sigma), nargs="+", required=True)


def run_gallery(options: Options) -> int:
    model = load_model(options.model)
    images = [read_image(sample.path, model.input_shape[1:]) for sample in pictures_for(model)]
    documents = []
    for levels in map(levels_from_sigma, options.sigma):
        noise = noise_for(model, levels)
        for image in tqdm(images, unit="image", desc=f"N = {levels}", disable=None):
            began = time.perf_counter()
            labels = sample_labels(model, image, noise)
            seconds = time.perf_counter() - began
            documents.append(certificate_file.make(model, image, labels, levels, seconds=seconds, embed=False))
        keep_certificates(find_model(options.model), documents)
    print(f"kept {len(documents)} certificates of {len(images)} pictures beside {options.model}")
    return 0


# --- verify --------------------------------------------------------------------------------------------------------

DIFFERS, ROUNDING = 3, 4
"""Exit codes of `verify` for a certificate that was checked and does not hold, or only differs as rounding may."""

EXIT_CODES = {Verdict.HOLDS: 0, Verdict.DIFFERS: DIFFERS, Verdict.ROUNDING: ROUNDING}


def add_verify(parser: Parser) -> None:
    parser.add_argument("certificate", type=Path, help="a certificate file")
    parser.add_argument("--image", type=Path, help="the picture it is about, where the file holds no pixels")
    parser.add_argument("--model", help="check with this model, a name or a folder (default: the one of these weights)")
    parser.epilog = (
        f"exit code: 0 everything agrees, {DIFFERS} something differs, {ROUNDING} only votes that another machine's "
        "rounding may well turn, 1 the file cannot be checked"
    )


def run_verify(options: Options) -> int:
    with options.certificate.open("rb") as file:
        document = certificate_file.parse(file.read(certificate_file.MAX_BYTES + 1))
    _, height, width = document["image"]["shape"]
    image = read_image(options.image, (height, width)) if options.image else None
    findings = list(verify(document, image, count=votes_with_bar, chosen=options.model))
    for finding in findings:
        print(f"{'agrees ' if finding.agrees else 'DIFFERS'}  {finding.what}: {finding.text}")
    made = [certificate_file.shown(f"{name} {value}") for name, value in document["made"].items()]
    print(f"made, by its own word: {', '.join(made)}")
    result = verdict(findings)
    print(result)
    return EXIT_CODES[result]


# --- train ---------------------------------------------------------------------------------------------------------


def add_train(parser: Parser) -> None:
    parser.add_argument("--dataset", choices=list(TASKS), default="cifar10", help="what --data holds")
    parser.add_argument("--data", required=True, help="zip or folder of class folders, or 'download' (CIFAR-10)")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run; its name becomes the model's")
    parser.add_argument("--start", help="model to start from, a name or a folder; of an ensemble, the member that fits")
    parser.add_argument(
        "--check-every",
        type=POSITIVE,
        help="images between held-out checks, made when a line is logged (default: 1/16 of them)",
    )
    own = parser.add_argument_group("settings (each data set has its own defaults)")
    own.add_argument("--noise", choices=list(NOISES))
    own.add_argument("--offsets", help="offset scheme")
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
    own.add_argument("--averaging", type=float, help="of the weights: decay a step; less for a short run")
    own.add_argument("--consistency", type=float, help="weight of the disagreement of two samples of an image")
    own.add_argument("--operations", type=int, help="of RandAugment on every picture (default: none)")
    own.add_argument("--held-out-per-class", type=int, help="images set apart from training, to choose anything on")
    own.add_argument("--sigma-range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="of the noise")
    own.add_argument(
        "--network", type=checked(json.loads, json_object), metavar="JSON", help="settings of the architecture"
    )
    own.add_argument("--stability", type=float, help="of a denoiser: weight of the classifier's answers")
    own.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="of the convolutions in training; bfloat16 is faster where the processor knows it",
    )
    own.add_argument("--inference", choices=PRECISIONS, help="the same, of the classifier that comes out")


def run_train(options: Options) -> int:
    task = TASKS[options.dataset]
    names = {field.name for field in fields(TrainSettings)}
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    given.update({name: tuple(given[name]) for name in ("sigma_range", "block") if name in given})
    settings = replace(task.settings, **given)
    trainer = training.Trainer(settings, task.load(options.data), options.start)
    with only_writer(options.output):
        manifest = training.train(
            trainer, options.output, check_every=options.check_every, report=lambda line: print(line, flush=True)
        )
    print(f"wrote {options.output} (weights {manifest.weights_sha256})")
    return 0


# --- join ----------------------------------------------------------------------------------------------------------


def add_join(parser: Parser) -> None:
    parser.add_argument("--model", nargs="+", required=True, help="names of the members, or their folders")
    parser.add_argument("--output", type=Path, required=True, help="folder of the new model; its name becomes its own")
    parser.add_argument("--precision", choices=PRECISIONS, help="of its convolutions (default: its members')")


def run_join(options: Options) -> int:
    if (options.output / MANIFEST).exists():
        raise ValueError(f"{options.output} holds a model already: choose another folder")
    network, manifest = joined([load_model(name) for name in options.model], options.output.resolve().name)
    manifest = replace(manifest, precision=options.precision or manifest.precision)
    saved = save_checkpoint(options.output, network, manifest)
    print(f"wrote {options.output} (weights {saved.weights_sha256})")
    return 0


# --- evaluate ------------------------------------------------------------------------------------------------------


def add_evaluate(parser: Parser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--data", required=True, help="zip or folder of class folders, or 'download' (the test set)")
    parser.add_argument("--sigma", type=checked(float, usable_sigma), nargs="*", default=[], help="none with --clean")
    parser.add_argument("--limit", type=POSITIVE, default=500, help="images, spread evenly over the classes")
    add_part_options(parser)
    parser.add_argument("--rho", type=RADIUS, nargs="+", help="radii of the summary (default: 0, 0.5, 1 ...)")
    parser.add_argument(
        "--clean", action="store_true", help="first tell how many the pretrained classifier answers without noise"
    )
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="--data is the training set: use the images that the model's training set apart, to choose anything on",
    )
    parser.add_argument("--method", choices=list(METHODS), help="of smoothing (default: the noise of the training)")
    parser.add_argument(
        "--samples", type=POSITIVE, default=10_000, help="n of a randomized method (default %(default)s)"
    )
    parser.add_argument("--alpha", type=float, default=0.001, help="its failure probability (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of its draws (default %(default)s)")
    parser.add_argument("--output", type=Path, help="JSON-lines file of records; continued if it exists")
    parser.add_argument(
        "--record",
        action="store_true",
        help="keep summary and records in the model's folder, and go on from those there",
    )


def run_evaluate(options: Options) -> int:
    if not (options.sigma or options.clean):
        raise ValueError("there is nothing to do: give --sigma, or --clean")
    if options.output and options.output.suffix == ".gz":
        raise ValueError("--output grows line by line and is not compressed: give it a name without .gz")
    model = load_model(options.model)
    data = labelled_for(list_dataset(options.data, model.input_shape[1:], train=options.held_out), model.class_names)
    if options.held_out:
        data = held_out_of(model.manifest, data)
    method = options.method or model.manifest.noise
    if options.record and method != model.manifest.noise:
        raise ValueError(f"{options.model} is trained for {model.manifest.noise}: only its own method is kept")
    warn_of_other_noise(model, method)
    folder, part = find_model(options.model), Part(options.files, options.but)
    shelf = record_files.HELD_OUT if options.held_out else record_files.TEST
    levels_of = {sigma: levels_from_sigma(sigma) for sigma in options.sigma}
    sampling = None
    if method != "dssn":
        sampling = Sampling(method, Plan.n0, options.samples, options.alpha, options.seed)
        for levels in levels_of.values():
            sampling.plan(levels)  # refuses nonsense before any work
    before = {}
    if options.record:
        before = record_files.kept_before(folder, shelf, model, levels_of.values(), sampling, data, part)
    indices = evaluation.selected(data, options.limit, part)
    summaries = sys.stdout if options.output or not options.sigma else sys.stderr  # beside records on stdout
    if options.clean:
        clean = evaluation.clean_accuracy(model, data, indices)
        print(f"answered right without noise: {clean}", file=summaries, flush=True)
    with only_writer(options.output) if options.output else nullcontext():
        log = record_files.RecordLog(options.output)
        for sigma, levels in levels_of.items():
            results = evaluation.evaluate(model, data, indices, levels, {**before, **log.records}, sampling=sampling)
            chosen = []
            for record in tqdm(results, unit="image", desc=f"sigma {sigma:g}", total=len(indices), disable=None):
                chosen.append(record)
                log.add(record)
            figures = accuracy.summary(chosen, options.rho)
            lines = [f"  right, certified at rho {rho:>3}: {figure}" for rho, figure in figures.items()]
            title = f"{METHODS[method]}, sigma {sigma:g} (N = {levels}), {len(indices)} images of {data.description}"
            print(title, *lines, sep="\n", file=summaries)
            if options.record:  # each noise when it is whole: part of its images would not be evenly spread
                record_files.publish(folder, shelf, chosen, data.description, part, options.rho)
    return 0


# --- standings -----------------------------------------------------------------------------------------------------


def add_standings(parser: Parser) -> None:
    parser.add_argument("--model", nargs="+", default=[DEFAULT_MODEL], help="names or folders, all for one method")
    parser.add_argument("--rho", type=RADIUS, nargs="+", default=TABLE_RHOS, help="radii that the paper has figures of")
    parser.add_argument("--markdown", action="store_true", help="print a table in Markdown")
    add_part_options(parser)


def run_standings(options: Options) -> int:
    homes = {name: find_model(name) for name in options.model}
    kinds = {(found.class_names, found.noise) for found in map(read_manifest, homes.values())}
    if len(kinds) > 1:
        said = sorted(f"{len(classes)} classes, {noise}" for classes, noise in kinds)
        raise ValueError(f"there is no choice between models of different classes or methods: {'; '.join(said)}")
    ((classes, method),) = kinds
    part = Part(options.files, options.but)
    if part == WHOLE:
        for home in homes.values():
            record_files.check_of_one_piece(read_manifest(home))
    networks = [Evaluated.kept(home, part) for home in homes.values()]
    rivals = [row for row in published(task_of(classes)) if row.method == method]
    found = standings(networks, rivals, options.rho)
    if not found:
        raise ValueError(
            "no noise that can certify these radii has records of both test and held-out images: `evaluate --record` "
            "makes them"
        )
    if options.markdown:
        print(markdown(found))
        return 0
    print("percent of test images certified at rho; network and sigma of each rho chosen on held-out training images")
    for standing in found:
        print(
            "rho {rho:g}: {ours:.2f} ({ours_95_low:.2f} to {ours_95_high:.2f}, {ours_images:,} images; {network} at "
            "sigma {ours_sigma:.2f}), paper {paper:.2f}, difference {difference:+.2f}".format(**standing.row())
        )
    return 0


# --- estimate ------------------------------------------------------------------------------------------------------


def add_estimate(parser: Parser) -> None:
    parser.add_argument("--model", nargs="+", default=[DEFAULT_MODEL], help="names or folders")
    parser.add_argument("--data", required=True, help="the training set of the models: zip, folder or 'download'")
    parser.add_argument("--sigma", type=checked(float, usable_sigma), nargs="+", required=True)
    parser.add_argument("--rho", type=RADIUS, nargs="+", default=[0.0, *TABLE_RHOS])
    parser.add_argument("--limit", type=POSITIVE, default=500, help="held-out images (default %(default)s)")
    parser.add_argument("--samples", type=POSITIVE, default=32, help="of each image (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)


def run_estimate(options: Options) -> int:
    print("percent of held-out images: one sample right; then right with an estimated radius of rho or more")
    listed = cache(list_dataset)  # hashing the data once does for all models of one size
    for name in options.model:
        model = load_model(name)
        known = labelled_for(listed(options.data, model.input_shape[1:], train=True), model.class_names)
        held_out = held_out_of(model.manifest, known)
        data = held_out.subset(torch.tensor(evaluation.selected(held_out, options.limit))).load()
        print(f"{name}: {len(data)} images, {options.samples} samples each")
        print(" sigma  sample  " + "".join(f"{rho:>6g}" for rho in options.rho))
        for found in quick_estimates(model, data, options.sigma, options.rho, options.samples, options.seed):
            row = "".join(f"{100 * share:6.1f}" for share in found.certified.values())
            print(f"{found.sigma:6g}  {100 * found.single_sample:6.1f}  {row}", flush=True)
    return 0


# --- agree ---------------------------------------------------------------------------------------------------------


def add_agree(parser: Parser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL)
    add_noise_options(parser)
    parser.add_argument("--images", type=POSITIVE, default=20, help="of the built-in pictures (default %(default)s)")


def run_agree(options: Options) -> int:
    model = load_model(options.model)
    images = [read_image(sample.path, model.input_shape[1:]) for sample in pictures_for(model)[: options.images]]
    print(f"{options.model}, N = {options.levels}, {len(images)} pictures, against {agreement.settings_of(model)[0]}")
    for found in agreement.compare(model, images, options.levels):
        print(found, flush=True)
    for price in agreement.prices(model, images, options.levels):
        print(price)
    return 0


# --- self-check ----------------------------------------------------------------------------------------------------


def add_self_check(parser: Parser) -> None:
    parser.epilog = f"exit code: 0 all passed, {DIFFERS} something is wrong"


def run_self_check(options: Options) -> int:
    results = []
    for result in self_check.run():
        mark = "rounds" if result.rounding else "passed" if result.passed else "FAILED"
        print(f"{mark}  {result.what}: {result.text}", flush=True)
        results.append(result.passed)
    return 0 if all(results) else DIFFERS


# --- bench ---------------------------------------------------------------------------------------------------------


def add_bench(parser: Parser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL)
    add_noise_options(parser)
    parser.add_argument("--rounds", type=POSITIVE, default=7)
    parser.add_argument("--batch-size", type=POSITIVE, help="most samples of a chunk (default: as many as fit)")


def run_bench(options: Options) -> int:
    model = load_model(options.model)
    image = read_image(pictures_for(model)[0].path, model.input_shape[1:])
    print(speed.measured(model, image, options.levels, options.rounds, options.batch_size))
    return 0


COMMANDS: dict[str, tuple[str, Callable[[Parser], None], Callable[[Options], int]]] = {
    "certify": ("certify one picture and explain the certificate", add_certify, run_certify),
    "gallery": ("certify the built-in pictures and keep that in the model's folder", add_gallery, run_gallery),
    "verify": ("check a certificate file by computing it again", add_verify, run_verify),
    "train": ("train a base classifier, resuming what the output folder holds", add_train, run_train),
    "join": ("make one model of several: their mean votes", add_join, run_join),
    "evaluate": ("certify many pictures and summarize certified accuracy", add_evaluate, run_evaluate),
    "standings": ("the kept records of models beside the paper's figures", add_standings, run_standings),
    "estimate": ("compare models on held-out images by a few samples of each", add_estimate, run_estimate),
    "self-check": ("check that this installation computes what it should", add_self_check, run_self_check),
    "agree": ("measure how much threads, chunks and number formats change votes", add_agree, run_agree),
    "bench": ("time certification beside the bare forward pass", add_bench, run_bench),
}


def all_commands() -> Parser:
    parser = Parser(prog="python -m dssn_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (text, add_options, _) in COMMANDS.items():
        add_options(commands.add_parser(name, help=text, description=text))
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 refused with a message, 130 interrupted.

    Wrong usage ends with 2, `verify` and `self-check` also with what they found.
    """
    parser = all_commands()
    options = parser.parse_args(arguments)
    keep_freed_memory()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a letter is no reason to stop
        sys.stdout.reconfigure(errors="replace")
    try:
        return COMMANDS[options.command][2](options)
    except (ValueError, ArithmeticError, OSError) as error:
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
