"""The arithmetic of a certificate, step by step."""

import streamlit as st
from torch import Tensor

from app import controls, gallery, player, progress, proof_charts, votes
from app.sections.why_it_certifies.subject import subject
from dssn_core import Certificate
from dssn_core.constants import DUELS
from dssn_core.wording import display_radius


def arithmetic() -> None:
    chosen = subject()
    if chosen is None:
        return
    model, image, noise = chosen
    run = votes.vote_here(model, image, noise.levels, controls.choose_counting(model))
    with progress.after([run]):
        show_arithmetic(image, run.finish().certificate, model.class_names)


def show_arithmetic(image: Tensor, certificate: Certificate, names: tuple[str, ...]) -> None:
    """The radius of a picture, step by step."""
    duels = certificate.counting == DUELS
    if not certificate.won:  # there is no lead to halve
        controls.show_account(certificate, names)
        return
    gallery.beside(
        image,
        f"In the worst case every step takes {'a sample' if duels else 'a vote'} from the winner and gives it to "
        f"the closest rival{', in their duel' * duels}. Play it:",
    )
    player.show(
        proof_charts.vote_transfer(certificate, names),
        "transfer",
        " ".join(certificate.account(names)),
        play="Move votes",
        milliseconds=120,
    )
    (n_a, n_b), tie = certificate.pair, certificate.tie
    ours, its = ("n_{ab}", "n_{ba}") if duels else ("n_a", "n_b")
    st.latex(
        rf"\begin{{aligned}} R &= \left\lfloor \frac{{{ours} - {its} - [b < a]}}{{2}} \right\rfloor \\"
        rf" &= \left\lfloor \frac{{{n_a} - {n_b} - {tie}}}{{2}} \right\rfloor = {certificate.radius_steps}"
        r"\end{aligned}"
    )
    steps = certificate.radius_steps
    st.latex(rf"\rho = R/255 = {steps}/255 \approx {display_radius(steps)}")
    st.caption(
        "[b < a] is 1 if the rival b comes before the winner a in the list of classes, and so would win a tie; "
        "otherwise 0. ⌊ ⌋ rounds down. ρ is R on the scale where black is 0 and white is 1."
    )
    with st.expander("In words"):
        controls.show_account(certificate, names)
