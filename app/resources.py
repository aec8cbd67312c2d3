"""Everything that is cached and shared by all sessions: models, sample pictures, votes and estimates under way."""

import gc
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from app.pictures import crop_preview
from app.runs import EstimateRun, VoteRun, network_work
from dssn_core import SplitNoise, list_models, load_model, read_image, self_check, stored
from dssn_core.accuracy import Share, certified_curve
from dssn_core.allocator import keep_freed_memory
from dssn_core.attack import Poked, Step, guided_step, poke
from dssn_core.certificate_file import Counter, Document, Finding, parse, verify, with_votes
from dssn_core.checkpoints import MANIFEST, PRETRAINED, CheckpointError, Manifest, find_model, read_manifest
from dssn_core.constants import levels_from_lambda
from dssn_core.gallery import Listing, PictureFiles, Sample, picture_files, sample_pictures
from dssn_core.images import crop_box, fit_picture, image_sha256, open_picture
from dssn_core.monte_carlo import Plan
from dssn_core.networks import Classifier
from dssn_core.reconstruction import reconstruct, reconstruction_error
from dssn_core.record_files import RECORD_FILES
from dssn_core.records import Record, by_levels
from dssn_core.self_check import KNOWN, Result, outcome
from dssn_core.splitting import OFFSET_SCHEMES, Block
from dssn_core.standings import TABLE_RHOS, Chosen, Evaluated, chosen
from dssn_core.stored import Stored
from dssn_core.tasks import labelled_for
from dssn_core.two_pixels import SHAPE as TWO_PIXELS
from dssn_core.two_pixels import Boundary, plane_votes
from dssn_core.voting import Tally, noise_for, sample_labels

IMAGENET_VALIDATION = "ILSVRC2012_val_*"
"""Names of ImageNet's own validation pictures."""


@dataclass(frozen=True)
class Collection:
    """Pictures of one kind and the networks that know them.

    samples: what the keys of the built-in pictures begin with. own: the network trained for each method, by name.
    first: the picture to begin with, one whose vote is divided. sigma: the noise to begin with. n: samples to estimate
    with. rhos: radii of the table of certified accuracy. parts: of the test images, by name: patterns of file names to
    take, and to leave out. data: how our test images differ from the paper's.
    """

    name: str
    about: str
    samples: str
    own: dict[str, str]
    first: str
    sigma: float
    n: int
    rhos: tuple[float, ...]
    parts: dict[str, tuple[str, str]]
    data: str

    def key(self, name: str) -> str:
        """What addresses call a setting that each collection has for itself: CIFAR-10's the name that links have."""
        return name if self.samples == "cifar10" else f"{self.samples}-{name}"

    @property
    def sigma_key(self) -> str:
        """What addresses call the noise."""
        return self.key("sigma")

    @property
    def model(self) -> str:
        """The network for DSSN."""
        return self.own["dssn"]

    def model_for(self, method: str) -> str:
        """The name of the network that votes for `method`: its own, or DSSN's where there is none."""
        name = self.own.get(method)
        return name if name in list_models() else self.model


_COLLECTIONS = (
    Collection(
        name="CIFAR-10",
        about="ten classes, 32 × 32",
        samples="cifar10",
        own={"dssn": "cifar10-dssn", "uniform": "cifar10-uniform", "ssn": "cifar10-ssn"},
        first="cifar10-09",
        sigma=0.5,
        n=3000,
        rhos=TABLE_RHOS,
        parts={"all": ("*", "")},
        data="Our test images are JPEG copies of CIFAR-10's, the paper's are not.",
    ),
    Collection(
        name="ImageNet",
        about="a thousand classes, 224 × 224",
        samples="imagenet",
        own={"dssn": "imagenet-dssn", "uniform": "imagenet-uniform", "ssn": "imagenet-ssn"},
        first="imagenet-16",
        sigma=0.25,
        n=300,
        rhos=(0.25, 0.5, 0.75, 1.0, 1.5),
        parts={
            "ImageNet validation pictures": (IMAGENET_VALIDATION, ""),
            "others, which the classifier may have been trained on": ("*", IMAGENET_VALIDATION),
        },
        data="Ours are pictures of Imagenette's validation part, of ten of the thousand classes and 160 pixels small, "
        "magnified; the paper's are 500 ImageNet validation pictures of all classes at full size.",
    ),
)

COLLECTIONS = {collection.name: collection for collection in _COLLECTIONS}
"""By the name that pages and addresses have for them; the pages begin with the first."""

DATA_VARIABLE = "DSSN_TEST_DATA"
"""Environment variable: a zip or folder of class folders whose pictures the gallery and the Benchmark page show."""

FOLDER_PICTURE = "test-"
"""Begins the key of a picture from there."""


