"""What all sessions share of the networks: themselves, their votes and estimates under way, other answers of them."""

from collections.abc import Iterator
from dataclasses import replace

import streamlit as st
import torch
from torch import Tensor

from app import garbage, pictures
from app.installed import NETWORK_FILES, Stamp, manifest_of, stamped
from app.runs import EstimateRun, VoteRun
from app.turns import in_turn, interruptible
from dssn_core import SplitNoise, load_model, stored
from dssn_core.allocator import keep_freed_memory
from dssn_core.attack import Poked, Step, guided_step, poke
from dssn_core.certificate import Certificate
from dssn_core.checkpoints import find_model
from dssn_core.classifier import Classifier
from dssn_core.constants import PLURALITY
from dssn_core.flips import Search, nearest_flip
from dssn_core.images import image_sha256
from dssn_core.monte_carlo import Plan


@stamped(*NETWORK_FILES)
@st.cache_resource(max_entries=16, show_spinner="Loading the network …")
def model(stamp: Stamp, name: str) -> Classifier:
    keep_freed_memory()
    loaded = load_model(name)
    garbage.spare_what_is_loaded()
    return loaded


def function_key(classifier: Classifier) -> str:
    """What tells a network from others: all of its manifest that votes depend on, and its number format."""
    return f"{classifier.manifest.function_sha256} {classifier.precision}"


HASHES = {**pictures.HASHES, Classifier: function_key}
"""What tells pictures, samples and networks from others in the keys of caches."""


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs=HASHES)  # by duels of a thousand classes 4 MB each
def _vote_run(function: str, model_name: str, image: Tensor, levels: int, counting: str, repeat: int) -> VoteRun:
    classifier = model(model_name)
    return VoteRun(classifier, image, classifier.manifest.noise_at(levels), counting)


@stamped(*NETWORK_FILES, stored.FILE)
@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def stored_run(stamp: Stamp, model_name: str, image: Tensor, levels: int) -> VoteRun | None:
    """The vote on an image that came with the network, if there is one."""
    classifier = model(model_name)
    try:
        known = stored.stored_vote(classifier, find_model(model_name), image_sha256(image), levels)
    except (ValueError, OSError):  # a damaged file of certificates is none: they are counted here then
        return None
    if known is None:
        return None
    run = VoteRun(classifier, image, classifier.manifest.noise_at(levels), PLURALITY)
    run.take(known)
    return run


def votes_of(model_name: str, image: Tensor, levels: int, counting: str, repeat: int = 0) -> VoteRun:
    """The vote on an image, new or as somebody left it: one for each of `COUNTINGS`, and every number `repeat`."""
    return _vote_run(manifest_of(model_name).function_sha256, model_name, image, levels, counting, repeat)


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=HASHES)
def _estimate_run(function: str, model_name: str, image: Tensor, plan: Plan) -> EstimateRun:
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


def flips(classifier: Classifier, image: Tensor, noise: SplitNoise, certificate: Certificate) -> Iterator[Search]:
    """`nearest_flip` by first choices, on the worker thread."""
    return nearest_flip(classifier, image, noise, certificate, PLURALITY, work=interruptible)


def poked(classifier: Classifier, state: Poked, noise: SplitNoise, step: Step) -> Poked:
    """`attack.poke` on the worker thread."""
    return in_turn(lambda: poke(classifier, state, noise, step))
