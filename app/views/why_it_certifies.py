"""Why a certificate holds: poke a picture, look at the world of two pixels, watch the arithmetic."""

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from app import (
    charts,
    controls,
    gallery,
    laboratory,
    pictures,
    player,
    progress,
    proof_charts,
    splitting_charts,
    state,
    votes,
)
from app.attacks import BURST, Attack, Held, acted, guided_on
from app.strips import filmstrip
from dssn_core import PIXEL_STEPS, Certificate, SplitNoise, Tally
from dssn_core.attack import Poked, Step, undo
from dssn_core.classifier import Classifier
from dssn_core.constants import DUELS, PLURALITY
from dssn_core.duels import DuelCertificate
from dssn_core.splitting import PIXELWISE, Place
from dssn_core.two_pixels import TOYS, Boundary, World
from dssn_core.voting import noise_for
from dssn_core.wording import counted, display_radius

POKE_IT = "Poke it"
MOST_DUELS = 10

GUIDED = (
    "Looks for a step that takes a vote from the certified class or, failing that, brings a vote closest to leaving "
    "it. A search, not a proof: a shorter attack may exist."
)

# --- poke it -------------------------------------------------------------------------------------------------------


def subject() -> tuple[Classifier, Tensor, SplitNoise] | None:
    """The network, picture and noise of this page; None while there is no picture."""
    collection, name = controls.choose_network()
    model = controls.network(name)
    if model is None:
        return None
    picture, strength = st.columns(2, gap="large")  # beside each other: what they change is to be seen with them
    with picture:
        chosen = gallery.choose_folded(model, collection)
    with strength:
        levels = controls.choose_noise(model, collection)
    return None if chosen is None else (model, chosen.image, noise_for(model, levels))


def attack_on(model: Classifier, image: Tensor, noise: SplitNoise) -> tuple[Held, DeltaGenerator]:
    """The attack under way on this picture at this noise, begun anew where there is none; and the place to show it."""
    held: Held | None = st.session_state.get("attack")
    if held is not None and held.attack.is_on(model, image, noise):
        return held, st.container()
    run = votes.vote_here(model, image, noise.levels, votes.counting_for(model))
    place = progress.after([run])
    held = st.session_state["attack"] = Held(Attack.on(model, image, noise, run.labels))
    return held, place


def arrive(attack: Attack) -> Attack:
    """At the picture that a button asked for, if one did: its votes are counted, with a bar; any button stops that."""
    if attack.wanted is None:
        return attack
    run = votes.vote_here(attack.model, attack.wanted, attack.noise.levels, PLURALITY)
    progress.carry_on([run])
    return attack.arrived(run.labels)


def act(action: str, step: Step | None) -> None:
    """A button's callback."""
    held = st.session_state["attack"]
    held.attack = acted(action, held.attack, step)


def carry_on(held: Held) -> None:
    """Take the next of the guided steps that were asked for, and show it; any button stops the rest."""
    if held.attack.guided:
        with st.spinner("Looking for the step that helps most … Any button above stops this."):
            held.attack = guided_on(held.attack)
        st.rerun()


def stop_walking() -> None:
    """An attack that nobody looks at does not walk on."""
    if "attack" in st.session_state:
        held = st.session_state["attack"]
        held.attack = replace(held.attack, guided=0)


