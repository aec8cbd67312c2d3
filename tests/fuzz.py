"""Bad input, by the thousand: every case must end in a result or in the clear error that its reader promises.

    python -m tests.fuzz [--cases 100000] [--seed 0] [--only NAME]

Cases are well-formed inputs changed at random: bits, bytes, cuts, repeats, splices, and for JSON whole fields. A case
that ends otherwise is written to a file, and the exit code is 1. `test_fuzz.py` runs a few hundred of each kind.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from streamlit.testing.v1 import AppTest

from dssn_core import load_model, read_image
from dssn_core.architectures import build_network
from dssn_core.certificate_file import CertificateFileError, dumps, make, parse, stated_counting
from dssn_core.checkpoints import WEIGHTS, save_checkpoint
from dssn_core.classifier import Classifier
from dssn_core.constants import COUNTINGS
from dssn_core.datasets import CIFAR10_CLASSES
from dssn_core.files import read_json_lines
from dssn_core.images import ImageError
from dssn_core.manifest import MANIFEST, CheckpointError, Manifest, StatedOffsets
from dssn_core.records import Part, Record
from dssn_core.verification import verify
from dssn_core.voting import Tally, complete, tally
from tests.toys import tallied

Random = np.random.Generator
SHAPE = (3, 32, 32)
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Target:
    """A reader of untrusted bytes. share: of all cases. read: returns for a good input; refusal: what it may raise."""

    share: float
    seeds: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], object]
    refusal: type[Exception]
    is_json: bool = False


# --- changing things ------------------------------------------------------------------------------------------------


def mutated(data: bytes, random: Random) -> bytes:
    """A few random changes of some bytes."""
    changed = bytearray(data)
    for _ in range(random.integers(1, 5)):
        at = int(random.integers(0, len(changed) + 1))
        length = int(random.integers(1, 9))
        kind = random.integers(0, 6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << int(random.integers(0, 8))
        elif kind == 1:
            changed[at : at + length] = random.bytes(length)
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            del changed[at : at + length]
        elif kind == 4:
            changed[at:at] = changed[at : at + length] * int(random.integers(1, 50))
        else:
            extreme = random.choice([0, 1, 0x7F, 0xFF]).astype(np.uint8)
            changed[at : at + 4] = bytes([extreme]) * 4
    return bytes(changed)


ODDITIES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 1e308, -0.0, 0.5, "", "x", "../../etc/passwd", "\x00",
    "9" * 5000, 5.0, 60.0, "\ud800", "\x1b[8m", "![x](y)",
    [], {}, [[]], [0] * 9000, {"": None}, "0" * 64, [3, 32, 32], [10**9] * 3,
)  # fmt: skip


def altered_json(value: Any, random: Random) -> Any:
    """The value with one random field, at any depth, replaced, removed or doubled."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = str(random.choice(list(value)))
        kind = random.random()
        if kind < 0.1:
            return {key: inner for key, inner in value.items() if key != name}
        if kind < 0.15:
            return {**value, name + "x": value[name]}
        return {**value, name: altered_json(value[name], random)}
    if isinstance(value, list) and value and random.random() < 0.7:
        at = int(random.integers(0, len(value)))
        return [*value[:at], altered_json(value[at], random), *value[at + 1 :]]
    return ODDITIES[int(random.integers(0, len(ODDITIES)))]


# --- what is read ---------------------------------------------------------------------------------------------------