def settle() -> None:
    """Take all that is loaded by now out of garbage collection.

    Streamlit collects garbage after every run of a page; looking through torch's and Plotly's modules each time
    would take several times as long as the page.
    """
    gc.collect()
    gc.freeze()


settle()


@st.cache_resource(max_entries=16, show_spinner="Loading the network …")
def model(name: str) -> Classifier:
    keep_freed_memory()
    loaded = load_model(name)
    settle()
    return loaded


def stored_vote(model_name: str, image_hash: str, levels: int) -> Stored | None:
    """The vote that came with the network, if there is one."""
    try:
        return stored.stored_vote(model(model_name), find_model(model_name), image_hash, levels)
    except ValueError:  # a damaged file of certificates is none: they are counted here then
        return None


@st.cache_resource(max_entries=256, show_spinner=False)
def _vote_run(model_name: str, image_hash: str, levels: int, repeat: int, _image: Tensor) -> VoteRun:
    classifier = model(model_name)
    return VoteRun(classifier, _image, noise_for(classifier, levels))


@st.cache_resource(max_entries=64, show_spinner=False)
def stored_run(model_name: str, image_hash: str, levels: int, _image: Tensor) -> VoteRun | None:
    """The vote on an image that came with the network, if there is one."""
    known = stored_vote(model_name, image_hash, levels)
    if known is None:
        return None
    classifier = model(model_name)
    run = VoteRun(classifier, _image, noise_for(classifier, levels))
    run.take(known)
    return run


def votes_of(model_name: str, image: Tensor, levels: int, repeat: int = 0) -> VoteRun:
    """The vote on an image, new or as somebody left it; counted separately for every number `repeat`."""
    return _vote_run(model_name, image_sha256(image), levels, repeat, image)


@st.cache_resource(max_entries=256, show_spinner=False)
def _estimate_run(model_name: str, image_hash: str, plan: Plan, _image: Tensor) -> EstimateRun:
    return EstimateRun(model(model_name), _image, plan)


def estimate_of(model_name: str, image: Tensor, plan: Plan) -> EstimateRun:
    """The counts of an image by a plan, new or as somebody left them; plans that differ in alpha share them."""
    return _estimate_run(model_name, image_sha256(image), replace(plan, alpha=0.5), image)


@st.cache_resource(max_entries=4, show_spinner=False)
def samples(dataset: str, size: tuple[int, int]) -> dict[str, tuple[Sample, Tensor]]:
    """The built-in pictures by key, each with its image at `size` = (H, W)."""
    return {sample.key: (sample, read_image(sample.path, size)) for sample in sample_pictures(dataset)}


Known = tuple[str, str, float]
"""What an answer of a network depends on: its weights and number format, the samples, and lambda."""


def _known(classifier: Classifier, samples: Tensor, lam: float) -> Known:
    network = f"{classifier.manifest.weights_sha256} {classifier.precision}"
    return network, hashlib.sha256(samples.numpy().tobytes()).hexdigest(), lam


def probabilities(classifier: Classifier, samples: Tensor, lam: float) -> Tensor:
    """float32 (B, K) softmax of the network's answers on samples (B, C, H, W)."""
    return _probabilities(_known(classifier, samples, lam), classifier, samples)


@st.cache_data(max_entries=64, show_spinner=False)
def _probabilities(known: Known, _classifier: Classifier, _samples: Tensor) -> Tensor:
    def work() -> Tensor:
        with torch.inference_mode():
            logits: Tensor = _classifier(_samples, known[-1])
            return logits.softmax(dim=1)

    return network_work(work)


def denoised(classifier: Classifier, samples: Tensor, lam: float) -> Tensor | None:
    """`Classifier.denoised` on the worker thread; a network without a denoiser is not waited for."""
    if not classifier.network.has_denoiser:
        return None
    return _denoised(_known(classifier, samples, lam), classifier, samples)


@st.cache_data(max_entries=64, show_spinner=False)
def _denoised(known: Known, _classifier: Classifier, _samples: Tensor) -> Tensor | None:
    return network_work(lambda: _classifier.denoised(_samples, known[-1]))


def poke_key(classifier: Classifier, image: Tensor, noise: SplitNoise) -> str:
    """What an attack is about."""
    return f"{classifier.manifest.weights_sha256} {image_sha256(image)} {noise!r}"


def guided(classifier: Classifier, state: Poked, noise: SplitNoise, label: int) -> Poked:
    """The attack after one guided step against `label`; the same if there is none to take."""
    step = network_work(lambda: guided_step(classifier, state, noise, label))
    return state if step is None else poked(classifier, state, noise, step)


def poked(classifier: Classifier, state: Poked, noise: SplitNoise, step: Step) -> Poked:
    """`attack.poke` on the worker thread."""
    return network_work(lambda: poke(classifier, state, noise, step))


