"""Certify one picture: choose it, choose the noise, watch the exact certificate being computed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from app import charts, controls, gallery, glossary, links, pictures, progress, resources, state, votes
from app.runs import VoteRun
from app.sections.why_it_certifies.poke_it import POKE_IT
from dssn_core import Certificate
from dssn_core.certificate_file import dumps
from dssn_core.classifier import Classifier
from dssn_core.constants import DUELS, PLURALITY, largest_steps
from dssn_core.duels import DuelCertificate
from dssn_core.images import image_sha256, png
from dssn_core.voting import VoteState
from dssn_core.wording import display_radius

REDRAW_SECONDS = 0.25
LESSON, WHY = (Path(__file__).parent / name for name in ("lesson.py", "why_it_certifies.py"))
ALL_IT_SEES = "all that the network sees for this vote"
ALL_WIDE = 384  # pixels: all pictures together, which stand beside each other on a small laptop, too
LAPTOP = 1280  # pixels: width of a window up to which the pictures are made to fit
FEW = 20  # classes that a sentence can list
BESIDE_EACH_OTHER = f"""
<style>
@media (max-width: {LAPTOP}px) {{
  .st-key-seen {{flex-wrap: nowrap}}
  .st-key-seen > div {{flex: 1 1 0}}
  .st-key-seen > div, .st-key-seen > div * {{min-width: 0; max-width: 100%}}
}}
</style>
"""
"""The pictures, where they would not fit otherwise: the answer is to be seen before long."""


def show_noise(run: VoteRun) -> None:
    noise = run.noise
    largest = display_radius(largest_steps(noise.levels))
    st.markdown(
        f"λ = **{noise.lam:.4f}** · N = **{noise.levels:,}** samples · largest possible radius **{largest}**",
        help="λ is half the distance between neighbouring splits, where black is 0 and white is 1. It is rounded down "
        "from √3 σ so that N = 510 λ is a whole number. The largest radius "
        "is reached if every sample votes for the same class: floor(N/2) / 255 "
        "for the first class in the list, floor((N − 1)/2) / 255 for any other.",
    )


def show_picture(run: VoteRun, caption: str, model: Classifier) -> Callable[[], None]:
    """The picture and one of its samples. Returns what shows that sample denoised, where it is: the network's work."""
    sample, denoises = run.noise.samples(run.image, 0, 1), model.network.has_denoiser
    width = ALL_WIDE // (3 if denoises else 2)
    st.html(BESIDE_EACH_OTHER)
    with st.container(horizontal=True, key="seen"):
        gallery.show(run.image, caption, width)
        words = f"sample j = 0 of {run.noise.levels:,}: {ALL_IT_SEES}"
        gallery.show(pictures.sample_image(sample[0]), words, width)
        place = st.empty() if denoises else None
    if denoises:
        st.caption(
            "Denoiser and classifier together are the base classifier (denoised smoothing, Salman et al. 2020). The "
            "certificate counts their votes, so it holds whatever the denoiser paints."
        )

    def show_denoised() -> None:
        denoised = resources.denoised(model, sample, run.noise.lam)
        if place is not None and denoised is not None:
            with place:
                words = "this sample, denoised: what the classifier sees"
                gallery.show(pictures.sample_image(denoised[0]), words, width)

    return show_denoised


def watch(run: VoteRun, names: tuple[str, ...]) -> None:
    """Carry the vote on to its end, drawing it while it grows."""
    growing = st.empty()

    def say(told: str) -> str:
        if run.state is None:
            return told
        bounds = run.state.bounds
        verdict = f"the answer is {names[bounds.label]}" if bounds.final else f"{names[bounds.label]} leads"
        return f"{told}; {verdict}"

    def draw() -> None:
        if run.state is not None:
            with growing.container():
                show_votes(run.state, names)

    progress.carry_on([run], say, draw, REDRAW_SECONDS)
    growing.empty()


def show_votes(vote: VoteState, class_names: tuple[str, ...]) -> None:
    """The radius and the votes as far as they are known: the same picture while the vote grows and after it."""
    st.html(charts.radius_interval(vote.bounds, largest_steps(vote.total)))
    duels = vote.duels is not None  # which the radius rests on then, not on this gap
    if duels:
        st.markdown("**First choices** of the samples")
    st.html(charts.vote_bars(vote.votes.tolist(), class_names, vote.total, bracket=not duels))


DUELS_SAID = (
    "The votes are counted by **duels**: every sample ranks all classes, and in a duel of two it sides with the one it "
    "ranks higher. The answer is the class that wins each of its duels. One grey level changes one sample, so the "
    "closest duel sets the radius. (If no class wins all of its duels, the one that loses least is the answer, "
    "and nothing is certified.)"
)


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


