"""Commands about single certificates."""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from tqdm import tqdm

from .. import certificate_file
from ..certificate import Certificate
from ..checkpoints import find_model, load_model
from ..classifier import Classifier
from ..constants import DSSN, DUELS, PLURALITY, levels_from_sigma
from ..duels import DuelCertificate
from ..files import check_writable, write_atomically
from ..findings import Verdict, verdict
from ..gallery import pictures_for
from ..images import image_sha256, read_image
from ..layout import ChunkLayout
from ..stored import keep_certificates
from ..strict import StrictCertificate, check_gap, strictly
from ..verification import verify
from ..voting import Tally, complete, tally
from ..wording import counted, shown
from .options import (
    DIFFERS,
    POSITIVE,
    SIGMA,
    Command,
    Options,
    Parser,
    add_model_option,
    add_vote_options,
    check_output,
    checked,
    model_of,
    warn_of_other_noise,
)


def with_bar(model: Classifier, states: Iterator[Tally]) -> Iterator[Tally]:
    """The states of a vote, with a bar on the terminal that tells how it stands."""
    with tqdm(unit="sample", disable=None, leave=False) as bar:
        for state in states:
            bounds, bar.total = state.bounds, state.total
            told = f"{model.class_names[bounds.label]}, R in {bounds.lower}..{bounds.upper}"
            bar.set_postfix_str(told, refresh=False)
            bar.update(len(state.indices))
            yield state


def with_logits(states: Iterable[Tally], kept: list[np.ndarray]) -> Iterator[Tally]:
    """The states of a vote; their logits are put into `kept` as they come."""
    for state in states:
        kept.append(state.logits)
        yield state


# --- certify ---------------------------------------------------------------------------------------------------------


