"""Certify one picture: choose it, choose the noise, watch the exact certificate being computed."""

import streamlit as st

from app import controls, gallery, progress, votes
from app.links import VIEWS
from app.runs import VoteRun
from app.sections.certify.picture import show_picture
from app.sections.certify.result import show_certificate, show_votes
from dssn_core.constants import largest_steps
from dssn_core.wording import display_radius

REDRAW_SECONDS = 0.25
FEW = 20  # classes that a sentence can list


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
    link.page_link(
        VIEWS / "lesson.py", label="New here? Start with the lesson, in short steps.", icon=":material/school:"
    )
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
