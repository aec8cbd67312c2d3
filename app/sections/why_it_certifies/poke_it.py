"""Poke it: change a picture grey level by grey level, and see which votes move."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from app import charts, controls, gallery, pictures, progress, proof_charts, resources, splitting_charts, votes
from app.attacks import Attack, Held, acted
from app.sections.why_it_certifies.subject import subject
from app.strips import filmstrip
from dssn_core import PIXEL_STEPS, SplitNoise
from dssn_core.attack import Step, undo
from dssn_core.classifier import Classifier
from dssn_core.constants import PLURALITY
from dssn_core.splitting import PIXELWISE, Place
from dssn_core.wording import counted

POKE_IT = "Poke it"
LARGE = 220
"""Pixels across the pictures, in which one pixel of theirs is to be found."""

BURST = 10
"""Guided steps that one button asks for."""

SEARCH = "Find a flip"
SEARCHED = (
    "Follows the network's gradient from the original to a picture with another answer, then to nearer ones, usually "
    "far beyond the certificate. The small network takes seconds, larger ones and ImageNet minutes."
)
SPEND = "Restart, and spend the whole budget at random"
AT_RANDOM = "One grey level up or down, at a random place."
GUIDED = (
    "Looks for a step that takes a vote from the certified class or, failing that, brings one nearest to leaving "
    "it. A search, not a proof: a shorter attack may exist."
)


def attack_on(model: Classifier, image: Tensor, noise: SplitNoise) -> tuple[Held, DeltaGenerator]:
    """The attack under way on this picture at this noise, begun anew where there is none; and the place to show it."""
    held: Held | None = st.session_state.get("attack")
    run = votes.vote_here(model, image, noise.levels, votes.counting_for(model))
    if held is not None and held.attack.is_on(model, image, noise.levels):
        return held, st.container()
    place = progress.after([run])
    held = st.session_state["attack"] = Held(Attack.on(model, image, noise, run.labels))
    return held, place


def arrive(attack: Attack) -> Attack:
    """At the picture that a button asked for, if one did: its votes are counted, with a bar; any button stops that."""
    if attack.wanted is None:
        return attack
    run = resources.votes_of(attack.model.manifest.name, attack.wanted, attack.noise.levels, PLURALITY)
    progress.carry_on([run])
    return attack.arrived(run.labels)


def act(change: Callable[[Attack], Attack]) -> None:
    """A button's callback."""
    st.session_state["attack"].change(partial(acted, change))


def search(held: Held, place: DeltaGenerator) -> None:
    """Towards the nearest picture with another answer that a search finds, with a bar in its place."""
    names = held.attack.model.class_names
    place.progress(0.0, "Looking for a picture with another answer … Any button above stops this.")
    for found in held.attack.searches():
        held.change(partial(Attack.knowing, flip=found.nearest))
        flip = held.attack.nearest
        so_far = "none yet" if flip is None else f"{flip.distance:,} away, {names[flip.label]}; “{SEARCH}” goes there"
        told = f"Looked {found.distance:,} grey levels away. Nearest flip: {so_far}. Any button above stops this."
        place.progress(found.done / found.rounds, told)
    if held.attack.nearest is None:
        place.info("No picture with another answer was found, which does not mean that there is none.")
    held.change(Attack.searched)


def carry_on(held: Held, place: DeltaGenerator) -> None:
    """Take the next of the guided steps that were asked for, and show it, or search; any button stops that.

    place: of the search's bar.
    """
    if held.attack.searching:
        search(held, place)
        if held.attack.wanted is not None:
            st.rerun()
    if held.attack.guided:
        with st.spinner("Looking for the step that helps most … Any button above stops this."):
            before = held.attack
            held.follow(before, before.guided_on())
        st.rerun()


def stop_walking() -> None:
    """An attack that nobody looks at does not walk on."""
    if "attack" in st.session_state:
        st.session_state["attack"].change(partial(replace, guided=0, searching=False))


def button(
    key: str, label: str, icon: str, change: Callable[[Attack], Attack], off: bool = False, about: str | None = None
) -> None:
    st.button(label, f"poke-{key}", about, act, (change,), icon=icon, disabled=off)


