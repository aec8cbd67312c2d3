"""`pretrained/`: one folder a model, holding weights (safetensors) and a manifest (JSON) that is checked on loading.

Pickles are never read. A folder that does not pass every check is refused with the reason.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from . import strict_json
from .architectures import build_network
from .checks import check_choice
from .classifier import Classifier
from .constants import COUNTINGS, DSSN, PLURALITY, levels_from_sigma
from .files import locked, write_atomically
from .networks import Network
from .noises import NOISES
from .splitting import PIXELWISE, Block, SplitNoise, check_block

PRETRAINED = Path(__file__).resolve().parent.parent / "pretrained"
WEIGHTS, MANIFEST = "weights.safetensors", "manifest.json"
FORMAT = 1
HASHED_LEVELS = (132, 441, 1766, 3091)
"""Levels at which a manifest keeps the SHA-256 of the offsets, so that a changed scheme cannot pass unseen."""


class CheckpointError(ValueError):
    """A model cannot be loaded; the message says which check failed."""


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint claims about itself.

    architecture and settings: see `architectures.ARCHITECTURES`. precision: number format of the convolutions.
    noise: what it was trained on. offsets: scheme, seed, SHA-256 at `HASHED_LEVELS`, and the block where pixels are
    split in blocks. sigma_range: the trained range. training: budget, data, settings. measured: figures with what they
    were measured on. counting: of DSSN's votes, one of `COUNTINGS`, where none is asked for.
    """

    name: str
    architecture: str
    settings: dict[str, Any]
    precision: str
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    noise: str
    offsets: dict[str, Any]
    sigma_range: tuple[float, float]
    training: dict[str, Any]
    measured: dict[str, Any]
    weights_sha256: str
    format: int = FORMAT
    counting: str = PLURALITY

    @property
    def block(self) -> Block:
        """The pixels that are split together."""
        channels, rows, columns = self.offsets.get("block", PIXELWISE)
        return channels, rows, columns

    @property
    def voter(self) -> tuple[str, str, Block]:
        """What votes, but for the number format: the weights' hash, the offsets, the pixels split together."""
        return self.weights_sha256, "{scheme} {seed}".format(**self.offsets), self.block

    @property
    def images_seen(self) -> int:
        """Training images, repeats counted, of this run and those of the weights that it started from."""
        return sum(self.training.get(name, 0) for name in ("images", "images_before"))

    def trained_at(self, levels: int) -> bool:
        """Whether the model was trained for this noise; elsewhere its answers mean little."""
        low, high = map(levels_from_sigma, self.sigma_range)
        return low <= levels <= high

    def computes_as(self, other: "Manifest") -> bool:
        """Whether a model of the same weights as another one is the same base classifier, whatever it is called."""
        mine, its = ((m.architecture, m.settings, m.class_names, m.input_shape, m.offsets) for m in (self, other))
        return mine == its

    @cached_property
    def function_sha256(self) -> str:
        """Stands for all that votes depend on, and for nothing that an evaluation adds."""
        return hashlib.sha256(replace(self, training={}, measured={}).to_json().encode()).hexdigest()

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

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
        return Manifest(**{**found, **lists, "sigma_range": tuple(map(float, found["sigma_range"]))})


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


def offsets_record(scheme: str, seed: int, shape: tuple[int, int, int], block: Block = PIXELWISE) -> dict[str, Any]:
    """A manifest's `offsets`: the scheme and the hashes that hold it in place; the block, where it is not one pixel."""
    hashes = {str(n): SplitNoise(n, shape, scheme, seed, block).offsets_sha256 for n in HASHED_LEVELS}
    record = {"scheme": scheme, "seed": seed, "sha256": hashes}
    return record if block == PIXELWISE else {**record, "block": list(block)}


