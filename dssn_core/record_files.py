"""Files of records: those that a model's folder keeps, with what its manifest says of them, and logs under way."""

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .accuracy import summary
from .checkpoints import read_manifest, save_manifest
from .classifier import Classifier
from .datasets import Listing, identity
from .files import locked, only_writer, read_json_lines, write_json_lines
from .held_out import trained_on
from .images import image_sha256
from .manifest import Manifest
from .records import WHOLE, Key, Part, Record, Way, by_levels

SEEN_AGAIN = 10
"""So many kept records' images are compared with the data before an evaluation goes on from them."""


@dataclass(frozen=True)
class Shelf:
    """Records of one kind of images. file: in the model's folder. entry: of the manifest, what they add up to."""

    file: str
    entry: str


TEST = Shelf("test.jsonl.gz", "certified_accuracy")
HELD_OUT = Shelf("held-out.jsonl.gz", "held_out_certified_accuracy")
"""Of held-out training images."""
SHELVES = (TEST, HELD_OUT)

NO_RECORD = "`evaluate --output` without --record keeps others apart"
"""What to do with records that cannot be kept."""


def _records_in(path: Path) -> list[Record]:
    """Those of a JSON-lines file; ValueError names the line that is none."""
    records = []
    for number, line in enumerate(read_json_lines(path), 1):
        try:
            records.append(Record.from_json(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}; take that line out, or choose another file") from error
    return records


def kept_records(folder: Path, shelf: Shelf, manifest: Manifest | None = None) -> list[Record]:
    """The records of a shelf in a model's folder.

    manifest: of the model whose records are wanted; None for those of all that have been there.
    """
    found = _records_in(folder / shelf.file)
    if len({record.key for record in found}) < len(found):
        raise ValueError(f"{folder / shelf.file} holds more than one record of an image at the same N")
    return [record for record in found if manifest is None or record.voter == manifest.voter]


def kept_ways(folder: Path, shelf: Shelf, manifest: Manifest, levels: int) -> set[Way]:
    """How the records of a model on a shelf were counted at N."""
    return {record.way for record in kept_records(folder, shelf, manifest) if record.levels == levels}


def kept_before(
    folder: Path,
    shelf: Shelf,
    model: Classifier,
    levels: Collection[int],
    way: Way,
    data: Listing,
    part: Part = WHOLE,
) -> dict[Key, Record]:
    """The records already kept that an evaluation of a part of `data`, in one way at these N, continues from.

    ValueError, before anything is counted, for what cannot be kept: the very data that the model was trained on, as
    test images; and, where there are records of the same weights,
    - other data than theirs, or the same images read differently;
    - a part of the data where they are of the whole, or the other way round;
    - another way than theirs at one of these N.
    """
    measured = read_manifest(folder).measured  # as it is by now
    if shelf == TEST and (seen := trained_on(model.manifest.training, data.description)):
        raise ValueError(f"{folder.name} was trained on {seen}: only --held-out records can be kept")
    before = kept_records(folder, shelf, model.manifest)
    entries = {name: of.get("data", "") for name, of in measured.items() if name.startswith(shelf.entry)}
    others = [
        kept
        for kept in entries.values()
        if identity(kept) != identity(data.description) and not kept.startswith(data.description)
    ]
    if before and others:
        raise ValueError(f"{folder.name} keeps records of {others[0]}, this is {data.description}: {NO_RECORD}")
    if before and entries and (shelf.entry in entries) != (part == WHOLE):
        kinds = ("of parts of the data", "of the whole data")
        is_whole = shelf.entry in entries
        raise ValueError(f"{folder.name} keeps records {kinds[is_whole]}, not {kinds[not is_whole]}: {NO_RECORD}")
    # Where the manifest names no data, as after a kill between records and manifest, the images themselves tell.
    check_images(folder.name, before[:SEEN_AGAIN] if entries else before, data)
    check_ways(folder.name, before, dict.fromkeys(levels, way))
    return {record.key: record for record in before}


def check_ways(name: str, kept: Iterable[Record], ways: Mapping[int, Way]) -> None:
    """ValueError if a record that is kept at one of these N is counted in another way."""
    for n, group in by_levels(kept).items():
        others = {record.way for record in group} - {ways[n]} if n in ways else set()
        if others:
            told = f"counted in another way ({others.pop()}; not {ways[n]})"
            raise ValueError(f"{name} keeps {len(group)} records at N = {n}, {told}: {NO_RECORD}")


def check_images(name: str, records: Sequence[Record], data: Listing) -> None:
    """ValueError if the image at a record's place in the data is not the one that the record is of."""
    places = [record.index for record in records]
    images = data.read(places) if max(places, default=0) < len(data) else [None] * len(places)
    for record, image in zip(records, images, strict=True):
        if image is None or image_sha256(image) != record.image_sha256:
            raise ValueError(_another(record.index, name))


def _another(index: int, name: str) -> str:
    return f"the image of index {index} is not the one that {name} keeps a record of: {NO_RECORD}"


def check_of_one_piece(manifest: Manifest) -> None:
    """ValueError if a model's records of test images were measured by patterns of file names only, part by part."""
    whole = TEST.entry
    parts = [name.removeprefix(whole).strip(", ") for name in manifest.measured if name.startswith(whole)]
    if parts and "" not in parts:
        raise ValueError(
            f"{manifest.name} keeps records of pictures that were measured apart ({'; '.join(parts)}): choose some by "
            "--files and --but"
        )


def keep_records(folder: Path, shelf: Shelf, records: Sequence[Record], instead_of: Way | None = None) -> list[Record]:
    """Add records of one model, counted in one way at each N, to those in its folder; returns all that are there then.

    Records kept before are dropped if they are of other weights, offsets or blocks, or if they are counted in the way
    `instead_of` at the same N, whose place these take. ValueError if those at the same N are counted in another
    way, if one of an image would be lost, or an index had another image in them, as in another data set, or where
    another decoder reads the files.
    """
    images = {record.index: record.image_sha256 for record in records}
    voters = {record.voter for record in records}
    ways = {record.levels: record.way for record in records}
    if len(voters) > 1:
        raise ValueError("the records are of more than one model")
    if any(record.way != ways[record.levels] for record in records):
        raise ValueError("the records at one N are counted in more than one way")
    before = [record for record in kept_records(folder, shelf) if record.voter in voters]
    others = [record.index for record in before if images.get(record.index) not in (None, record.image_sha256)]
    if others:
        raise ValueError(_another(others[0], folder.name))
    replaced = {record.key for record in before if record.levels in ways and record.way == instead_of}
    lost = {(key.index, key.levels) for key in replaced} - {(record.index, record.levels) for record in records}
    if lost:
        raise ValueError(f"{folder.name} keeps records of {len(lost)} more images by now: do it again")
    before = [record for record in before if record.key not in replaced]
    check_ways(folder.name, before, ways)
    merged = {record.key: record for record in [*before, *records]}
    ordered = sorted(merged.values(), key=lambda record: (record.levels, record.index))
    write_json_lines(folder / shelf.file, (record.to_json() for record in ordered))
    return ordered


def publish(
    folder: Path,
    shelf: Shelf,
    records: Sequence[Record],
    data: str,
    part: Part = WHOLE,
    instead_of: Way | None = None,
) -> None:
    """`keep_records`, and say in the model's manifest what all that are kept add up to.

    data, part: what images they are of. ValueError if the folder holds other weights by now.
    """
    with locked(folder):
        manifest = read_manifest(folder)
        if any(record.voter != manifest.voter for record in records):
            raise ValueError(f"{folder} holds another model than at the start: these figures are not about it")
        measured = measured_on(part.of(keep_records(folder, shelf, records, instead_of)), f"{data}{part}")
        save_manifest(folder, replace(manifest, measured={**manifest.measured, f"{shelf.entry}{part}": measured}))


def measured_on(records: Sequence[Record], data: str) -> dict[str, Any]:
    """What a manifest says of records of the images that `data` describes, by N; at_least: how many are `at_least`."""
    by_n = {
        str(levels): {
            **asdict(group[0].way),
            **({"at_least": known} if (known := sum(record.at_least for record in group)) else {}),
            "by_rho": {rho: share.to_json() for rho, share in summary(group).items()},
        }
        for levels, group in by_levels(records).items()
    }
    what = "images classified right with certified radius of at least rho, by N and rho"
    return {"what": what, "data": data, "by_levels": by_n}


@contextmanager
def under_way(folder: Path, shelf: Shelf, levels: int) -> Iterator["RecordLog"]:
    """A block with the log of an evaluation at N until its records are published: a kill loses none of them.

    It lies in the model's folder, hidden, and goes when the block ends well; but what an earlier evaluation left there,
    and this one did not ask for, stays. ValueError, at once, where another process has it.
    """
    path = folder / f".{shelf.entry}-{levels}.jsonl"
    with only_writer(path):
        log = RecordLog(path)
        yield log
        others = [record for key, record in log.records.items() if key not in log.added]
        if others:
            write_json_lines(path, (record.to_json() for record in others))
        else:
            path.unlink()


class RecordLog:
    """Records in a JSON-lines file, to which new ones are added as they are made; without one they are printed.

    added: keys of the records that this process has added, known before or not.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self.added = path, set[Key]()
        self.records = {record.key: record for record in (_records_in(path) if path else [])}
        if path:  # without the torn last line that a kill may have left
            write_json_lines(path, (record.to_json() for record in self.records.values()))

    def add(self, record: Record) -> Record:
        """Log the record, and return it."""
        self.added.add(record.key)
        if self.records.get(record.key) != record:  # with another label or file name, the later of two lines counts
            self.records[record.key] = record
            with self.path.open("a", encoding="utf-8") if self.path else nullcontext(sys.stdout) as file:
                print(json.dumps(record.to_json()), file=file, flush=True)
        return record