def picture_seeds(folder: Path) -> list[bytes]:
    """Small pictures of every format, mode and oddity that the readers know."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    turned = Image.Exif()
    turned[0x0112] = 6
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "b" * 100, zip=True)
    saved: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (picture, "PNG", {}),
        (picture, "PNG", {"pnginfo": text}),
        (picture.convert("1"), "PNG", {}),
        (picture.convert("P"), "PNG", {"transparency": 3}),
        (picture.convert("LA"), "PNG", {}),
        (Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257), "PNG", {}),
        (picture, "PNG", {"save_all": True, "append_images": [picture.rotate(90)]}),
        (picture, "PNG", {"icc_profile": b"no profile"}),
        (picture, "JPEG", {}),
        (picture, "JPEG", {"exif": turned, "progressive": True}),
        (picture.convert("CMYK"), "JPEG", {}),
        (picture.convert("L"), "JPEG", {}),
        (picture, "WEBP", {"lossless": True}),
        (picture, "WEBP", {"save_all": True, "append_images": [picture.rotate(90)]}),
        (picture, "BMP", {}),
        (picture.convert("P"), "BMP", {}),
        (picture.resize((20, 1)), "PNG", {}),
        (picture.resize((400, 5)), "PNG", {}),
    ]
    found = []
    for image, kind, options in saved:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        found.append(buffer.getvalue())
    return [*found, b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"]


def read_picture(data: bytes, folder: Path) -> object:
    image = read_image(data)
    assert tuple(image.shape) == SHAPE and image.dtype == torch.uint8
    return image


def small_model(folder: Path) -> Manifest:
    """A model with a tiny network in `folder`: fuzzing is about readers, not about convolutions."""
    settings = {"stem": 4, "stages": [4]}
    torch.manual_seed(0)
    network = build_network("film-resnet", settings, 3, len(CIFAR10_CLASSES))
    manifest = Manifest(
        name=folder.name,
        architecture="film-resnet",
        settings=settings,
        precision="float32",
        class_names=CIFAR10_CLASSES,
        input_shape=SHAPE,
        noise="dssn",
        offsets=StatedOffsets.of("r2", 0, SHAPE),
        sigma_range=(0.1, 3.5),
        training={},
        measured={},
        weights_sha256="",
    )
    return save_checkpoint(folder, network, manifest)


def certificate_seeds(folder: Path) -> list[bytes]:
    small_model(folder / "models" / "tiny")
    model = load_model("tiny", folder / "models")
    image = torch.randint(0, 256, SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    votes = [
        complete(tally(model, image, model.manifest.noise_at(levels), counting=counting))
        for levels in (5, 60)
        for counting in COUNTINGS
    ]
    return [dumps(make(model, image, vote, embed=embed)).encode() for vote in votes for embed in (True, False)]


def read_certificate(data: bytes, folder: Path) -> object:
    def watch(model: Classifier, states: Iterator[Tally]) -> Iterator[Tally]:
        """Counted in earnest where that is quick; nothing in the file can make it go wrong later."""
        levels, classes = document["noise"]["levels"], model.num_classes
        if levels < 50:
            return states
        return iter([tallied(np.zeros(levels, dtype=np.int64), classes, stated_counting(document))])

    document = parse(data)
    given = torch.zeros(SHAPE, dtype=torch.uint8) if document["image"]["png"] is None else None
    return list(verify(document, given, folder / "models", watch))


def manifest_seeds(folder: Path) -> list[bytes]:
    return [small_model(folder / "one").to_json().encode()]


def read_manifest(data: bytes, folder: Path) -> object:
    return Manifest.from_json(data)


def weight_seeds(folder: Path) -> list[bytes]:
    small_model(folder / "loaded")
    return [(folder / "loaded" / WEIGHTS).read_bytes()]


def read_weights(data: bytes, folder: Path) -> object:
    """Weights with the hash made to fit, so that what lies behind the hash is reached."""
    manifest = Manifest.from_json((folder / "loaded" / MANIFEST).read_bytes())
    (folder / "loaded" / WEIGHTS).write_bytes(data)
    fitting = replace(manifest, weights_sha256=hashlib.sha256(data).hexdigest())
    (folder / "loaded" / MANIFEST).write_text(fitting.to_json())
    return load_model("loaded", folder)


def record_seeds(folder: Path) -> list[bytes]:
    record = Record(3, 441, "0" * 64, "float32", "1" * 64, 1, 0, 179, (400, 41), 0.5).to_json()
    sampled = {
        **record,
        "radius_steps": None,
        "sampling": {"method": "ssn", "n0": 100, "n": 441, "alpha": 0.001, "seed": 0},
    }
    lines = "".join(json.dumps(r) + "\n" for r in (record, sampled, record)).encode()
    return [lines, gzip.compress(lines, mtime=0), lines + b'{"index": 7, "lev']


def read_records(data: bytes, folder: Path) -> object:
    path = folder / ("records.jsonl.gz" if data[:2] == b"\x1f\x8b" else "records.jsonl")
    path.write_bytes(data)
    return {record.key: record for record in Part(but="x").of(map(Record.from_json, read_json_lines(path)))}


LINKS = tuple(
    link.encode()
    for link in (
        "certify?picture=cifar10-02&sigma=0.15&source=My+own+picture&sha256=00",
        "compare?picture=cifar10-02&sigma=0.15&samples=100&alpha=0.001&methods=DSSN&compare=Sweep+over+σ",
        "split_and_centre?section=One+pixel&lam=0.25&k=90&j=20&v=12",
        "split_and_centre?section=Offsets&offsets-lam=0.5&j=3",
        "why_it_certifies?why=Two-pixel+world&toy=wave&scheme=white&k1=20&n=100",
        "certify?data=&cifar10-network=&sigma=&counting=&source=&picture=",
        "lesson?step=3",
        "benchmark?bench-section=Images&bench-models-cifar10=cifar10-ssn",
    )
)


def address_seeds(folder: Path) -> list[bytes]:
    return list(LINKS)


def read_address(data: bytes, folder: Path) -> object:
    """A page with everything behind the question mark changed: it opens, and shows no exception."""
    path, _, query = data.decode("utf-8", "replace").partition("?")
    page = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    for name, value in parse_qsl(query, keep_blank_values=True):
        page.query_params[name] = value
    known = {link.partition(b"?")[0].decode() for link in LINKS}
    page.switch_page(f"views/{path if path in known else 'certify'}.py").run()
    assert not page.exception, page.exception
    return page


TARGETS = {
    "picture": Target(0.4, picture_seeds, read_picture, ImageError),
    "certificate": Target(0.2, certificate_seeds, read_certificate, CertificateFileError, is_json=True),
    "manifest": Target(0.15, manifest_seeds, read_manifest, CheckpointError, is_json=True),
    "weights": Target(0.1, weight_seeds, read_weights, CheckpointError),
    "records": Target(0.147, record_seeds, read_records, ValueError),
    "address": Target(0.003, address_seeds, read_address, NotImplementedError),  # nothing in a link is refused
}


# --- running --------------------------------------------------------------------------------------------------------


def cases(target: Target, seeds: list[bytes], count: int, random: Random) -> Iterator[bytes]:
    yield from seeds
    for _ in range(count - len(seeds)):
        seed = seeds[int(random.integers(0, len(seeds)))]
        if target.is_json and random.random() < 0.6:
            try:
                yield json.dumps(altered_json(json.loads(seed), random)).encode()
            except ValueError:  # integers of more digits than Python writes
                yield seed
        else:
            yield mutated(seed, random)


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Fails if the block leaves another number of files in `folder` than it found."""
    before = sorted(path.name for path in folder.iterdir())
    yield
    assert sorted(path.name for path in folder.iterdir()) == before, "a file was written outside its place"


