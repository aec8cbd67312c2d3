"""The records that a model's folder keeps, and what its manifest says of them."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .accuracy import summary
from .checkpoints import Manifest, read_manifest, save_manifest
from .files import locked, read_json_lines, write_json_lines
from .gallery import identity
from .networks import Classifier
from .records import Key, Record, Sampling, by_levels, of_files

RECORD_FILES = {False: "test.jsonl.gz", True: "held-out.jsonl.gz"}
MEASURED = {False: "certified_accuracy", True: "held_out_certified_accuracy"}
"""By whether the images were held out of training: the file of a model's records, and what they add up to."""


def kept_records(folder: Path, held_out: bool, weights: str | None = None) -> list[Record]:
    """The records in a model's folder: of test images, or of those held out of its training.

    weights: the hash of the weights whose records are wanted; None for those of all that have been there.
    """
    found = [Record.from_json(line) for line in read_json_lines(folder / RECORD_FILES[held_out])]
    return [record for record in found if weights in (None, record.weights_sha256)]


def kept_before(
    folder: Path, held_out: bool, model: Classifier, levels: Collection[int], sampling: Sampling | None, data: str
) -> dict[Key, Record]:
    """The kept records that an evaluation of `data` at these N goes on from, if it is to be kept too.

    ValueError if it would replace what it does not go on from: records of the same weights, but of other data, or at
    one of these N in another number format or drawn otherwise.
    """
    assert model.manifest is not None
    weights, measured = model.manifest.weights_sha256, model.manifest.measured
    before = kept_records(folder, held_out, weights)
    described = {of["data"] for name, of in measured.items() if name.startswith(MEASURED[held_out])}
    others = [kept for kept in described if identity(kept) != identity(data) and not kept.startswith(data)]
    if before and (others or not described):
        what = others[0] if others else "data that its manifest does not name"
        raise ValueError(f"{folder.name} keeps records of {what}, this is {data}: give --output without --record")
    for n, group in by_levels(before).items():
        ways = {record.way for record in group} - {(model.precision, sampling)}
        if n in levels and ways:
            raise ValueError(
                f"{folder.name} keeps {len(group)} records at N = {n}, counted in another way ({_said(*ways.pop())}, "
                f"not {_said(model.precision, sampling)}): give --output without --record"
            )
    return {record.key: record for record in before}


def _said(precision: str, sampling: Sampling | None) -> str:
    drawn = {} if sampling is None else asdict(sampling)
    return ", ".join([precision, *(f"{name} {value}" for name, value in drawn.items())])


def check_of_one_piece(manifest: Manifest) -> None:
    """ValueError if a model's records of test images were measured by patterns of file names only, part by part."""
    whole = MEASURED[False]
    parts = [name.removeprefix(whole).strip(", ") for name in manifest.measured if name.startswith(whole)]
    if parts and "" not in parts:
        raise ValueError(
            f"{manifest.name} keeps records of pictures that were measured apart ({'; '.join(parts)}): choose some by "
            "--files and --but"
        )


def keep_records(folder: Path, held_out: bool, records: Sequence[Record]) -> None:
    """Add records of one model, counted in one way at each N, to those in its folder.

    Records kept before are dropped if they are of other weights or blocks, or at the same N drawn otherwise or in
    another number format. ValueError if an index had another image in them, as in another data set, or where another
    decoder reads the files.
    """
    images = {record.index: record.image_sha256 for record in records}
    networks = {record.network for record in records}
    ways = {record.levels: record.way for record in records}
    if len(networks) > 1:
        raise ValueError("the records are of more than one model")
    if any(record.way != ways[record.levels] for record in records):
        raise ValueError("the records at one N are drawn in more than one way")
    models = {(weights, block) for weights, _, block in networks}
    before = [
        record
        for record in kept_records(folder, held_out)
        if (record.weights_sha256, record.block) in models and ways.get(record.levels, record.way) == record.way
    ]
    others = [record.index for record in before if images.get(record.index) not in (None, record.image_sha256)]
    if others:
        raise ValueError(
            f"the image of index {others[0]} is not the one that {folder.name} keeps a record of: give --output "
            "without --record"
        )
    merged = {record.key: record for record in [*before, *records]}
    ordered = sorted(merged.values(), key=lambda record: (record.levels, record.index))
    write_json_lines(folder / RECORD_FILES[held_out], (record.to_json() for record in ordered))


def publish(
    folder: Path,
    held_out: bool,
    records: Sequence[Record],
    data: str,
    files: str = "*",
    but: str = "",
    rhos: Sequence[float] | None = None,
) -> None:
    """`keep_records`, and say in the model's manifest what all that are kept add up to.

    data, files, but: what images they are of, as for `selected`. ValueError if the folder holds other weights by now.
    """
    with locked(folder):
        weights = read_manifest(folder).weights_sha256
        if any(record.weights_sha256 != weights for record in records):
            raise ValueError(f"{folder} holds other weights than at the start: these figures are not about them")
        keep_records(folder, held_out, records)
        which = f", files {files}" * (files != "*") + f" but {but}" * bool(but)
        measured = measured_on(of_files(kept_records(folder, held_out), files, but), data + which, rhos)
        manifest = read_manifest(folder)  # as it is now: training, which waits for no lock, may have written into it
        save_manifest(folder, replace(manifest, measured={**manifest.measured, MEASURED[held_out] + which: measured}))


def measured_on(records: Sequence[Record], data: str, rhos: Sequence[float] | None = None) -> dict[str, Any]:
    """What a manifest says of records of the images that `data` describes, by N; rhos as for `summary`."""
    by_n = {
        str(levels): {
            "precision": group[0].precision,
            "sampling": None if group[0].sampling is None else asdict(group[0].sampling),
            "by_rho": {rho: share.to_json() for rho, share in summary(group, rhos).items()},
        }
        for levels, group in by_levels(records).items()
    }
    what = "images classified right with certified radius of at least rho, by N and rho"
    return {"what": what, "data": data, "by_levels": by_n}
