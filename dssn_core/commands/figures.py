"""Commands about the figures of networks: certified accuracy beside the paper's, and quick estimates to choose by."""

from functools import cache

import torch

from .. import evaluation, record_files
from ..checkpoints import find_model, load_model, read_manifest
from ..comparison import METHODS
from ..constants import DSSN, DUELS
from ..datasets import list_dataset
from ..estimates import quick_estimates
from ..held_out import held_out_of
from ..paper import published
from ..records import WHOLE, Part
from ..standings import TABLE_RHOS, Evaluated, markdown, on_shared_images, standings
from ..tasks import labelled_for, task_of
from ..wording import counted
from .options import (
    DEFAULT_MODEL,
    POSITIVE,
    RADIUS,
    SIGMA,
    Command,
    Options,
    Parser,
    add_part_options,
)

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
    networks = [Evaluated.read(home, part) for home in homes.values()]
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
    line = (
        "rho {rho:g}: {ours:.2f} ({ours_95_low:.2f} to {ours_95_high:.2f}, {ours_images:,} images; {network} at sigma "
        "{ours_sigma:.2f}, votes by {ours_counting}), paper {paper:.2f}, difference {difference:+.2f}"
    )
    for standing in found:
        print(line.format(**standing.row()))
    return 0


# --- estimate --------------------------------------------------------------------------------------------------------


def add_estimate(parser: Parser) -> None:
    parser.add_argument("--model", nargs="+", default=[DEFAULT_MODEL], help="names or folders")
    parser.add_argument("--data", required=True, help="the training set of the models: zip, folder or 'download'")
    parser.add_argument("--sigma", type=SIGMA, nargs="+", required=True)
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
        print(f"{name}: {counted(len(data), 'image')}, {options.samples:,} samples each{duels}")
        print(" sigma  sample  " + "".join(f"{rho:>6g}" for rho in options.rho))
        for found in quick_estimates(model, data, options.sigma, options.rho, options.samples, options.seed):
            row = "".join(f"{100 * share:6.1f}" for share in found.certified.values())
            print(f"{found.sigma:6g}  {100 * found.single_sample:6.1f}  {row}", flush=True)
    return 0


COMMANDS = {
    "standings": Command("set stored records of models beside the paper's figures", add_standings, run_standings),
    "estimate": Command("compare models by a few samples of each held-out image", add_estimate, run_estimate),
}