def step_buttons(attack: Attack) -> Place:
    """The buttons; returns the value that those of one step change."""
    poked = attack.poked
    _, height, width = poked.image.shape
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = controls.choose_pixel(poked.image.shape, "poke-", height // 2, width // 2)
        value = int(poked.image[place])

        def button(
            action: str, label: str, icon: str, off: bool = False, change: int | None = None, about: str | None = None
        ) -> None:
            step = None if change is None else Step(*place, change)
            key = f"poke-{action}"
            st.button(label, key, about, act, (action, step), icon=icon, disabled=off)

        button("down", f"{value} → {value - 1}", ":material/remove:", value == 0, -1)
        button("up", f"{value} → {value + 1}", ":material/add:", value == PIXEL_STEPS, +1)
    with st.container(horizontal=True):
        button("random", "Random step", ":material/casino:", about="One grey level up or down, at a random place.")
        button("guided", "Guided step", ":material/target:", about=GUIDED)
        button("burst", f"{BURST} guided steps", ":material/bolt:")
        button(
            "spend",
            "Restart, and spend the whole budget at random",
            ":material/payments:",
            off=not attack.certificate.radius_steps,
        )
        button("undo", "Undo", ":material/undo:", not attack.can_undo)
        button("reset", "Reset", ":material/restart_alt:", poked.spent == 0 and not poked.moves)
    return place


def last_move(poked: Poked, noise: SplitNoise, names: tuple[str, ...]) -> None:
    if not poked.moves and poked.spent:
        st.info(f"{counted(poked.spent, 'random step')}, taken all at once. See how few votes they moved.")
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
        f"Row {step.row}, column {step.column}, {channel}: {value} → {value + step.change}. Of all {noise.levels} "
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
        return
    model, image, noise = chosen
    votes.tell_first_choices(model, "section")
    held, place = attack_on(model, image, noise)
    with place:
        held.attack = arrive(held.attack)
        show_attack(held.attack)
    carry_on(held)


def show_attack(attack: Attack) -> None:
    """Budget, buttons, pictures and votes."""
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
            f"After {counted(poked.spent, 'step')} the answer is “{names[now.label]}”. R was {first.radius_steps}: the "
            "certificate holds, for no change that it covers has changed the answer."
        )
    left, right = st.columns([5, 4], gap="large")
    with left:
        place = step_buttons(attack)
        last_move(poked, noise, names)
        with st.container(horizontal=True):
            gallery.show(poked.original, "the original")
            gallery.show(poked.image, f"now, {counted(poked.spent, 'step')} away; framed: the chosen pixel", mark=place)
    with right:
        with st.container(horizontal=True):
            st.metric("Steps from the original", f"{poked.spent:,}", width="content")
            st.metric("Votes moved, at most one a step", f"{poked.moved(attack.first):,}", width="content")
        st.markdown(f"**All votes now** (there were {first.votes[first.label]:,} for {names[first.label]})")
        st.html(charts.vote_bars(now.votes, names, noise.levels))


# --- the two-pixel world -------------------------------------------------------------------------------------------


def choose_point(row: int, column: int) -> None:
    st.session_state["k1"], st.session_state["k2"] = column, PIXEL_STEPS - row


def two_pixel_world() -> None:
    st.markdown(
        "Every image of **two** pixels is a point of this plane. A toy base classifier votes on all N samples of each; "
        "the hue is the class that wins the vote, the shade how clearly. The solid diamond is the exact certificate of "
        "the chosen image: all images in it have its hue. The dotted one is one step larger (a corner of the "
        "plane magnifies both). The counts alone cannot certify it: some classifier and image with the same counts "
        "have another answer at that distance. Click or drag in the plane to choose an image."
    )
    plane, choices = st.columns([3, 2], gap="large")
    with choices:
        result = st.container()  # above the sliders: it changes with every one of them
        begin = World()
        turn, moved = begin.boundary.angle, begin.boundary.position
        toy = st.selectbox("Toy base classifier", tuple(TOYS), key="toy", bind="query-params")
        angle = st.slider("Turn its boundary (degrees)", 0, 180, turn, 5, key="angle", bind="query-params")
        position = st.slider("Move its boundary", -0.4, 0.4, moved, 0.02, key="position", bind="query-params")
        levels = st.slider("N, the number of samples", 2, 400, begin.levels, key="n", bind="query-params")
        scheme = st.selectbox(
            "Offsets",
            ("r2", "white", "equal"),
            key="scheme",
            bind="query-params",
            help="r2: evenly spread; white: drawn at random; equal: the same for both pixels.",
        )
        first = st.slider("First pixel", 0, PIXEL_STEPS, begin.first, key="k1", bind="query-params")
        second = st.slider("Second pixel", 0, PIXEL_STEPS, begin.second, key="k2", bind="query-params")
    world = World(toy, Boundary(angle, position), levels, scheme, first, second)
    votes = laboratory.plane(world)
    found = world.found(votes)
    with plane:
        player.show(
            proof_charts.two_pixel_plane(votes, world, found),
            "plane",
            f"the plane of all images of two pixels; the chosen one at {first}, {second}, with its diamond",
            on_pick=choose_point,
        )
    with result:
        st.metric("Certified radius R", counted(found.radius, "step"))
        away = (
            "there is no image of the other class"
            if found.other is None
            else f"nearest image of the other class: {counted(found.other[0], 'step')}"
        )
        st.caption(f"{found.ones} of {levels} samples vote orange, {levels - found.ones} blue; {away}.")