def step_buttons(attack: Attack) -> Place:
    """The buttons; returns the value that those of one step change."""
    poked = attack.poked
    _, height, width = poked.image.shape
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = controls.choose_pixel(poked.image.shape, "poke-", height // 2, width // 2)
        value = int(poked.image[place])

        for key, change, icon, limit in (
            ("down", -1, ":material/remove:", 0),
            ("up", +1, ":material/add:", PIXEL_STEPS),
        ):
            step = partial(Attack.stepped, step=Step(*place, change))
            button(key, f"{value} → {value + change}", icon, step, off=value == limit)
    nothing_done, no_budget = poked.spent == 0 and not poked.moves, not attack.certificate.radius_steps
    one, many = (partial(replace, guided=steps) for steps in (1, BURST))
    with st.container(horizontal=True):
        button("random", "Random step", ":material/casino:", Attack.stepped_at_random, about=AT_RANDOM)
        button("guided", "Guided step", ":material/target:", one, about=GUIDED)
        button("burst", f"{BURST} guided steps", ":material/bolt:", many)
        button("search", SEARCH, ":material/search:", Attack.sought, about=SEARCHED)
        button("spend", SPEND, ":material/payments:", Attack.spending, no_budget)
        button("undo", "Undo", ":material/undo:", Attack.undone, not attack.can_undo)
        button("reset", "Reset", ":material/restart_alt:", Attack.anew, nothing_done)
    return place


def last_move(attack: Attack) -> None:
    poked, noise, names = attack.poked, attack.noise, attack.model.class_names
    if not poked.moves and poked.spent:
        moved = counted(poked.moved(attack.first), "vote")
        st.info(
            f"{counted(poked.spent, 'step')}, taken all at once. They moved {moved}: a step changes a sample, which "
            "may vote as before."
        )
        return
    if not poked.moves:
        st.info("Change a pixel by one grey level. Which of the samples will notice? How many votes can that move?")
        return
    move = poked.moves[-1]
    step, before = move.step, undo(poked).image
    value = int(before[step.place])
    channel = controls.CHANNELS[step.channel]
    vote = (
        f"and its vote stayed with **{names[move.after]}**"
        if move.before == move.after
        else f"and its vote moved from **{names[move.before]}** to **{names[move.after]}**"
    )
    st.markdown(
        f"Row {step.row}, column {step.column}, {channel}: {value} → {value + step.change}. Of all {noise.levels:,} "
        f"samples only **j = {move.index}** changed, {vote}."
    )
    seen = [pictures.sample_image(noise.samples(x, move.index, move.index + 1)[0]) for x in (before, poked.image)]
    if noise.block != PIXELWISE:
        st.caption(f"This network splits {controls.block_name(noise.block)} together, so they change together.")
    cells = [
        (f"sample {move.index} before: {names[move.before]}", [seen[0]]),
        (f"sample {move.index} after: {names[move.after]}", [seen[1]]),
        ("what changed in it, the rest dimmed", [splitting_charts.changed_alone(*seen)]),
    ]
    st.html(filmstrip(cells, width=130))


def poke_it() -> None:
    chosen = subject()
    if chosen is None:
        stop_walking()
        return
    model, image, noise = chosen
    votes.tell_first_choices(model, "section")
    held, place = attack_on(model, image, noise)
    with place:
        before = held.attack
        held.follow(before, arrive(before))
        working = show_attack(held.attack)
    carry_on(held, working)


def show_attack(attack: Attack) -> DeltaGenerator:
    """Budget, buttons, pictures and votes. Returns a place below the buttons."""
    poked, noise, names = attack.poked, attack.noise, attack.model.class_names
    first, now = attack.certificate, attack.now
    budget = (
        f"is certified within **R = {first.radius_steps}** steps. Spend them as you like: within the budget the answer "
        "cannot change. A step back is refunded"
        if first.radius_steps
        else "won by so little that nothing is certified, **R = 0**: the next step may change the answer"
    )
    st.markdown(f"“{names[first.label]}” {budget}. A step is one grey level of one colour channel of one pixel.")
    st.html(proof_charts.budget_meter(poked.spent, first.radius_steps))
    st.markdown(f"The vote now: **{names[now.label]}** {now.pair[0]:,}, {names[now.rival]} {now.pair[1]:,}.")
    if now.label != first.label:
        st.warning(
            f"After {counted(poked.spent, 'step')} the answer is “{names[now.label]}”. R was {first.radius_steps:,}. "
            "The certificate holds: no change that it covers has changed the answer. "
            f"{first.bracket(poked.spent)}"
        )
    left, right = st.columns([5, 4], gap="large")
    with left:
        place = step_buttons(attack)
        working = st.empty()
        last_move(attack)
        with st.container(horizontal=True):
            gallery.show(poked.original, "the original", LARGE)
            marks, said = [(place, pictures.MARK_COLOUR)], "orange: the chosen pixel"
            if poked.moves:
                marks.insert(0, (poked.moves[-1].step.place, pictures.CHANGED_COLOUR))
                said += "; blue: the one changed last"
            gallery.show(poked.image, f"now, {counted(poked.spent, 'step')} away; {said}", LARGE, marks)
    with right:
        with st.container(horizontal=True):
            st.metric("Steps from the original", f"{poked.spent:,}", width="content")
            st.metric("Votes moved, at most one a step", f"{poked.moved(attack.first):,}", width="content")
        st.markdown(f"**All votes now** (there were {first.votes[first.label]:,} for {names[first.label]})")
        st.html(charts.vote_bars(now.votes, names, noise.levels))
    return working
