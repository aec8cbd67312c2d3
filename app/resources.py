"""Everything that is cached and shared by all sessions: models, sample pictures, votes under way.

Network passes run on one worker thread, a chunk at a time in order of asking, so that many sessions get fair turns on
few cores, and a session that goes away leaves nothing running.
"""

import gc
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from app.pictures import crop_preview
from dssn_core import SplitNoise, Tally, load_model, read_image, tally
from dssn_core.allocator import keep_freed_memory
from dssn_core.attack import Poked, Step, guided_step, poke
from dssn_core.constants import levels_from_lambda
from dssn_core.gallery import Sample, sample_pictures
from dssn_core.images import crop_box, fit_picture, image_sha256, open_picture
from dssn_core.networks import Classifier
from dssn_core.reconstruction import reconstruct, reconstruction_error
from dssn_core.splitting import OFFSET_SCHEMES
from dssn_core.two_pixels import SHAPE as TWO_PIXELS
from dssn_core.two_pixels import Boundary, plane_votes
from dssn_core.voting import noise_for

T = TypeVar("T")

MODEL = "cifar10-dssn"
"""The network of the pages."""


def settle() -> None:
    """Take all that is loaded by now out of garbage collection.

    Streamlit collects garbage after every run of a page; looking through torch's and Plotly's modules each time
    would take several times as long as the page.
    """
    gc.collect()
    gc.freeze()


settle()

WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="network")


class VoteRun:
    """One image's vote, as far as it has come. It belongs to no session: whoever looks at it next carries it on."""

    def __init__(self, model: Classifier, image: Tensor, noise: SplitNoise) -> None:
        self.noise = noise
        self.labels = np.full(noise.levels, -1, dtype=np.int64)
        """The class each sample voted for, in index order; -1 where it has not voted yet."""
        self.seconds = 0.0
        """Time spent on the votes so far, waiting for a turn not counted."""
        self.state: Tally | None = None
        self._model, self._image = model, image

    @property
    def finished(self) -> bool:
        return self.state is not None and self.state.done == self.state.total

    @property
    def seconds_left(self) -> float:
        """Estimate from the speed so far."""
        if self.state is None:
            return float("nan")
        return self.seconds / self.state.done * (self.state.total - self.state.done)

    def _step(self) -> None:
        if self.finished:  # another session was faster
            return
        began = time.perf_counter()
        state = next(tally(self._model, self._image, self.noise, resume=self.state))
        self.labels[state.indices] = state.labels
        self.seconds += time.perf_counter() - began
        self.state = state

    def advance(self) -> Tally:
        """Vote with one more chunk of samples, if any are left, and return the state."""
        WORKER.submit(self._step).result()
        assert self.state is not None
        return self.state


@st.cache_resource(max_entries=8, show_spinner="Loading the network …")
def model(name: str) -> Classifier:
    keep_freed_memory()
    loaded = load_model(name)
    settle()
    return loaded


@st.cache_resource(max_entries=256, show_spinner=False)
def vote_run(model_name: str, image_hash: str, levels: int, _image: Tensor) -> VoteRun:
    classifier = model(model_name)
    return VoteRun(classifier, _image, noise_for(classifier, levels))


def votes_of(model_name: str, image: Tensor, levels: int) -> VoteRun:
    """The vote on an image, new or as somebody left it."""
    return vote_run(model_name, image_sha256(image), levels, image)


@st.cache_resource(max_entries=4, show_spinner=False)
def samples(dataset: str, size: tuple[int, int]) -> dict[str, tuple[Sample, Tensor]]:
    """The built-in pictures by key, each with its image at `size` = (H, W)."""
    return {sample.key: (sample, read_image(sample.path, size)) for sample in sample_pictures(dataset)}


def network_work(work: Callable[[], T]) -> T:
    """Do some other work with a network on the worker thread, in its turn."""
    return WORKER.submit(work).result()


def probabilities(classifier: Classifier, images: Tensor, lam: float) -> Tensor:
    """float32 (B, K) softmax of the network's answers on samples (B, C, H, W)."""

    def work() -> Tensor:
        with torch.inference_mode():
            logits: Tensor = classifier(images, lam)
            return logits.softmax(dim=1)

    return network_work(work)


def all_labels(image: Tensor, levels: int) -> np.ndarray:
    """int64 (N,): the vote of every sample, in index order; counted now where it is not known yet."""
    run = votes_of(MODEL, image, levels)
    while not run.finished:
        run.advance()
    return run.labels


def poke_key(image: Tensor, noise: SplitNoise) -> str:
    """What an attack is about."""
    return f"{image_sha256(image)} {noise!r}"


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


@st.cache_data(max_entries=256, show_spinner=False)
def reconstruction_errors(image_hash: str, lambdas: tuple[float, ...], _image: Tensor) -> dict[str, list[float]]:
    """Reconstruction error of a picture by offset scheme, at each lambda."""
    shape = (int(_image.shape[0]), int(_image.shape[1]), int(_image.shape[2]))
    return {
        scheme: [reconstruction_error(_image, SplitNoise(levels_from_lambda(lam), shape, scheme)) for lam in lambdas]
        for scheme in OFFSET_SCHEMES
    }


def reconstruction(image: Tensor, noise: SplitNoise, index: int) -> Tensor:
    """float32 (C, H, W): what a low-pass gets back from one sample."""
    return reconstruct(noise.numerators(image, index, index + 1), noise.levels)[0]


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