def add_certify(parser: Parser) -> None:
    parser.add_argument("image", type=Path, help="a PNG, JPEG, WebP or BMP picture; cropped and resized to fit")
    add_vote_options(parser)
    parser.add_argument("--batch-size", type=POSITIVE, help="most samples of a chunk (default: as many as fit)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    parser.add_argument("--output", type=Path, help="write a certificate file that `verify` can check")
    parser.add_argument(
        "--strict",
        type=checked(float, check_gap),
        metavar="GAP",
        help="also the radius that holds on machines whose logits differ by less than GAP/2",
    )
    parser.add_argument("--no-pixels", action="store_true", help="put only the image's hash into the certificate file")


def certificate_json(certificate: Certificate, class_names: tuple[str, ...]) -> dict[str, Any]:
    duels = certificate if isinstance(certificate, DuelCertificate) else None
    return {
        "class": class_names[certificate.label],
        "label": certificate.label,
        "radius": certificate.radius,
        "radius_steps": certificate.radius_steps,
        "levels": certificate.levels,
        "lambda": certificate.lam,
        "sigma": certificate.sigma,
        "counting": certificate.counting,
        "votes": dict(zip(class_names, certificate.votes, strict=True)),
        **({"wins": dict(zip(class_names, duels.wins, strict=True))} if duels else {}),
        "margins": dict(zip(class_names, certificate.margins, strict=True)),
        "account": certificate.account(class_names),
    }


def run_certify(options: Options) -> int:
    model = model_of(options)
    image = read_image(options.image, model.input_shape[1:])
    noise = model.manifest.noise_at(options.levels)
    warn_of_other_noise(model, DSSN, [options.levels])
    if options.no_pixels and not options.output:
        raise ValueError("--no-pixels applies to the file that --output writes: give --output too")
    if options.output:  # before the vote, not after it
        check_output(options.output, options.image)
        layout = ChunkLayout.for_images(noise.levels, noise.shape, options.batch_size)
        try:
            certificate_file.check_rows(layout.rows, noise.shape)
        except ValueError as error:
            raise ValueError(f"{error}: choose a smaller --batch-size") from None
    began = time.perf_counter()
    logits: list[np.ndarray] = []
    counting = options.counting or model.counting
    states = with_bar(model, tally(model, image, noise, options.batch_size, counting))
    vote = complete(with_logits(states, logits) if options.strict else states)
    seconds = time.perf_counter() - began
    certificate = vote.certificate
    strict = strictly(np.concatenate(logits), options.strict, counting) if options.strict else None
    try:
        print_certificate(options, model, image, certificate, strict)
    finally:  # last: where it cannot be written, the certificate has been seen; and where it cannot be seen, written
        if options.output:
            embed = not options.no_pixels
            document = certificate_file.make(model, image, vote, options.batch_size, seconds, embed)
            write_atomically(options.output, certificate_file.dumps(document).encode())
    return 0


def print_certificate(
    options: Options,
    model: Classifier,
    image: Tensor,
    certificate: Certificate,
    strict: StrictCertificate | None,
) -> None:
    """Print a certificate as the options ask for it."""
    if options.json:
        about: dict[str, Any] = {
            "image": str(options.image),
            "image_sha256": image_sha256(image),
            "model": model.manifest.name,
            "weights_sha256": model.manifest.weights_sha256,
        }
        if strict is not None:
            told = ("levels", "gap", "votes", "undecided", "label", "radius_steps")
            about["strict"] = {name: getattr(strict, name) for name in told}
        print(json.dumps({**about, **certificate_json(certificate, model.class_names)}))
    else:
        height, width = model.input_shape[1:]
        print(f"{options.image} at {width} x {height}, model {model.manifest.name}")
        print(f"N = {certificate.levels:,}, lambda = {certificate.lam:.4f}, sigma = {certificate.sigma:.4f}\n")
        print("\n".join(certificate.account(model.class_names)))
        if strict is not None:
            print(f"\n{strict_account(strict, certificate, model.class_names)}")


def strict_account(strict: StrictCertificate, certificate: Certificate, class_names: tuple[str, ...]) -> str:
    where = f"on machines whose logits differ from these by less than {strict.gap / 2}"
    if certificate.counting == DUELS:
        said = f"A sample is counted in a duel only where it has the two logits more than {strict.gap} apart"
        others = "the samples that are not counted"
    else:
        said = f"{strict.undecided:,} of {strict.levels:,} samples have two best logits at most {strict.gap} apart"
        others = "these samples"
    if strict.label is None:
        return f"Strictly: {said}. There is no strict certificate: {others} could make another class win."
    return (
        f"Strictly: {said}. However {others} vote, “{class_names[strict.label]}” is certified within "
        f"{counted(strict.bounds.lower, 'grey level')} {where} (on this machine alone: {certificate.radius_steps:,})."
    )


# --- gallery ---------------------------------------------------------------------------------------------------------


def add_gallery(parser: Parser) -> None:
    add_model_option(parser)
    parser.add_argument("--sigma", type=SIGMA, nargs="+", required=True)


def run_gallery(options: Options) -> int:
    model = load_model(options.model)
    if model.counting != PLURALITY:
        raise ValueError(f"{options.model} counts votes by {model.counting}: only votes by plurality are stored")
    images = [read_image(picture.path, model.input_shape[1:]) for picture in pictures_for(model)]
    folder = find_model(options.model)
    check_writable(folder)
    documents = []
    for levels in dict.fromkeys(map(levels_from_sigma, options.sigma)):  # two may come to the same N
        noise = model.manifest.noise_at(levels)
        for image in tqdm(images, unit="image", desc=f"N = {levels:,}", disable=None):
            began = time.perf_counter()
            vote = complete(tally(model, image, noise))
            seconds = time.perf_counter() - began
            documents.append(certificate_file.make(model, image, vote, seconds=seconds, embed=False))
        keep_certificates(folder, documents)
    print(f"stored {len(documents)} certificates of {len(images)} pictures in the folder of {options.model}")
    return 0


# --- verify ----------------------------------------------------------------------------------------------------------


ROUNDING = 4
"""Exit code of `verify` for a certificate that only differs as rounding may."""

EXIT_CODES = {Verdict.HOLDS: 0, Verdict.EDITED: DIFFERS, Verdict.DIFFERS: DIFFERS, Verdict.ROUNDING: ROUNDING}


def add_verify(parser: Parser) -> None:
    parser.add_argument("certificate", type=Path, help="a certificate file")
    parser.add_argument("--image", type=Path, help="the picture it is about, where the file holds no pixels")
    parser.add_argument("--model", help="check with this model, a name or a folder (default: the one with its weights)")
    parser.epilog = (
        f"exit code: 0 everything agrees, {DIFFERS} something differs, {ROUNDING} only votes or duels differ that "
        "another machine's rounding may well flip, 1 the file cannot be checked"
    )


def run_verify(options: Options) -> int:
    with options.certificate.open("rb") as file:
        document = certificate_file.parse(file.read(certificate_file.MAX_BYTES + 1))
    _, height, width = document["image"]["shape"]
    image = read_image(options.image, (height, width)) if options.image else None
    findings = list(verify(document, image, watch=with_bar, chosen=options.model))
    for finding in findings:
        print(f"{'agrees ' if finding.agrees else 'DIFFERS'}  {finding.what}: {finding.text}")
    made = [shown(f"{name} {value}") for name, value in document["made"].items()]
    print(f"made, by its own account: {', '.join(made)}")
    result = verdict(findings)
    print(result)
    return EXIT_CODES[result]


COMMANDS = {
    "certify": Command("certify one picture and explain the certificate", add_certify, run_certify),
    "gallery": Command("store certificates of the built-in pictures in the model's folder", add_gallery, run_gallery),
    "verify": Command("check a certificate file by computing it again", add_verify, run_verify),
}