def file_name(run: VoteRun) -> str:
    """Of a certificate's file, so that several can be told apart."""
    noise = run.noise
    return f"{run.model_name}-sigma-{noise.sigma:.2f}-{run.counting}-{image_sha256(run.image)[:8]}.json"


def offer_file(run: VoteRun) -> None:
    """The certificate as a file that anybody can check."""
    with st.container(horizontal=True, vertical_alignment="center"):
        embed = st.checkbox("include the picture", value=True, key="embed", width="content")
        st.download_button(
            "Download this certificate",
            lambda: dumps(run.document(embed)),
            file_name(run),
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            help="A file with picture, votes and hashes. “Check a certificate” computes all of it again.",
        )
        if not embed:
            st.download_button(
                "Download the picture as cropped",
                partial(png, run.image),
                "picture.png",
                "image/png",
                icon=":material/image:",
                on_click="ignore",
                help="Whoever checks the certificate needs exactly this picture, cropped and resized.",
            )


def link_beyond(counting: str) -> None:
    """To where this picture is attacked: the address need not say which, for choices outlive a change of page."""
    by = " by first choices" * (counting != PLURALITY)
    target = links.needed({"why": POKE_IT}, {"why": POKE_IT}, {"why": str(state.chosen("why", POKE_IT))})
    label = f"And beyond it? Find a change that flips the answer{by}"
    st.page_link(WHY, label=label, icon=":material/lightbulb:", query_params=target)


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


def tell_origin(run: VoteRun) -> None:
    """Where a vote came with the network: say so, and offer to count it here; afterwards, whether that agrees."""
    if run.made is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"This vote came with the network, counted in {run.seconds:.1f} s with torch {run.made.get('torch')} "
                f"on {run.made.get('processor')}. It certifies the classifier as computed there: here nearly tied "
                "samples may vote differently, also when its file is checked.",
                width="content",
            )
            st.button(
                "Count it here",
                icon=":material/refresh:",
                key="count-here",
                type="tertiary",
                on_click=votes.count_here,
                args=(run,),
            )
        return
    kept = votes.stored_beside(run)
    if kept is None or kept.made is None:
        return
    differing = int((kept.labels != run.labels).sum())
    if not differing:
        st.caption(
            f"Counted here in {run.seconds:.1f} s: all {run.total:,} votes are those that came with the network."
        )
    else:
        st.caption(
            f"Counted here in {run.seconds:.1f} s: {differing:,} of {run.total:,} votes differ from those that came "
            f"with the network, counted on {kept.made.get('processor')}. Other kinds of machine round differently, "
            "which flips nearly tied samples. The certificate shown was counted here."
        )


def say_classes(names: tuple[str, ...]) -> None:
    """What the network can answer."""
    if len(names) <= FEW:
        st.caption(f"This network knows only {len(names)} classes: {', '.join(names)}.")
        return
    with st.expander(f"The {len(names):,} classes this network knows"):
        st.dataframe({"class": names}, hide_index=True, height=240)


def page() -> None:
    title, link = st.columns([3, 2], vertical_alignment="center")
    title.title("Certify a picture", anchor=False)
    link.page_link(LESSON, label="New here? Start with the lesson, in short steps.", icon=":material/school:")
    st.markdown(
        "A network looks at N coarse **samples** of your picture, and each casts one vote. Changing one colour channel "
        "of one pixel by one grey level can move at most one vote, so the lead in votes **proves** an amount of change "
        "that the answer survives."
    )
    collection, name = controls.choose_network()
    model = controls.network(name)
    if model is None:
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        picture_place = st.container()  # above the many to choose from: it is what all of this is about
        chosen = gallery.choose(model, collection)
        say_classes(model.class_names)
    with right:
        row = st.container(horizontal=True)
        levels = controls.choose_noise(model, collection, row)
        with row:
            counting = controls.choose_counting(model)
        if chosen is None:
            st.info("The certificate appears here as soon as there is a picture.")
            return
        run = votes.vote_on(name, chosen.image, levels, counting)
        show_noise(run)
        known, result = run.finished, progress.place_for([run])
        with picture_place:
            show_denoised = show_picture(run, chosen.name, model)
        if not known:  # what is known does not wait for the network, which may be at others' votes
            show_denoised()
        watch(run, model.class_names)
        with result.container():
            show_certificate(run, run.finish(), model.class_names, chosen.truth)
        if known:
            show_denoised()


page()
