"""What all sessions share of the networks: themselves, their votes and estimates under way, other answers of them."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from app.collection import COLLECTIONS
from app.installed import NETWORK, Stamp, manifest_of, stamp_of, stamped
from app.pictures import sample_image
from app.runs import PICTURES, EstimateRun, T, VoteRun, network_work
from dssn_core import SplitNoise, list_models, load_model, self_check, stored
from dssn_core.allocator import keep_freed_memory
from dssn_core.attack import Poked, Step, guided_step, poke
from dssn_core.certificate_file import Document, dumps, parse, with_votes
from dssn_core.checkpoints import PRETRAINED, find_model
from dssn_core.checks import check_shape
from dssn_core.classifier import Classifier
from dssn_core.constants import PLURALITY
from dssn_core.images import image_sha256
from dssn_core.monte_carlo import Plan
from dssn_core.offsets import OFFSET_SCHEMES
from dssn_core.reconstruction import reconstruct, reconstruction_error
from dssn_core.self_check import KNOWN, Result, outcome
from dssn_core.splitting import Block, samples_from_numerators
from dssn_core.two_pixels import SHAPE as TWO_PIXELS
from dssn_core.two_pixels import Boundary, plane_votes
from dssn_core.verification import Finding, Watch, verify
from dssn_core.voting import Tally, noise_for

TIDY_SECONDS = 600


def stop_if_left() -> None:
    """Where Streamlit may stop the run of a page that has moved on, or is gone: to ask for the session is enough."""
    st.session_state.get("open-page")


def interruptible(work: Callable[[], T]) -> T:
    """`network_work` that is given up with the page that waits for it."""
    return network_work(work, stop_if_left)


def page_work(work: Callable[[], T]) -> T:
    """Work without a network, one piece of many that nobody may wait for any more; no vote holds it up."""
    stop_if_left()
    return network_work(work, stop_if_left, PICTURES)


def spare_garbage_collection() -> None:
    """Take all that is loaded by now out of garbage collection.

    Streamlit collects garbage after every run of a page; looking through torch's and Plotly's modules each time
    would take several times as long as the page.
    """
    gc.unfreeze()  # what sessions have left behind since the last time is garbage
    gc.collect()
    gc.freeze()


@st.cache_resource(ttl=TIDY_SECONDS, show_spinner=False)
def tidied() -> None:
    """`spare_garbage_collection` now and then: what it spared may be of sessions that have ended since."""
    spare_garbage_collection()


@stamped(*NETWORK)
@st.cache_resource(max_entries=16, show_spinner="Loading the network …")
def model(stamp: Stamp, name: str) -> Classifier:
    keep_freed_memory()
    loaded = load_model(name)
    spare_garbage_collection()
    return loaded


def network_key(classifier: Classifier) -> str:
    """What tells a network from others: all of its manifest that votes depend on, and its number format."""
    return f"{classifier.manifest.function_sha256} {classifier.precision}"


HASHES: dict[str | type, Callable[[Any], str]] = {Tensor: image_sha256, Classifier: network_key}
"""What tells pictures, samples and networks from others in the keys of caches; Streamlit does not know how."""


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs=HASHES)  # by duels of a thousand classes 4 MB each
def _vote_run(voter: str, model_name: str, image: Tensor, levels: int, counting: str, repeat: int) -> VoteRun:
    classifier = model(model_name)
    return VoteRun(classifier, image, noise_for(classifier, levels), counting)


@stamped(*NETWORK, stored.FILE)
@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def stored_run(stamp: Stamp, model_name: str, image: Tensor, levels: int) -> VoteRun | None:
    """The vote on an image that came with the network, if there is one."""
    classifier = model(model_name)
    try:
        known = stored.stored_vote(classifier, find_model(model_name), image_sha256(image), levels)
    except ValueError:  # a damaged file of certificates is none: they are counted here then
        return None
    if known is None:
        return None
    run = VoteRun(classifier, image, noise_for(classifier, levels), PLURALITY)
    run.take(known)
    return run


def votes_of(model_name: str, image: Tensor, levels: int, counting: str, repeat: int = 0) -> VoteRun:
    """The vote on an image, new or as somebody left it: one for each of `COUNTINGS`, and every number `repeat`."""
    return _vote_run(manifest_of(model_name).function_sha256, model_name, image, levels, counting, repeat)


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=HASHES)
def _estimate_run(voter: str, model_name: str, image: Tensor, plan: Plan) -> EstimateRun:
    return EstimateRun(model(model_name), image, plan)


def estimate_of(model_name: str, image: Tensor, plan: Plan) -> EstimateRun:
    """The counts of an image by a plan, new or as somebody left them; plans that differ in alpha share them."""
    return _estimate_run(manifest_of(model_name).function_sha256, model_name, image, replace(plan, alpha=0.5))


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def probabilities(classifier: Classifier, samples: Tensor, lam: float) -> Tensor:
    """float32 (B, K) softmax of the network's answers on samples (B, C, H, W)."""

    def work() -> Tensor:
        with torch.inference_mode():
            logits: Tensor = classifier(samples, lam)
            return logits.softmax(dim=1)

    return interruptible(work)