@st.cache_data(max_entries=64, show_spinner=False)
def plane(levels: int, scheme: str, toy: str, boundary: Boundary) -> np.ndarray:
    """Votes for class 1 of every image of two pixels; the scheme "equal" gives both pixels the offset 0."""
    offsets: str | Tensor = torch.zeros(TWO_PIXELS, dtype=torch.int64) if scheme == "equal" else scheme
    return plane_votes(SplitNoise(levels, TWO_PIXELS, offsets), toy, boundary)


@st.cache_data(max_entries=256, show_spinner="Measuring what is kept of the picture …")
def reconstruction_errors(
    image_hash: str, lambdas: tuple[float, ...], block: Block, _image: Tensor
) -> dict[str, list[float]]:
    """Reconstruction error of a picture by offset scheme, at each lambda; of its brightness where colours are added."""
    shape = (int(_image.shape[0]), int(_image.shape[1]), int(_image.shape[2]))

    def error(scheme: str, lam: float) -> float:
        noise = SplitNoise(levels_from_lambda(lam), shape, scheme, block=block)
        return reconstruction_error(_image, noise, colours=block[0] == 1)

    # One after the other: between them others get their turn.
    return {s: [network_work(partial(error, s, lam)) for lam in lambdas] for s in OFFSET_SCHEMES}


@st.cache_data(max_entries=256, show_spinner=False)
def brightness_error(image_hash: str, levels: int, block: Block, _image: Tensor) -> float:
    """Reconstruction error of a picture's brightness, under the default offsets."""
    noise = SplitNoise(levels, tuple(_image.shape), block=block)
    return network_work(lambda: reconstruction_error(_image, noise, colours=False))


def reconstruction(image: Tensor, noise: SplitNoise, index: int) -> Tensor:
    """float32 (C, H, W): what a low-pass gets back from one sample."""
    numerators = noise.numerators(image, index, index + 1)
    return network_work(lambda: reconstruct(numerators, noise.levels, pixels=noise.pixels)[0])


# --- certificate files ---------------------------------------------------------------------------------------------


def example() -> Document:
    """The certificate file that comes with the small network."""
    return parse((PRETRAINED / COLLECTIONS["CIFAR-10"].model / KNOWN).read_bytes())


def forgery() -> Document:
    """The same, with every vote given to the winner."""
    document = example()
    return with_votes(document, [document["claim"]["label"]] * document["noise"]["levels"])


def in_turns(tell: Callable[[float], object]) -> Counter:
    """Counts votes chunk by chunk on the worker thread, where others get their turn between. tell: the share done."""

    def watch(states: Iterator[Tally]) -> Iterator[Tally]:
        while (state := network_work(lambda: next(states, None))) is not None:
            tell(state.done / state.total)
            yield state

    def count(classifier: Classifier, pixels: Tensor, noise: SplitNoise, batch_size: int) -> np.ndarray:
        return sample_labels(classifier, pixels, noise, batch_size, watch)

    return count


def verification(document: Document, image: Tensor | None, tell: Callable[[float], object]) -> list[Finding]:
    """What checking a certificate file finds."""
    return list(verify(document, image, count=in_turns(tell), work=network_work))


def self_checks() -> list[tuple[str, Callable[[], str]]]:
    """All checks of this installation, by name; the networks work on the worker thread."""
    return list(self_check.checks(count=in_turns(lambda share: None), work=network_work))


@st.cache_data(max_entries=256, show_spinner=False)
def checked(what: str, _check: Callable[[], str]) -> Result:
    """The result of one check of this installation."""
    return outcome(what, _check)


def manifests() -> dict[str, Manifest]:
    """Of all installed models that can be read, by the names of their folders."""
    found = {}
    for name in list_models():
        with suppress(CheckpointError):  # the self-check says what is wrong with it
            found[name] = read_manifest(find_model(name))
    return found


def networks_of(collection: Collection) -> list[str]:
    """Names of the installed networks for DSSN that know the collection's classes; its own first."""
    known = manifests()
    own = known.pop(collection.model, None)
    if own is None:
        return [collection.model]
    alike = (own.class_names, own.noise)
    return [collection.model, *(name for name, found in known.items() if (found.class_names, found.noise) == alike)]


# --- records of many images ----------------------------------------------------------------------------------------


Part = tuple[str, str]
"""Patterns of file names: to take, and to leave out."""


Stamp = tuple[int, ...]


def _stamp(name: str) -> Stamp:
    """Changes when a model's manifest or records are written: what is cached under it is read again."""
    folder = find_model(name)
    files = [folder / file for file in (MANIFEST, *RECORD_FILES.values())]
    return tuple(file.stat().st_mtime_ns for file in files if file.exists())


