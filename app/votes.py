"""The votes that the pages show: as they came with a network, or counted here."""

import streamlit as st
from torch import Tensor

from app import resources, state
from app.runs import VoteRun
from dssn_core.classifier import Classifier
from dssn_core.constants import PLURALITY
from dssn_core.images import image_sha256

_HERE = "counted-here"


def counting_for(model: Classifier) -> str:
    """How votes are counted where that is not to be chosen: as chosen elsewhere, or as the network's manifest says."""
    return str(state.chosen("counting", model.counting))


def tell_first_choices(model: Classifier, where: str) -> None:
    """That a part of the pages counts first choices, where others count duels."""
    if counting_for(model) != PLURALITY:
        st.caption(
            f"This {where} counts first choices, as the paper does. “Certify” and “The arithmetic” count duels, so R "
            "may differ there."
        )


def vote_on(name: str, image: Tensor, levels: int, counting: str) -> VoteRun:
    """The vote that came with the network, or one counted here: where there is none, or where that was asked for."""
    return _shown(name, image, levels, counting) or resources.votes_of(name, image, levels, counting)


def vote_here(model: Classifier, image: Tensor, levels: int, counting: str) -> VoteRun:
    """The vote counted here, for what goes on with the samples: elsewhere some that are nearly tied may have voted
    differently. Says so where Certify shows one that came with the network."""
    name = model.manifest.name
    if counting_for(model) == counting and _shown(name, image, levels, counting) is not None:
        st.caption(
            "These votes are counted on this machine. Certify shows those that came with the network, counted "
            "elsewhere: nearly tied samples may have voted differently."
        )
    return resources.votes_of(name, image, levels, counting)


def _shown(name: str, image: Tensor, levels: int, counting: str) -> VoteRun | None:
    """The vote that came with the network, unless it was asked for that it be counted here."""
    return None if is_counted_here(name, image, levels) else _stored(name, image, levels, counting)


def _stored(name: str, image: Tensor, levels: int, counting: str) -> VoteRun | None:
    """The vote that came with the network; all that do are by first choices."""
    return resources.stored_run(name, image, levels) if counting == PLURALITY else None


def stored_beside(run: VoteRun) -> VoteRun | None:
    """Of a vote that was asked to be counted here although one came with the network: that one."""
    asked = is_counted_here(run.model_name, run.image, run.total)
    return _stored(run.model_name, run.image, run.total, run.counting) if asked else None


def is_counted_here(name: str, image: Tensor, levels: int) -> bool:
    """Whether it was asked for that this vote be counted here."""
    return bool(st.session_state.get(_HERE) == (name, image_sha256(image), levels))


def count_here(run: VoteRun) -> None:
    """A button's callback: this vote is to be counted here."""
    st.session_state[_HERE] = (run.model_name, image_sha256(run.image), run.total)