# --- arithmetic, duels, independent splits -------------------------------------------------------------------------


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
    duels = isinstance(certificate, DuelCertificate)
    if isinstance(certificate, DuelCertificate) and not certificate.won:  # there is no lead to halve
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


DUELS_WHY = """
Counting **first choices**, as the paper does, takes from every sample the one class that it likes best. Where that is a
third class, the sample says nothing about the winner and its rival. But it ranks all classes, so it sides with one of
any two. **Duels** count that.

- **The answer** is the class that wins its duel with each other class. Almost always there is one. If there is none,
  the class whose worst duel is the least bad is the answer, and nothing is certified.
- **One grey level still changes one sample.** It may change sides in many duels, but in each of them once, so no lead
  shrinks by more than two. A duel is a vote between two classes, and the theorem holds for each of them.
- **So R is half the answer's smallest lead**, rounded down; where that rival comes earlier in the list of classes, and
  so wins ties, one is taken off the lead first. Until then the answer wins every duel. R is often larger than by first
  choices, and sometimes smaller: samples of a third class may side with the rival.
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
    )


def duels() -> None:
    chosen = subject()
    if chosen is None:
        return
    model, image, noise = chosen
    run = votes.vote_here(model, image, noise.levels, DUELS)
    with progress.after([run]):
        show_duels(image, run.finish(), model.class_names)


def show_duels(image: Tensor, vote: Tally, names: tuple[str, ...]) -> None:
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
        fewer = f" (the answer and its closest rivals, of {len(names):,} classes)" * (len(names) > MOST_DUELS)
        st.markdown(
            f"**The duels**{fewer}: how many of the {vote.total:,} samples rank the row's class above the column's"
        )
        st.html(proof_charts.duel_table(certificate, vote.duels, names, MOST_DUELS))
        st.caption(
            f"The frame is the closest duel of “{names[certificate.label]}”, which "
            f"{'sets R' if certificate.won else 'it loses, so R = 0'}. Green: the row's class wins. A number and the "
            f"one across the diagonal add up to all samples. {controls.EITHER}"
        )


INDEPENDENT = """
**SSN, the randomized parent of DSSN**, needs only that the split of each pixel be uniform; usually, as here, every
split is drawn independently. DSSN takes *one* number, j, and lets all pixels share it: pixel i has a split half a grey
level above (vᵢ + j) mod N, and every N levels from there. Then there are only N different samples, and they can all be
counted. Why does sharing cost the bound nothing?

- **The bound looks at one pixel at a time.** Two images have the same sample unless some pixel's split falls between
  its two values. For pixel i that happens for at most |kᵢ − k′ᵢ| of the N values of j, *however the splits of
  different pixels are related*. Adding these up (the union bound) gives at most Σ|kᵢ − k′ᵢ| changed samples: the L1
  distance. Nowhere did we need independence.
- **It only changes what happens below the bound.** With independent splits, changes in several pixels overlap, whatever
  pixels they are: an L1 distance of λ, spread thinly over many of them, changes 39 % of all samples, where the bound is
  50 %. In DSSN random steps overlap as often, but whoever knows the offsets can choose steps that never meet in one
  sample, and so reach the bound. Guaranteed overlap (on which the larger radii under box constraints, on Compare,
  rest) is given up for an exact count.
- **Additive noise cannot share.** With x + u, u uniform in a box, two images' noise clouds must overlap in *every*
  coordinate at once. Share one random number over all pixels and the clouds become two parallel line segments, which in
  general do not meet at all: no certificate is left.

So in splitting noise the randomness of different pixels may be tied together, and that is what makes it possible to
leave chance out altogether.
"""


def independent_splits() -> None:
    st.markdown(INDEPENDENT)


SECTIONS = {
    POKE_IT: poke_it,
    "Two-pixel world": two_pixel_world,
    "The arithmetic": arithmetic,
    "Duels": duels,
    "Independent splits?": independent_splits,
}


def page() -> None:
    st.title("Why it certifies", anchor=False)
    st.markdown(
        "One grey level in one colour channel of one pixel crosses a split in exactly **one** of the N samples, so it "
        "moves at most one vote."
    )
    section = controls.choose_section([*SECTIONS], "why")
    if section != POKE_IT or state.page_is_new():
        stop_walking()
    SECTIONS[section]()


page()
