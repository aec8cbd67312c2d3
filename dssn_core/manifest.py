"""A manifest: what a checkpoint says of itself, in JSON that is checked when it is read."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from . import strict_json
from .checks import check_choice
from .constants import COUNTINGS, DSSN, PLURALITY, levels_from_sigma
from .noises import NOISES
from .splitting import PIXELWISE, Block, SplitNoise, check_block

MANIFEST = "manifest.json"
FORMAT = 1
HASHED_LEVELS = (132, 441, 1766, 3091)
"""Levels at which a manifest keeps the SHA-256 of the offsets, so that a changed scheme cannot pass unseen."""


class CheckpointError(ValueError):
    """A model cannot be loaded; the message says which check failed."""


@dataclass(frozen=True)
class Voter:
    """What tells records of one model from those of others: the weights' hash, offsets' scheme and seed, and block.

    Not all that a vote depends on: see `Manifest.computes_as`, and a record's `Way`.
    """

    weights_sha256: str
    offsets: str
    block: Block


@dataclass(frozen=True)
class StatedOffsets:
    """The offsets of a model: how they are made, and what holds them in place.

    scheme, seed, block: as of a `SplitNoise`. sha256: of the offsets at `HASHED_LEVELS`, by level count in digits.
    """

    scheme: str
    seed: int
    sha256: dict[str, str]
    block: Block = PIXELWISE

    @staticmethod
    def of(scheme: str, seed: int, shape: tuple[int, int, int], block: Block = PIXELWISE) -> "StatedOffsets":
        """As they are made here for samples of a shape (C, H, W); ValueError for what makes no `SplitNoise`."""
        hashes = {str(n): SplitNoise(n, shape, scheme, seed, block).offsets_sha256 for n in HASHED_LEVELS}
        return StatedOffsets(scheme, seed, hashes, block)

    @staticmethod
    def from_json(record: dict[str, Any]) -> "StatedOffsets":
        return StatedOffsets(**{**record, "block": tuple(record.get("block", PIXELWISE))})

    def to_json(self) -> dict[str, Any]:
        """The block only where it is not one pixel."""
        record = {"scheme": self.scheme, "seed": self.seed, "sha256": self.sha256}
        return record if self.block == PIXELWISE else {**record, "block": list(self.block)}


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint claims about itself.

    architecture and settings: see `architectures.ARCHITECTURES`. precision: number format of the convolutions.
    noise: what it was trained on. sigma_range: the trained range. training: budget, data, settings. measured: figures
    with what they were measured on. counting: of DSSN's votes, one of `COUNTINGS`, where none is asked for.
    """

    name: str
    architecture: str
    settings: dict[str, Any]
    precision: str
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    noise: str
    offsets: StatedOffsets
    sigma_range: tuple[float, float]
    training: dict[str, Any]
    measured: dict[str, Any]
    weights_sha256: str
    format: int = FORMAT
    counting: str = PLURALITY

    @property
    def block(self) -> Block:
        """The pixels that are split together."""
        return self.offsets.block

    def noise_at(self, levels: int) -> SplitNoise:
        """The splitting noise that the model was trained for, at any number of levels."""
        return SplitNoise(levels, self.input_shape, self.offsets.scheme, self.offsets.seed, self.block)

    @property
    def voter(self) -> Voter:
        return Voter(self.weights_sha256, f"{self.offsets.scheme} {self.offsets.seed}", self.block)

    @property
    def images_seen(self) -> int:
        """Training images, repeats counted, of this run and those of the weights that it started from."""
        return sum(self.training.get(name, 0) for name in ("images", "images_before"))

    def trained_at(self, levels: int) -> bool:
        """Whether the model was trained for this noise; elsewhere its answers mean little."""
        low, high = map(levels_from_sigma, self.sigma_range)
        return low <= levels <= high

    def computes_as(self, other: "Manifest") -> bool:
        """Whether a model of the same weights as another one is the same base classifier, whatever it is called.

        In the same number format, that is, which any model may be asked to run in.
        """
        mine, its = ((m.architecture, m.settings, m.class_names, m.input_shape, m.offsets) for m in (self, other))
        return mine == its

    @cached_property
    def function_sha256(self) -> str:
        """Stands for all that votes depend on, and for nothing that an evaluation adds."""
        return hashlib.sha256(replace(self, training={}, measured={}).to_json().encode()).hexdigest()

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "offsets": self.offsets.to_json()}, indent=1) + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> "Manifest":
        """Parse and check against `manifest_schema.json`; CheckpointError names the place that does not fit."""
        try:
            found = strict_json.parse(text)
        except ValueError as error:
            raise CheckpointError(f"{MANIFEST} is not JSON: {error}") from None
        if isinstance(found, dict) and found.get("format", FORMAT) != FORMAT:
            raise CheckpointError(f"{MANIFEST} has format {found['format']!r}; this version reads format {FORMAT}")
        try:
            strict_json.check_fits(found, "manifest")
            _check_sense(found)
        except ValueError as error:
            raise CheckpointError(f"{MANIFEST}: {error}") from None
        lists = {name: tuple(found[name]) for name in ("class_names", "input_shape")}
        low, high = map(float, found["sigma_range"])
        return Manifest(
            **{**found, **lists, "sigma_range": (low, high), "offsets": StatedOffsets.from_json(found["offsets"])}
        )


def check_counting(counting: str, noise: str) -> str:
    """One of `COUNTINGS`; ValueError for any other, and for one that votes under this noise are not counted by."""
    check_choice("counting", counting, COUNTINGS)
    if counting != PLURALITY and noise != DSSN:
        raise ValueError(f"only DSSN counts votes by {counting}, not {noise!r}")
    return counting


def _check_sense(found: dict[str, Any]) -> None:
    """ValueError for what fits the schema, and still makes no sense."""
    check_choice("noise", found["noise"], NOISES)
    check_counting(found.get("counting", PLURALITY), found["noise"])
    if not all(name.isprintable() for name in found["class_names"]):
        raise ValueError("class_names must be strings that can be printed")
    if "block" in found["offsets"]:
        if check_block(found["offsets"]["block"], found["input_shape"]) == PIXELWISE:
            raise ValueError("a block of one pixel must not be stated")
        if found["noise"] != DSSN:
            raise ValueError(f"only DSSN splits blocks of pixels together, not {found['noise']!r}")
    low, high = found["sigma_range"]
    if low > high:
        raise ValueError("sigma_range must be ascending")
    try:
        levels_from_sigma(low), levels_from_sigma(high)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"sigma_range: {error}") from None