def fuzz(name: str, count: int, seed: int) -> tuple[Counter[str], list[tuple[bytes, str]]]:
    """Outcomes of `count` cases, and those that ended in something else than a result or the promised error."""
    target, outcomes, failures = TARGETS[name], Counter[str](), []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "inside"
        folder.mkdir()
        seeds = target.seeds(folder)
        random = np.random.default_rng([seed, list(TARGETS).index(name)])
        with untouched(Path(temporary)):
            for data in cases(target, seeds, count, random):
                try:
                    target.read(data, folder)
                    outcomes["read"] += 1
                except target.refusal as error:
                    outcomes["refused"] += 1
                    if not str(error).strip():
                        failures.append((data, "the message is empty"))
                except Exception:
                    failures.append((data, traceback.format_exc()))
    return outcomes, failures


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(TARGETS))
    options = parser.parse_args(arguments)
    wrong = 0
    for name, target in TARGETS.items():
        if options.only in (None, name):
            began = time.perf_counter()
            count = round(options.cases * target.share)
            outcomes, failures = fuzz(name, count, options.seed)
            seconds = time.perf_counter() - began
            tally = f"{outcomes['read']} read, {outcomes['refused']} refused, {len(failures)} otherwise"
            print(f"{name}: {sum(outcomes.values()) + len(failures)} cases in {seconds:.0f} s: {tally}", flush=True)
            for data, trace in failures[:3]:
                kept = tempfile.NamedTemporaryFile(prefix=f"fuzz-{name}-", delete=False)  # noqa: SIM115 (to be kept)
                kept.write(data)
                print(f"{kept.name} ({base64.b64encode(data[:60]).decode()} …):\n{trace}")
            wrong += len(failures)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