def save_checkpoint(folder: Path, network: Network, manifest: Manifest) -> Manifest:
    """Write weights (floating point as float16) and manifest; returns it with the weights' hash filled in.

    What was measured of the very same base classifier in that folder stays in it, and how its votes are counted: saved
    again, it loses nothing.
    """
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in network.saved_state().items()}
    halves = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    data = safetensors.torch.save(halves)
    manifest = replace(manifest, weights_sha256=hashlib.sha256(data).hexdigest())
    with locked(folder):  # an evaluation may write into the manifest
        before = read_manifest(folder) if (folder / MANIFEST).is_file() else None
        same = before is not None and before.weights_sha256 == manifest.weights_sha256
        if before is not None and same and before.computes_as(manifest):
            measured = {**before.measured, **manifest.measured}
            manifest = replace(manifest, measured=measured, counting=before.counting)
        write_atomically(folder / WEIGHTS, data)
        return save_manifest(folder, manifest)


def save_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write a manifest, and return it."""
    write_atomically(folder / MANIFEST, manifest.to_json().encode())
    return manifest


def read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise CheckpointError(f"there is no model at {str(folder)!r}: {MANIFEST} is missing")
    return Manifest.from_json(_read(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


def list_models(folder: Path = PRETRAINED) -> tuple[str, ...]:
    """Names of the models in `folder`, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in Path(folder).glob(f"*/{MANIFEST}")))


def find_model(name: str, folder: Path = PRETRAINED) -> Path:
    """The folder of the model `name`, which may itself be a path to one; CheckpointError lists the known names."""
    known = list_models(folder)
    path = Path(folder) / name if name in known else Path(name)
    if not (path / MANIFEST).is_file():
        none = f"none in {folder} (the networks stay in the project's folder: install it with `pip install -e .`)"
        raise CheckpointError(f"unknown model {name!r}; known: {', '.join(known) or none}")
    return path


def load_model(name: str, folder: Path = PRETRAINED) -> Classifier:
    """The model `name` of `pretrained/` (or a path to such a folder), in evaluation mode, checked against its manifest.

    Checked: the manifest's fields, the weights' SHA-256, names, shapes and finiteness, the offsets' SHA-256, and that a
    picture fits through.
    CheckpointError (a ValueError) says which check failed; an unknown name is answered with the known ones.
    """
    path = find_model(name, folder)
    manifest = read_manifest(path)
    if not (path / WEIGHTS).is_file():
        raise CheckpointError(f"{name}: {WEIGHTS} is missing")
    if name in list_models(folder) and manifest.name != name:
        raise CheckpointError(f"{name}: the manifest names the model {manifest.name!r}; give both the same name")
    data = _read(path / WEIGHTS)
    digest = hashlib.sha256(data).hexdigest()
    if digest != manifest.weights_sha256:
        raise CheckpointError(f"{name}: the weights' SHA-256 is {digest}, the manifest says {manifest.weights_sha256}")
    try:
        tensors = safetensors.torch.load(data)
    except Exception as error:  # safetensors' own error type is not public
        raise CheckpointError(f"{name}: {WEIGHTS} is not a safetensors file: {error}") from None
    shape = manifest.input_shape
    try:
        network = build_network(manifest.architecture, manifest.settings, shape[0], len(manifest.class_names))
        network.load_saved_state(tensors)
        finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())
        model = Classifier(network, manifest.class_names, shape, manifest.precision, manifest)
        model.check_takes(shape)
        expected = offsets_record(manifest.offsets["scheme"], manifest.offsets["seed"], shape, manifest.block)
    except (ValueError, RuntimeError, OSError) as error:  # OSError: a package that holds weights is missing
        raise CheckpointError(f"{name}: {error}") from error
    if not finite:
        raise CheckpointError(f"{name}: the weights contain values that are not finite")
    if expected != manifest.offsets:
        raise CheckpointError(f"{name}: the offsets made here by {expected['scheme']!r} are not those of the manifest")
    model.answers_by_row = True  # as every architecture here does
    return model.eval().requires_grad_(False)
