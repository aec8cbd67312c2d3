"""Commands about many images: certified accuracy, and what to choose a network and noise by."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import torch
from tqdm import tqdm

from .. import accuracy, evaluation, record_files
from ..checkpoints import find_model, load_model, read_manifest
from ..checks import Shape
from ..classifier import Classifier
from ..comparison import METHODS
from ..constants import COUNTINGS, DSSN, DUELS, PLURALITY, levels_from_sigma
from ..datasets import Listing, list_dataset
from ..estimates import quick_estimates
from ..files import check_replaceable, check_writable, only_writer
from ..held_out import held_out_of
from ..layout import fitting_batch_size
from ..manifest import check_counting
from ..monte_carlo import Plan
from ..paper import published
from ..records import WHOLE, Part, Record, Sampling, Way
from ..standings import TABLE_RHOS, Evaluated, markdown, on_shared_images, standings
from ..tasks import labelled_for, task_of
from .options import (
    DEFAULT_MODEL,
    POSITIVE,
    RADIUS,
    Command,
    Options,
    Parser,
    add_float32_option,
    add_part_options,
    checked,
    model_of,
    usable_sigma,
    warn_of_other_noise,
)

DRAWS = {"samples": 10_000, "alpha": 0.001, "seed": 0}
"""Options of `evaluate` for randomized methods, and what they are if not given."""

# --- evaluate --------------------------------------------------------------------------------------------------------


def add_evaluate(parser: Parser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--data", required=True, help="zip or folder of class folders, or 'download' (the test set)")
    parser.add_argument("--sigma", type=checked(float, usable_sigma), nargs="*", default=[], help="optional if --clean")
    parser.add_argument(
        "--limit", type=POSITIVE, default=500, help="images, spread evenly over the classes (default %(default)s)"
    )
    add_part_options(parser)
    parser.add_argument(
        "--rho", type=RADIUS, nargs="+", help="radii of the summary (default: 0, 0.1, 0.25, 0.5, 1 ...)"
    )
    parser.add_argument(
        "--clean", action="store_true", help="first print how many the pretrained classifier gets right without noise"
    )
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="--data is the training set: use the images held out from the model's training, for making choices",
    )
    add_float32_option(parser)
    parser.add_argument("--method", choices=list(METHODS), help="smoothing method (default: that of the training)")
    parser.add_argument(
        "--counting", choices=COUNTINGS, help="how DSSN's votes are counted (default: as the model says)"
    )
    parser.add_argument("--samples", type=POSITIVE, help=f"n of a randomized method (default {DRAWS['samples']})")
    parser.add_argument("--alpha", type=float, help=f"its failure probability (default {DRAWS['alpha']})")
    parser.add_argument("--seed", type=int, help=f"seed of its draws (default {DRAWS['seed']})")
    parser.add_argument("--output", type=Path, help="JSON-lines file of records; continued if it exists")
    parser.add_argument(
        "--record",
        action="store_true",
        help="store summary and records in the model's folder, continuing from those already there",
    )


def sampling_of(options: Options, method: str, levels: Iterable[int], shape: Shape) -> Sampling | None:
    """How a randomized method is to draw for images of a shape; None for DSSN.

    ValueError for what makes no plan at these levels.
    """
    given = {name: value for name in DRAWS if (value := getattr(options, name)) is not None}
    if method == DSSN:
        if given:
            names = " and ".join(f"--{name}" for name in given)
            raise ValueError(f"DSSN counts all of its samples: leave out {names}, of the randomized methods")
        return None
    drawn = {**DRAWS, **given}
    rows = fitting_batch_size(shape)
    n, alpha, seed = (drawn[name] for name in DRAWS)
    sampling = Sampling(method, n0=Plan.n0, n=n, alpha=alpha, seed=seed, batch_size=rows)
    for each in levels:
        sampling.plan(each)
    return sampling


def way_of(options: Options, model: Classifier, method: str, levels: Iterable[int]) -> Way:
    """How the votes are to be made and counted. ValueError as for `sampling_of`, and for a method without duels."""
    counting = options.counting or (model.counting if method == DSSN else PLURALITY)
    sampling = sampling_of(options, method, levels, model.input_shape)
    return Way(model.precision, sampling, check_counting(counting, method))


def summary_of(records: Sequence[Record], what: str, rhos: Sequence[float] | None) -> str:
    """Certified accuracy of records of one N, line by line, after `what` they are of."""
    duels = ", counted by duels" * (records[0].counting == DUELS)
    figures = accuracy.summary(records, rhos).items()
    return "\n".join([f"{what}{duels}", *(f"  right, certified at rho {rho:>4}: {figure}" for rho, figure in figures)])


def check_evaluate(options: Options, model: Classifier, method: str, folder: Path) -> None:
    """ValueError or OSError for what can be refused before the data are read, which may take long."""
    if not (options.sigma or options.clean):
        raise ValueError("there is nothing to do: give --sigma, or --clean")
    if options.clean:
        evaluation.pretrained_of(model)
    if options.output:
        check_replaceable(options.output)
        if options.output.suffix == ".gz":
            raise ValueError("--output grows line by line and is not compressed: give it a name without .gz")
    if options.record:
        if method != model.manifest.noise:
            raise ValueError(f"{options.model} is trained for {model.manifest.noise}: only its own method is kept")
        check_writable(folder)


def data_of(options: Options, model: Classifier) -> Listing:
    """The images to evaluate a model on."""
    data = labelled_for(list_dataset(options.data, model.input_shape[1:], train=options.held_out), model.class_names)
    return held_out_of(model.manifest, data) if options.held_out else data


def run_evaluate(options: Options) -> int:
    folder = find_model(options.model)
    model = model_of(options)
    method = options.method or model.manifest.noise
    check_evaluate(options, model, method, folder)
    sigma_of = {levels_from_sigma(sigma): sigma for sigma in options.sigma}  # two may come to the same N
    way = way_of(options, model, method, sigma_of)
    data = data_of(options, model)
    warn_of_other_noise(model, method, sigma_of)
    part = Part(options.files, options.but)
    shelf = record_files.HELD_OUT if options.held_out else record_files.TEST
    if options.record:  # refused before anything is counted
        record_files.kept_before(folder, shelf, model, sigma_of, way, data, part)
    indices = evaluation.selected(data, options.limit, part)
    in_files = options.output or options.record or not options.sigma
    summaries = sys.stdout if in_files else sys.stderr  # beside records on stdout
    if options.clean:
        clean = evaluation.clean_accuracy(model, data, indices)
        print(f"answered right without noise: {clean}", file=summaries, flush=True)
    with only_writer(options.output) if options.output else nullcontext():
        asked = record_files.RecordLog(options.output)
        for levels, sigma in sigma_of.items():
            with record_files.under_way(folder, shelf, levels) if options.record else nullcontext(asked) as log:
                kept = {}
                if options.record:  # anew: another evaluation may have ended meanwhile
                    kept = record_files.kept_before(folder, shelf, model, [levels], way, data, part)
                done = {**kept, **asked.records, **log.records}
                results = evaluation.evaluate(model, data, indices, levels, way, done)
                progress = tqdm(results, unit="image", desc=f"sigma {sigma:g}", total=len(indices), disable=None)
                chosen = []
                for record in progress:
                    chosen.append(log.add(record))
                    if options.output:
                        asked.add(record)  # once more to no effect where that is the log
                of = f"{len(indices):,} images of {data.description}{part}"
                what = f"{METHODS[method]}, sigma {sigma:g} (N = {levels:,}), {of}"
                print(summary_of(chosen, what, options.rho), file=summaries)
                if options.record:  # each noise when it is whole: part of its images would not be evenly spread
                    record_files.publish(folder, shelf, chosen, data.description, part)
    return 0


# --- standings -------------------------------------------------------------------------------------------------------


def add_standings(parser: Parser) -> None:
    parser.add_argument("--model", nargs="+", default=[DEFAULT_MODEL], help="names or folders, all for one method")
    parser.add_argument("--rho", type=RADIUS, nargs="+", default=TABLE_RHOS, help="radii the paper has figures for")
    parser.add_argument("--markdown", action="store_true", help="print a table in Markdown")
    parser.add_argument(
        "--plurality", action="store_true", help="count first choices alone, also where a network counts duels"
    )
    parser.add_argument(
        "--shared", action="store_true", help="only on test images that all rows are measured on, to compare rows"
    )
    add_part_options(parser)


def run_standings(options: Options) -> int:
    homes = {name: find_model(name) for name in options.model}
    kinds = {(found.class_names, found.noise) for found in map(read_manifest, homes.values())}
    if len(kinds) > 1:
        said = sorted(f"{len(classes)} classes, {noise}" for classes, noise in kinds)
        raise ValueError(f"models of different classes or methods cannot be compared: {'; '.join(said)}")
    ((classes, method),) = kinds
    part = Part(options.files, options.but)
    if part == WHOLE:
        for home in homes.values():
            record_files.check_of_one_piece(read_manifest(home))
    networks = [Evaluated.kept(home, part) for home in homes.values()]
    if options.plurality:
        if method != DSSN:
            raise ValueError(f"only DSSN counts duels, not {METHODS[method]}: leave out --plurality")
        networks = [network.by_plurality() for network in networks]
    if options.shared:
        networks = on_shared_images(networks, options.rho)
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
    print("percent of test images right and certified at rho; network and sigma chosen for each rho on held-out images")
    for standing in found:
        print(
            "rho {rho:g}: {ours:.2f} ({ours_95_low:.2f} to {ours_95_high:.2f}, {ours_images:,} images; {network} at "
            "sigma {ours_sigma:.2f}), paper {paper:.2f}, difference {difference:+.2f}".format(**standing.row())
        )
    return 0


# --- estimate --------------------------------------------------------------------------------------------------------


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
        duels = ", counted by duels" * (model.counting == DUELS)
        print(f"{name}: {len(data):,} images, {options.samples:,} samples each{duels}")
        print(" sigma  sample  " + "".join(f"{rho:>6g}" for rho in options.rho))
        for found in quick_estimates(model, data, options.sigma, options.rho, options.samples, options.seed):
            row = "".join(f"{100 * share:6.1f}" for share in found.certified.values())
            print(f"{found.sigma:6g}  {100 * found.single_sample:6.1f}  {row}", flush=True)
    return 0


COMMANDS = {
    "evaluate": Command("certify many pictures and summarize certified accuracy", add_evaluate, run_evaluate),
    "standings": Command("set stored records of models beside the paper's figures", add_standings, run_standings),
    "estimate": Command("compare models by a few samples of each held-out image", add_estimate, run_estimate),
}