def denoised(classifier: Classifier, samples: Tensor, lam: float) -> Tensor | None:
    """`Classifier.denoised` on the worker thread; a network without a denoiser is not waited for, nor kept in mind."""
    return _denoised(classifier, samples, lam) if classifier.network.has_denoiser else None


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def _denoised(classifier: Classifier, samples: Tensor, lam: float) -> Tensor | None:
    return interruptible(lambda: classifier.denoised(samples, lam))


def guided(classifier: Classifier, state: Poked, noise: SplitNoise, label: int) -> Poked:
    """The attack after one guided step against `label`; the same if there is none to take."""
    step = guided_step(classifier, state, noise, label, work=interruptible)
    return state if step is None else poked(classifier, state, noise, step)


def poked(classifier: Classifier, state: Poked, noise: SplitNoise, step: Step) -> Poked:
    """`attack.poke` on the worker thread."""
    return network_work(lambda: poke(classifier, state, noise, step))


@st.cache_data(max_entries=64, show_spinner=False)
def plane(levels: int, scheme: str, toy: str, boundary: Boundary) -> np.ndarray:
    """Votes for class 1 of every image of two pixels, under an offset scheme."""
    return plane_votes(SplitNoise(levels, TWO_PIXELS, scheme), toy, boundary)


@st.cache_data(max_entries=2048, show_spinner=False, hash_funcs=HASHES)
def reconstruction_errors(image: Tensor, levels: int, block: Block) -> dict[str, float]:
    """Reconstruction error of a picture by offset scheme; of its brightness where colours are added up."""
    shape = check_shape(image.shape)

    def error(scheme: str) -> float:
        return reconstruction_error(image, SplitNoise(levels, shape, scheme, block=block), colours=block[0] == 1)

    # One after the other: between them others get their turn.
    return {scheme: page_work(partial(error, scheme)) for scheme in OFFSET_SCHEMES}


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=HASHES)
def brightness_error(image: Tensor, levels: int, block: Block) -> float:
    """Reconstruction error of a picture's brightness, under the default offsets."""
    noise = SplitNoise(levels, check_shape(image.shape), block=block)
    return page_work(lambda: reconstruction_error(image, noise, colours=False))


def sample_and_rebuilt(image: Tensor, noise: SplitNoise, index: int) -> list[Tensor]:
    """uint8 (C, H, W), for the screen: a sample of an image, and what a low-pass gets back from it."""
    numerators = noise.numerators(image, index, index + 1)
    rebuilt = page_work(lambda: reconstruct(numerators, noise.levels, block_size=noise.block_size))
    return [sample_image(x[0]) for x in (samples_from_numerators(numerators, noise.block_size), rebuilt)]


# --- certificate files ---------------------------------------------------------------------------------------------


def example() -> Document:
    """The certificate file that comes with the small network."""
    return parse((PRETRAINED / COLLECTIONS["CIFAR-10"].model / KNOWN).read_bytes())


def forgery() -> Document:
    """The same, with every vote given to the winner."""
    document = example()
    return with_votes(document, [document["claim"]["label"]] * document["noise"]["levels"])


def in_turns(tell: Callable[[float], object]) -> Watch:
    """Carries a vote on chunk by chunk on the worker thread, where others get their turn between. tell: the share done.

    While its own turn has not come it may be stopped, as `stop_if_left` says.
    """

    def watch(classifier: Classifier, states: Iterator[Tally]) -> Iterator[Tally]:
        while (state := interruptible(lambda: next(states, None))) is not None:
            tell(state.done / state.total)
            yield state

    return watch


@st.cache_resource(max_entries=64, show_spinner=False)
def _findings(file: str, image_hash: str | None, installation: tuple[Stamp, ...]) -> list[Finding]:
    """Of one file, for all sessions; empty until somebody has them."""
    return []


def verification(document: Document, image: Tensor | None, tell: Callable[[float], object]) -> list[Finding]:
    """What checking a certificate file finds; known after the first time, until a network here changes."""
    found = _findings(dumps(document), None if image is None else image_sha256(image), installation())
    if not found:
        tell(0.0)
        found[:] = list(verify(document, image, watch=in_turns(tell), work=interruptible))
    return found


def self_checks() -> list[tuple[str, Callable[[], str]]]:
    """All checks of this installation, by name; the networks work on the worker thread."""
    return list(self_check.checks(watch=in_turns(lambda share: stop_if_left()), work=interruptible))


def installation() -> tuple[Stamp, ...]:
    """Changes when a file that the checks read is written."""
    return tuple(stamp_of(name, (*NETWORK, KNOWN)) for name in list_models())


@st.cache_data(max_entries=256, show_spinner=False)
def checked(what: str, installation: tuple[Stamp, ...], _check: Callable[[], str]) -> Result:
    """The result of one check of an installation."""
    return outcome(what, _check)
