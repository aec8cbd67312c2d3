"""Computing again: what checking certificate files and this installation finds, chunk by chunk and in turn."""

from collections.abc import Callable, Iterator
from pathlib import Path

import streamlit as st
from torch import Tensor

from app import resources
from app.collection import COLLECTIONS
from app.installed import NETWORK_FILES, Stamp, stamp_of
from app.turns import interruptible, stop_if_left
from dssn_core import Tally, list_models, self_check
from dssn_core.certificate_file import Document, dumps, parse, with_votes
from dssn_core.checkpoints import PRETRAINED
from dssn_core.classifier import Classifier
from dssn_core.findings import Finding
from dssn_core.images import image_sha256
from dssn_core.self_check import KNOWN, outcome
from dssn_core.verification import Watch, verify


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


def known_here(name: str, folder: Path) -> Classifier:
    """A network as all pages have it: to load it once more would take a second."""
    return resources.model(name)


@st.cache_resource(max_entries=64, show_spinner=False)
def _findings(file: str, image_hash: str | None, installation: tuple[Stamp, ...]) -> list[Finding]:
    """Of one file, for all sessions; empty until somebody has them."""
    return []


def verification(document: Document, image: Tensor | None, tell: Callable[[float], object]) -> list[Finding]:
    """What checking a certificate file finds; known after the first time, until a network here changes."""
    found = _findings(dumps(document), None if image is None else image_sha256(image), installation())
    if not found:
        tell(0.0)
        found[:] = verify(document, image, watch=in_turns(tell), work=interruptible, load=known_here)
    return found


def self_checks() -> list[tuple[str, Callable[[], str]]]:
    """All checks of this installation, by name; the networks work on the worker thread."""
    return list(self_check.checks(watch=in_turns(lambda share: stop_if_left()), work=interruptible))


def installation() -> tuple[Stamp, ...]:
    """Changes when a file that the checks read is written."""
    return tuple(stamp_of(name, (*NETWORK_FILES, KNOWN)) for name in list_models())


@st.cache_data(max_entries=256, show_spinner=False)
def checked(what: str, installation: tuple[Stamp, ...], _check: Callable[[], str]) -> Finding:
    """The result of one check of an installation."""
    return outcome(what, _check)
