"""Commands that make records of many images."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from .. import accuracy, evaluation, record_files
from ..checkpoints import find_model
from ..checks import Shape
from ..classifier import Classifier
from ..comparison import METHODS
from ..constants import COUNTINGS, DSSN, DUELS, PLURALITY, levels_from_sigma
from ..datasets import Listing, list_dataset
from ..files import check_writable, only_writer
from ..held_out import held_out_of, trained_on
from ..layout import fitting_batch_size
from ..manifest import check_counting
from ..monte_carlo import Plan
from ..records import Part, Record, Sampling, Way
from ..recount import all_settled
from ..tasks import labelled_for
from ..wording import counted
from .options import (
    POSITIVE,
    RADIUS,
    SIGMA,
    Command,
    Options,
    Parser,
    add_float32_option,
    add_model_option,
    add_part_options,
    check_output,
    model_of,
    warn_of_other_noise,
)

DRAWS = {"samples": 10_000, "alpha": 0.001, "seed": 0}
"""Options of `evaluate` for randomized methods, and what they are if not given."""

# --- evaluate --------------------------------------------------------------------------------------------------------


def add_images_options(parser: Parser) -> None:
    """A model, and the images to count its votes on."""
    add_model_option(parser)
    parser.add_argument("--data", required=True, help="zip or folder of class folders, or 'download' (the test set)")
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="--data is the training set: use the images held out from the model's training, for making choices",
    )
    add_float32_option(parser)


def add_evaluate(parser: Parser) -> None:
    add_images_options(parser)
    parser.add_argument("--sigma", type=SIGMA, nargs="*", default=[], help="optional if --clean")
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
    below = sum(record.at_least for record in records)
    bounds = f" (of {below:,} the radii are lower bounds, between those of curves)" * bool(below)
    figures = accuracy.summary(records, rhos).items()
    return "\n".join(
        [f"{what}{duels}{bounds}", *(f"  right, certified at rho {rho:>4}: {figure}" for rho, figure in figures)]
    )


def check_evaluate(options: Options, model: Classifier, method: str, folder: Path) -> None:
    """ValueError or OSError for what can be refused before the data are read, which may take long."""
    if not (options.sigma or options.clean):
        raise ValueError("there is nothing to do: give --sigma, or --clean")
    if options.clean:
        evaluation.pretrained_of(model)
    if options.output:
        check_output(options.output)
        if options.output.suffix == ".gz":
            raise ValueError("--output grows line by line and is not compressed: give it a name without .gz")
    if options.record:
        if method != model.manifest.noise:
            raise ValueError(f"{options.model} is trained for {model.manifest.noise}: only its own method is kept")
        check_writable(folder)


def data_of(options: Options, model: Classifier) -> Listing:
    """The images that the options name, which a model is to be evaluated on."""
    data = labelled_for(list_dataset(options.data, model.input_shape[1:], train=options.held_out), model.class_names)
    return held_out_of(model.manifest, data) if options.held_out else data


def shelf_of(options: Options) -> record_files.Shelf:
    """Where records of these images are kept."""
    return record_files.HELD_OUT if options.held_out else record_files.TEST


def logged(results: Iterator[Record], sigma: float, total: int, logs: Sequence[record_files.RecordLog]) -> list[Record]:
    """Records as they are made, in all logs, with their progress on standard error."""
    progress = tqdm(results, unit="image", desc=f"sigma {sigma:g}", total=total, disable=None)
    found = []
    for record in progress:
        for log in logs:
            log.add(record)
        found.append(record)
    return found


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
    shelf = shelf_of(options)
    if options.record:  # refused before anything is counted
        record_files.kept_before(folder, shelf, model, sigma_of, way, data, part)
    elif not options.held_out and trained_on(model.manifest.training, data.description):
        print(f"{folder.name} was trained on this data: --held-out takes the images it never saw", file=sys.stderr)
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
                logs = [log, asked] if options.output else [log]  # twice to no effect where the output is the log
                chosen = logged(results, sigma, len(indices), logs)
                of = f"{counted(len(indices), 'image')} of {data.description}{part}"
                what = f"{METHODS[method]}, sigma {sigma:g} (N = {levels:,}), {of}"
                print(summary_of(chosen, what, options.rho), file=summaries)
                if options.record:  # each noise when it is whole: part of its images would not be evenly spread
                    record_files.publish(folder, shelf, chosen, data.description, part)
    return 0


# --- recount ---------------------------------------------------------------------------------------------------------


def add_recount(parser: Parser) -> None:
    add_images_options(parser)
    parser.add_argument("--sigma", type=SIGMA, required=True)


def run_recount(options: Options) -> int:
    folder, model, shelf = find_model(options.model), model_of(options), shelf_of(options)
    check_counting(DUELS, model.manifest.noise)
    check_writable(folder)
    levels = levels_from_sigma(options.sigma)
    plain, duels = (Way(model.precision, None, counting) for counting in (PLURALITY, DUELS))
    data = data_of(options, model)
    is_done = record_files.kept_ways(folder, shelf, model.manifest, levels) == {duels}  # perhaps but for the manifest
    kept = record_files.kept_before(folder, shelf, model, [levels], duels if is_done else plain, data).values()
    records = [replace(one, label=int(data.labels[one.index])) for one in kept if one.levels == levels]
    if not records:
        raise ValueError(
            f"{folder.name} keeps no records by first choices at N = {levels}: `evaluate --record` makes them"
        )
    known = all_settled(records, (*accuracy.CURVE_RHOS, *accuracy.radius_grid(records)))
    print(f"{len(known):,} of {len(records):,} images need no other vote")
    with record_files.under_way(folder, shelf, levels) as log:
        indices = [record.index for record in records]
        results = evaluation.evaluate(model, data, indices, levels, duels, {**known, **log.records})
        chosen = logged(results, options.sigma, len(indices), [log])
        what = f"sigma {options.sigma:g} (N = {levels:,}), {counted(len(indices), 'image')} of {data.description}"
        print(summary_of(chosen, what, None))
        record_files.publish(folder, shelf, chosen, data.description, instead_of=plain)
    (other,) = set(record_files.SHELVES) - {shelf}
    if record_files.kept_ways(folder, other, model.manifest, levels) - {duels}:
        print(
            f"{other.file} is counted otherwise at this noise: no table uses it until that is recounted too",
            file=sys.stderr,
        )
    return 0


COMMANDS = {
    "evaluate": Command("certify many pictures and summarize certified accuracy", add_evaluate, run_evaluate),
    "recount": Command("turn kept records by first choices into records by duels", add_recount, run_recount),
}
