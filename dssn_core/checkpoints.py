"""`pretrained/`: one folder a model, holding weights (safetensors) and a manifest that is checked on loading.

Pickles are never read. A folder that does not pass every check is refused with the reason.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch

from .architectures import build_network
from .base_classifier import made_of
from .classifier import Classifier
from .files import locked, write_atomically
from .manifest import MANIFEST, CheckpointError, Manifest, StatedOffsets
from .networks import Network

PRETRAINED = Path(__file__).resolve().parent.parent / "pretrained"
WEIGHTS = "weights.safetensors"


def save_checkpoint(folder: Path, network: Network, manifest: Manifest) -> Manifest:
    """Write weights (floating point as float16) and manifest; returns it with the weights' hash filled in.

    What was measured of the same weights and settings in that folder stays in it, and how votes are counted: saved
    again, they lose nothing.
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
    except Exception as error:  # SafetensorError, or whatever a type of numbers that torch lacks leads to
        raise CheckpointError(f"{name}: {WEIGHTS} is not a safetensors file: {error}") from None
    shape = manifest.input_shape
    try:
        network = build_network(manifest.architecture, manifest.settings, shape[0], len(manifest.class_names))
        network.load_saved_state(tensors)
        finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())
        model = Classifier(network, manifest.class_names, shape, manifest.precision, manifest)
        model.check_takes(shape)
        stated = manifest.offsets
        made_here = StatedOffsets.of(stated.scheme, stated.seed, shape, stated.block)
    except (ValueError, RuntimeError, OSError) as error:  # OSError: a package that holds weights is missing
        raise CheckpointError(f"{name}: {error}") from error
    if not finite:
        raise CheckpointError(f"{name}: the weights contain values that are not finite")
    if made_here != stated:
        raise CheckpointError(f"{name}: the offsets made here by {stated.scheme!r} are not those of the manifest")
    model.made_when_marked = made_of(model)  # as every architecture here does
    return model.eval().requires_grad_(False)
