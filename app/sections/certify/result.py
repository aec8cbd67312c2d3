"""What a vote proves, and all that this rests on."""

import streamlit as st

from app import charts, controls, glossary, links, state
from app.runs import VoteRun
from app.sections.certify.file import offer_file
from app.sections.certify.origin import tell_origin
from app.sections.why_it_certifies.poke_it import POKE_IT
from dssn_core import Certificate
from dssn_core.constants import DUELS, PLURALITY, largest_steps
from dssn_core.duels import DuelCertificate
from dssn_core.voting import VoteState
from dssn_core.wording import display_radius

DUELS_SAID = (
    "The votes are counted by **duels**: every sample ranks all classes, and in a duel of two it sides with the one it "
    "ranks higher. The answer is the class that wins each of its duels. One grey level changes one sample, so the "
    "closest duel sets the radius. (If no class wins all of its duels, the one that loses least is the answer, "
    "and nothing is certified.)"
)
NOT_SAID = """
- It covers **8-bit pictures of this size** and the **L1 distance**: the sum of all changes over all pixels and
  colour channels. It says little about L2 distance (radius √R / 255: changes in grey levels whose squares add up to
  R or less), and nothing about L∞ (one grey level everywhere adds up to {values:,}), rotation, blur, or another crop.
- It is about the picture **after** cropping, resizing and rounding, as shown, not the file it came from.
- It holds for **this network, these offsets, this λ and this way of counting votes**, computed in the same number
  format, in chunks of the same size, with the same software and number of threads, on the same kind of machine: others
  may round differently.
- It does not say that the answer is **right**: a wrong answer can be certified too.
- This network knows **{classes} classes** and must name one of them, whatever the picture shows.
"""


def show_certificate(run: VoteRun, vote: VoteState, names: tuple[str, ...], truth: int | None) -> None:
    """What a complete vote proves, and all that this rests on."""
    certificate = vote.certificate
    duels = certificate if isinstance(certificate, DuelCertificate) else None
    headline(certificate, names, truth)
    show_votes(vote, names)
    if certificate.pair[0] == vote.total and certificate.radius_steps < largest_steps(vote.total):
        st.caption(
            "All samples agree. The radius is one grey level below the largest all the same, because a class earlier "
            "in the list would win a tie."
        )
    if duels is not None:
        show_duels(duels, names)
    every = "Every first choice" if duels else "Every vote"
    st.markdown(f"**{every}**, in the order of the sample index j", help="Colours as in the bars.")
    st.plotly_chart(
        charts.vote_strip(run.labels, names),
        config=charts.NO_BAR,
        key="strip",
        alt=f"{every.lower()}, of {vote.total:,} samples",
    )
    tell_origin(run)
    offer_file(run)
    link_beyond(run.counting)
    st.markdown("**The arithmetic**")
    controls.show_account(certificate, names)
    show_margins(certificate, names)
    with st.expander("What this certificate does not say"):
        st.markdown(NOT_SAID.format(classes=f"{len(names):,}", values=run.image.numel()))
    with st.expander("Glossary"):
        st.markdown(glossary.listed(glossary.OF_DSSN if duels is None else glossary.OF_DUELS))


def headline(certificate: Certificate, names: tuple[str, ...], truth: int | None) -> None:
    """The answer, its radius, and what that guarantees."""
    name, (ours, its) = names[certificate.label], certificate.pair
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(name, anchor=False, width="content")
        if truth is None:
            st.badge(f"one of the {len(names):,} classes this network knows", color="gray", width="content")
        elif truth == certificate.label:
            st.badge("right", icon=":material/check:", color="green", width="content")
        else:
            st.badge(f"wrong: it is {names[truth]}", icon=":material/close:", color="red", width="content")
    with st.container(horizontal=True):
        st.metric("Certified radius ρ", display_radius(certificate.radius_steps), help="L1, pixels from 0 to 1")
        about = "The same radius: one grey level of one colour channel of one pixel is 1/255."
        st.metric("R, in grey levels", f"{certificate.radius_steps:,}", help=about)
        if certificate.counting == DUELS:
            st.metric("Closest duel", f"{ours:,} : {its:,}", help=f"against {names[certificate.rival]}")
        else:
            share = f"{1000 * ours // certificate.levels / 10} %"
            st.metric("Vote share", share, help=f"{ours:,} of {certificate.levels:,}, rounded down")
    st.markdown(f"**{certificate.statement(name)}**")
    if not certificate.radius_steps:
        return
    if truth not in (None, certificate.label):
        st.markdown(
            f":red[**Certified, and wrong:** this proves that the answer stays “{name}”, not that it is right.]"
        )
    st.caption(
        "For scale: one colour channel of one pixel, from black to white, takes 255 grey levels, which is ρ = 1."
    )


def show_votes(vote: VoteState, class_names: tuple[str, ...]) -> None:
    """The radius and the votes as far as they are known: the same picture while the vote grows and after it."""
    st.html(charts.radius_interval(vote.bounds, largest_steps(vote.total)))
    duels = vote.duels is not None  # which the radius rests on then, not on this gap
    if duels:
        st.markdown("**First choices** of the samples")
    st.html(charts.vote_bars(vote.votes.tolist(), class_names, vote.total, bracket=not duels))


def show_duels(certificate: DuelCertificate, names: tuple[str, ...]) -> None:
    """The duels that a radius rests on, and what first choices alone would prove."""
    st.markdown(f"**The duels of “{names[certificate.label]}”**, the closest first")
    st.html(charts.duel_bars(certificate, names))
    plain = certificate.by_plurality
    other = "" if plain.label == certificate.label else f" for “{names[plain.label]}”"
    st.caption(
        f"{DUELS_SAID} By first choices alone (the upper bars) ρ would be {display_radius(plain.radius_steps)}"
        f"{other}. {controls.EITHER}"
    )


def show_margins(certificate: Certificate, names: tuple[str, ...]) -> None:
    """How far every other class is from winning."""
    with st.expander("Margins to every other class"):
        order = certificate.rivals
        what = "samples that rank it above the winner" if certificate.counting == DUELS else "votes"
        st.dataframe(
            {
                "class": [names[c] for c in order],
                what: [certificate.against(c)[1] for c in order],
                "cannot win within, in grey levels": [certificate.margins[c] for c in order],
            },
            hide_index=True,
        )


def link_beyond(counting: str) -> None:
    """To where this picture is attacked: the address need not say which, for choices outlive a change of page."""
    by = " by first choices" * (counting != PLURALITY)
    target = links.needed({"why": POKE_IT}, {"why": POKE_IT}, {"why": str(state.chosen("why", POKE_IT))})
    label = f"And beyond it? Find a change that flips the answer{by}"
    st.page_link(links.VIEWS / "why_it_certifies.py", label=label, icon=":material/lightbulb:", query_params=target)