def evaluated(name: str, part: Part = ("*", "")) -> Evaluated:
    """A model's kept records of the test images of a part, and of held-out training images."""
    return _evaluated(name, part, _stamp(name))


@st.cache_resource(max_entries=16, show_spinner=False)
def _evaluated(name: str, part: Part, stamp: Stamp) -> Evaluated:
    return Evaluated.kept(find_model(name), *part)


def certified_curves(name: str, rhos: tuple[float, ...], part: Part) -> dict[int, list[Share]]:
    """Of one model, on test images: a curve for every N."""
    return _certified_curves(name, rhos, part, _stamp(name))


@st.cache_resource(max_entries=32, show_spinner="Counting …")
def _certified_curves(name: str, rhos: tuple[float, ...], part: Part, stamp: Stamp) -> dict[int, list[Share]]:
    return {levels: certified_curve(group, rhos) for levels, group in by_levels(evaluated(name, part).test).items()}


def chosen_of(names: tuple[str, ...], rhos: tuple[float, ...], part: Part) -> list[Chosen]:
    """Of some models: the one to use at every rho, and its N."""
    return _chosen_of(names, rhos, part, tuple(map(_stamp, names)))


@st.cache_resource(max_entries=16, show_spinner="Counting …")
def _chosen_of(names: tuple[str, ...], rhos: tuple[float, ...], part: Part, stamps: tuple[Stamp, ...]) -> list[Chosen]:
    return chosen([evaluated(name, part) for name in names], rhos)


def models_with_records() -> tuple[list[str], list[str]]:
    """Names of the models that have records, and of those whose records cannot be read."""
    found, damaged = [], []
    for name in manifests():
        try:
            found += [name] if evaluated(name).test else []
        except ValueError:
            damaged.append(name)
    return found, damaged


def manifest_of(name: str) -> Manifest:
    return _manifest_of(name, _stamp(name))


@st.cache_resource(max_entries=16, show_spinner=False)
def _manifest_of(name: str, stamp: Stamp) -> Manifest:
    return read_manifest(find_model(name))


@st.cache_resource(max_entries=1, show_spinner="Looking for pictures …")
def _folder() -> PictureFiles | str | None:
    source = os.environ.get(DATA_VARIABLE)
    if not source:
        return None
    try:
        return picture_files(source, train=False)
    except (ValueError, OSError) as error:
        return f"The pictures that {DATA_VARIABLE} names cannot be shown: {error}"


def folder() -> PictureFiles | None:
    """The pictures of the zip or folder that the environment names, if there are any."""
    found = _folder()
    return found if isinstance(found, PictureFiles) else None


def folder_problem() -> str | None:
    """Why there are none, where the environment names something."""
    found = _folder()
    return found if isinstance(found, str) else None


@st.cache_resource(max_entries=1, show_spinner=False)
def folder_keys() -> dict[str, int]:
    """Keys of these pictures, for links; and their places."""
    return {f"{FOLDER_PICTURE}{place}": place for place in range(len(folder() or ()))}


@st.cache_resource(max_entries=512, show_spinner=False)
def folder_picture(place: int, size: tuple[int, int]) -> Tensor | None:
    """One of these pictures at `size` = (H, W); None if it is damaged."""
    found = folder()
    assert found is not None
    try:
        return next(found.read(size, [place]))
    except (ValueError, OSError):
        return None


@st.cache_resource(max_entries=8, show_spinner=False)
def folder_labels(class_names: tuple[str, ...]) -> list[int] | None:
    """Their labels among the classes of a network; None if its classes are others."""
    found = folder()
    assert found is not None
    data = Listing(found.labels, found.class_names, str(found.path), (), partial(found.read, (1, 1)))
    try:
        labels: list[int] = labelled_for(data, class_names).labels.tolist()
    except ValueError:
        return None
    return labels


def folder_picture_of(record: Record, size: tuple[int, int]) -> Tensor | None:
    """The very image of a record, if it is among these pictures."""
    if record.index >= len(folder() or ()):
        return None
    image = folder_picture(record.index, size)
    return image if image is not None and image_sha256(image) == record.image_sha256 else None


# --- pictures of one's own -----------------------------------------------------------------------------------------


@st.cache_data(max_entries=32, show_spinner=False)
def picture_size(data: bytes) -> tuple[int, int]:
    """(width, height) of an uploaded picture as it stands upright; ImageError if it cannot be used."""
    picture = open_picture(data)
    return picture.width, picture.height


@st.cache_data(max_entries=64, show_spinner=False)
def cropped(data: bytes, size: tuple[int, int], position: float) -> tuple[Tensor, Image.Image]:
    """An uploaded picture cropped and resized to `size` = (H, W), and a small copy that shows the crop."""
    picture = open_picture(data)
    box = crop_box((picture.height, picture.width), size, position)
    return fit_picture(picture, size, box), crop_preview(picture, box)
