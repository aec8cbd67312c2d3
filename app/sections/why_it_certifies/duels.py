"""Duels: what the samples of third classes say, and what that proves."""

import streamlit as st
from torch import Tensor

from app import charts, controls, gallery, progress, proof_charts, votes
from app.sections.why_it_certifies.subject import subject
from dssn_core.constants import DUELS
from dssn_core.duels import DuelCertificate, bounds_of_first_choices
from dssn_core.voting import VoteState
from dssn_core.wording import counted

MOST_DUELS = 10

DUELS_WHY = """
Counting **first choices**, as the paper does, takes from every sample the one class that it likes best. Where that is a
third class, the sample says nothing about the winner and its rival. But it ranks all classes, so it takes a
side between any two. **Duels** count that.

- **The answer** is the class that wins its duel with every other class. Almost always there is one. If there is none,
  the class whose worst duel is the least bad is the answer, and nothing is certified.
- **One grey level still changes one sample.** It may change sides in many duels, but in each of them once, so no lead
  shrinks by more than two. A duel is a vote between two classes, and the theorem holds for each of them.
- **So R is half the answer's smallest lead**, rounded down; where the rival comes earlier in the list of classes, and
  so wins ties, one is taken off the lead first. Within R the answer wins every duel. R is often larger than by first
  choices, and sometimes smaller: samples of a third class may side with the rival.

Rezaei et al. 2023 hold a run-off between the two best classes in a vote of networks, against poisoned training data.
"""


def third_classes(certificate: DuelCertificate, names: tuple[str, ...]) -> str:
    """What the samples that like a third class best do to the closest duel."""
    a, b, votes = certificate.winner, certificate.rival, certificate.votes
    (n_ab, n_ba), (for_a, for_b) = certificate.pair, certificate.thirds
    if not for_a + for_b:
        return (
            f"Here every sample likes “{names[a]}” or “{names[b]}” best, so both ways count the same {n_ab:,} to "
            f"{n_ba:,}. With more noise first choices spread over more classes: try a larger σ."
        )
    return (
        f"The closest duel: {votes[a]:,} samples like “{names[a]}” best, {votes[b]:,} “{names[b]}”. Of the other "
        f"{for_a + for_b:,}, which first choices leave out, {for_a:,} rank “{names[a]}” higher and {for_b:,} "
        f"“{names[b]}”: n_ab = {votes[a]:,} + {for_a:,} = {n_ab:,}, and n_ba = {votes[b]:,} + {for_b:,} = {n_ba:,}."
    ) + before_counting(certificate)


def before_counting(certificate: DuelCertificate) -> str:
    """What first choices say of R by duels."""
    bounds = bounds_of_first_choices(certificate.votes, certificate.levels)
    if not bounds.final:
        return " No class is the first choice of more than half of the samples: which one wins, only duels can tell."
    return (
        f" Before any duel is counted, first choices say that R is from {bounds.lower:,} to "
        f"{counted(bounds.upper, 'grey level')}: a sample sides with its first choice in each of its duels."
    )


def duels() -> None:
    chosen = subject()
    if chosen is None:
        return
    model, image, noise = chosen
    run = votes.vote_here(model, image, noise.levels, DUELS)
    with progress.after([run]):
        show_duels(image, run.finish(), model.class_names)


def show_duels(image: Tensor, vote: VoteState, names: tuple[str, ...]) -> None:
    """All duels of a vote, and what they prove beside first choices."""
    certificate = vote.certificate
    assert isinstance(certificate, DuelCertificate) and vote.duels is not None
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(DUELS_WHY)
    with right:
        with st.container(horizontal=True, vertical_alignment="center"):
            gallery.show(image, "", 96, alt="the chosen picture")
            for what, found in (("R by first choices", certificate.by_plurality), ("R by duels", certificate)):
                st.metric(f"{what}: {names[found.label]}", counted(found.radius_steps, "grey level"))
        st.markdown(controls.typeset(third_classes(certificate, names)))
        shown = 1 + len(charts.contenders(certificate, MOST_DUELS - 1))
        fewer = f" (the answer and its closest rivals, of {len(names):,} classes)" * (shown < len(names))
        st.markdown(
            f"**The duels**{fewer}: how many of the {vote.total:,} samples rank the row's class above the column's"
        )
        st.html(proof_charts.duel_table(certificate, vote.duels, names, MOST_DUELS))
        st.caption(
            f"The frame is the closest duel of “{names[certificate.label]}”, which "
            f"{'sets R' if certificate.won else 'it loses, so R = 0'}. Green: the row's class wins. A number and the "
            f"one across the diagonal add up to all samples. {controls.EITHER}"
        )
