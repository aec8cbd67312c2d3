"""Compare DSSN with its randomized neighbours: one picture, one noise, every method, honest to the decimal."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from app import charts, compare_charts, controls, exports, gallery, pictures, pins, progress, resources
from app.collection import Collection
from app.gallery import Picture
from app.glossary import GLOSSARY, listed
from app.methods import Settings, run_of, sample_of
from app.runs import Run
from app.votes import tell_first_choices
from dssn_core import levels_from_sigma
from dssn_core.comparison import LITERATURE_SAMPLES, METHODS, Outcome, largest
from dssn_core.constants import DSSN, lambda_from_levels, sigma_from_levels
from dssn_core.wording import counted

SAMPLE_COUNTS = (100, 300, 1000, 3000, 10_000, 30_000, LITERATURE_SAMPLES)
ALPHAS = (0.05, 0.01, 0.001, 0.0001)
BENCHMARK = Path(__file__).parent / "benchmark.py"
REPEATS = 5
CHECKED = " of a right answer; a hollow point is a wrong answer"


def named(what: str) -> Callable[[str], str]:
    """The words of a bar of several runs, which say of what."""
    return lambda told: f"{what}: {told}"


class Canvas:
    """A place for a figure that is drawn again and again during one run of the page. figure: the last one."""

    figure: go.Figure

    def __init__(self, name: str, alt: str) -> None:
        self._place, self._name, self._alt, self._drawn = st.empty(), name, alt, 0

    def draw(self, figure: go.Figure) -> None:
        self._drawn += 1
        self.figure = figure
        key = f"{self._name}-{self._drawn}"
        self._place.plotly_chart(figure, config=charts.CHART_BAR, key=key, alt=self._alt)


# --- side by side --------------------------------------------------------------------------------------------------


def column(outcome: Outcome, sample: Tensor, names: tuple[str, ...], truth: int | None, colours: Sequence[int]) -> None:
    """Everything one method has to say. sample: (1, C, H, W). colours: of the classes, the same for all methods."""
    exact, abstains = outcome.exact, outcome.abstention is not None
    st.subheader(METHODS[outcome.method], anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{names[outcome.label]}**", width="content")
        if abstains:
            st.badge("abstains", icon=":material/block:", color="orange", width="content")
        elif truth is not None:
            right = truth == outcome.label
            st.badge("right" if right else "wrong", color="green" if right else "red", width="content")
    st.metric("Certified radius ρ", outcome.shown_radius, help="L1, pixels from 0 to 1; rounded down.")
    most = max(range(len(names)), key=outcome.votes.__getitem__)
    leads = outcome.votes[most] == outcome.votes[outcome.label]
    # Half the gap is DSSN's radius; a randomized one bounds the winner's share alone.
    st.html(charts.vote_bars(outcome.votes, names, sum(outcome.votes), 4, bracket=exact and leads, colours=colours))
    if not leads:
        st.caption(
            f"{names[outcome.label]} was chosen from the first {outcome.n0} samples; of the {outcome.n:,} fresh ones "
            f"that count, {outcome.votes[outcome.label]} are for it and {outcome.votes[most]} for {names[most]}."
        )
    # What differs in height comes after, so that all of this stays in line.
    risk = "nothing is claimed" if abstains else f"up to **{outcome.failure_probability:g}**"
    facts = {
        "network": outcome.model,
        "failure probability": "**0**, exactly" if exact else risk,
        "samples": f"all **{outcome.levels:,}**" if exact else f"{outcome.n0} + **{outcome.n:,}**",
        "radius with box constraints": "does not apply" if exact else outcome.shown_box_radius,
        "holds for": "8-bit images" if exact else "real-valued images, assuming exact real arithmetic",
    }
    st.markdown("\n".join(f"- {name}: {fact}" for name, fact in facts.items()))
    cut_off = ", cut off at black and white" if outcome.method == "uniform" else ""
    shown = {f"one sample{cut_off}": sample.clamp(0, 1)}
    denoised = resources.denoised(resources.model(outcome.model), sample, outcome.lam)
    if denoised is not None:
        shown["after its denoiser"] = denoised
    with st.container(horizontal=True):
        for words, picture in shown.items():
            gallery.show(pictures.sample_image(picture[0]), words, 160, alt=f"{METHODS[outcome.method]}: {words}")
    if abstains:
        st.warning(f"Why did it abstain? {outcome.abstention}")


def costs(outcomes: list[Outcome]) -> None:
    st.markdown("**Costs at a glance**")
    figures = {
        "passes run here": [o.passes for o in outcomes],
        "seconds, measured": [round(o.seconds, 2) for o in outcomes],
        "samples in the literature": [o.levels if o.exact else LITERATURE_SAMPLES for o in outcomes],
        "seconds for those, an estimate": [float(f"{o.literature_seconds:.2g}") for o in outcomes],
    }
    st.dataframe(
        {"method": [METHODS[o.method] for o in outcomes], **figures},
        hide_index=True,
        column_config={what: st.column_config.NumberColumn(format="localized") for what in figures},
    )
    st.caption("Passes run in chunks of one size, always computed whole, so there may be more passes than samples.")


def side_by_side(chosen: Picture, settings: Settings) -> None:
    image, levels = chosen.image, settings.levels
    runs = {method: run_of(method, image, settings) for method in settings.methods}
    totals = {method: run.total for method, run in runs.items()}
    canvas = Canvas("spent", "certified radius against samples drawn")

    def redraw() -> None:
        known = {method: run.known_radii(settings.alpha) for method, run in runs.items()}
        canvas.draw(compare_charts.radius_against_samples(known, totals, lambda_from_levels(levels)))

    results = progress.place_for(list(runs.values()))
    progress.carry_on(list(runs.values()), named("All methods"), redraw)
    redraw()
    with results.container():
        conclude(chosen, settings, list(runs.values()), canvas)


def conclude(chosen: Picture, settings: Settings, runs: list[Run[Any]], canvas: Canvas) -> None:
    """What the finished runs of all methods say, side by side."""
    names, levels = resources.model(settings.collection.model).class_names, settings.levels
    st.caption(
        "Before its last point a randomized curve is a preview: only the certificate at the n, α and seed fixed "
        "beforehand counts. Changing them until the radius pleases breaks α. DSSN's bounds are exact at every moment "
        "and meet at N. It counts every rival's votes; a randomized radius bounds the winner's share alone, as if all "
        "other votes were for one rival."
    )
    outcomes = [run.outcome(settings.alpha) for run in runs]
    colours = charts.colour_places(compare_charts.votes_together(outcomes))
    for place, outcome in zip(st.columns(len(outcomes), gap="large"), outcomes, strict=True):
        with place:
            sample = sample_of(outcome.method, chosen.image, settings)
            column(outcome, sample, names, chosen.truth, colours)
    costs(outcomes)
    rows = [outcome.row(names) for outcome in outcomes]
    picture = f"{chosen.name.removeprefix('true class: ')} ({outcomes[0].image_sha256[:6]})"
    noise = f"σ = {sigma_from_levels(levels):.2f}, n = {settings.n:,}, α = {settings.alpha:g}, seed {settings.seed}"
    pins.offer(f"{picture}, {noise}", outcomes, names)
    exports.files("comparison", rows, {"chart": canvas.figure})


# --- run it again --------------------------------------------------------------------------------------------------


def run_it_again(chosen: Picture, settings: Settings) -> None:
    names = resources.model(settings.collection.model).class_names
    st.markdown(
        f"{REPEATS} repetitions with the next {REPEATS} seeds. The randomized radii scatter (unless every sample "
        "agrees), because every run draws other samples. DSSN's do not: nothing is drawn. Each repetition of "
        "DSSN counts all votes anew."
    )
    if not st.toggle("Run them", key="again", bind="query-params", help="Switch off to stop; what is done is kept."):
        return
    runs = {
        m: [run_of(m, chosen.image, settings, repeat) for repeat in range(1, REPEATS + 1)] for m in settings.methods
    }
    canvas, results = Canvas("again", "radii of repeated runs"), progress.place_for(list(chain(*runs.values())))
    bar = st.empty()  # one for all: a run of the page that is given up may leave that of a later repetition behind

    def outcomes() -> dict[str, list[Outcome]]:
        return {m: [run.outcome(settings.alpha) for run in found if run.finished] for m, found in runs.items()}

    # One repetition after the other, so that points appear from the start.
    for place, repetition in enumerate(zip(*runs.values(), strict=True), 1):
        if not all(run.finished for run in repetition):
            progress.carry_on(repetition, named(f"Repetition {place} of {REPEATS}"), bar=bar)
            canvas.draw(compare_charts.repeats(outcomes()))
    canvas.draw(compare_charts.repeats(outcomes()))
    with results.container():
        conclude_repetitions(outcomes(), names, canvas)


def conclude_repetitions(found: dict[str, list[Outcome]], names: tuple[str, ...], canvas: Canvas) -> None:
    """What the finished repetitions say, by method."""
    ordered = {m: sorted(results, key=lambda o: o.radius or 0.0) for m, results in found.items()}
    st.dataframe(
        {
            "method": [METHODS[m] for m in ordered],
            "smallest ρ": [results[0].shown_radius for results in ordered.values()],
            "largest ρ": [results[-1].shown_radius for results in ordered.values()],
            "different radii": [len({o.radius for o in results}) for results in ordered.values()],
        },
        hide_index=True,
    )
    st.caption(
        "Keeping the best of five randomized runs would break α: each certificate may fail with up to that "
        "probability, and the largest radius is the likeliest to have failed."
    )
    rows = [o.row(names) for results in found.values() for o in results]
    exports.files("repetitions", rows, {"chart": canvas.figure})


# --- sweep ---------------------------------------------------------------------------------------------------------


def sweep(chosen: Picture, settings: Settings) -> None:
    model = resources.model(settings.collection.model)
    names, sigmas = model.class_names, controls.sigmas_for(model) or (sigma_from_levels(settings.levels),)
    st.markdown(
        f"Certified radius of this picture at {counted(len(sigmas), 'noise level')}, under every method chosen"
        + (f", n = {settings.n:,} for each randomized one" if settings.methods != (DSSN,) else "")
        + f". A cross marks an abstention, a ring the largest radius{CHECKED * (chosen.truth is not None)}."
    )
    if not st.toggle("Run the sweep", key="sweep", bind="query-params", help="Switch off to stop, on to continue."):
        return
    radii = Canvas("sweep-radii", "certified radius against sigma")
    method = st.segmented_control(
        "Vote shares of",
        settings.methods,
        default=settings.methods[0],
        format_func=METHODS.__getitem__,
        required=True,
        key="shares",
    )
    votes = Canvas("sweep-votes", "votes against sigma")
    runs = {
        sigma: [run_of(m, chosen.image, replace(settings, levels=levels_from_sigma(sigma))) for m in settings.methods]
        for sigma in sigmas
    }
    results, bar = progress.place_for(list(chain(*runs.values()))), st.empty()
    outcomes: dict[str, list[Outcome]] = {m: [] for m in settings.methods}
    for sigma, at_sigma in runs.items():
        fresh = not all(run.finished for run in at_sigma)
        if fresh:
            progress.carry_on(at_sigma, named(f"σ = {sigma:.2f}"), bar=bar)
        for found, run in zip(outcomes.values(), at_sigma, strict=True):
            found.append(run.outcome(settings.alpha))
        if fresh or sigma == sigmas[-1]:
            radii.draw(compare_charts.sweep_radii(outcomes, names, chosen.truth))
            votes.draw(compare_charts.sweep_votes(outcomes[method], names))
    with results.container():
        conclude_sweep(chosen, names, outcomes)
        rows = [o.row(names) for found in outcomes.values() for o in found]
        exports.files("sweep", rows, {"radii": radii.figure, "votes": votes.figure})


def conclude_sweep(chosen: Picture, names: tuple[str, ...], outcomes: dict[str, list[Outcome]]) -> None:
    """What the finished runs at all sigmas say, by method."""
    sigmas = [outcome.sigma for outcome in next(iter(outcomes.values()))]
    answers = {METHODS[m]: [f"{names[o.label]}, {o.shown_radius}" for o in found] for m, found in outcomes.items()}
    st.dataframe({"σ": [f"{sigma:.2f}" for sigma in sigmas], **answers}, hide_index=True)
    best = largest((o for found in outcomes.values() for o in found), chosen.truth)
    if best is None:
        right = "" if chosen.truth is None else f" as {names[chosen.truth]}, which it is"
        st.info(f"No certificate for this picture{right}, by any chosen method at any σ.")
    else:
        where = f"{METHODS[best.method]} at σ = {best.sigma:.2f}"
        st.info(f"Largest for this picture: {where}, ρ = {best.shown_radius} ({names[best.label]}).")
    st.warning(
        "Choosing σ by looking at this picture's own radius is exploration. Each DSSN certificate here holds for the "
        "classifier at its σ; taking the best σ for each picture would be another classifier, and that is not "
        "certified. With the randomized methods, keeping the largest radius breaks α too."
    )


# --- the page ------------------------------------------------------------------------------------------------------


def usable(methods: list[str], collection: Collection) -> tuple[str, ...]:
    """Those of the methods whose networks can be loaded; says what is the matter with the others."""
    found = [m for m in METHODS if m in methods and controls.network(collection.model_for(m)) is not None]
    missing = [METHODS[method] for method in found if collection.model_for(method) != collection.own.get(method)]
    if missing:
        st.warning(
            f"No network here is trained for {' or '.join(missing)}: {collection.model}, trained for DSSN, votes "
            "instead, at a disadvantage: it was not trained for this noise."
        )
    return tuple(found)


def choose_settings(collection: Collection) -> tuple[list[str], int, float, int]:
    """Methods, n, alpha and seed."""
    methods = controls.choose_methods("Methods", "methods")
    with st.container(horizontal=True):
        n = st.selectbox(
            "n, samples to estimate with",
            SAMPLE_COUNTS,
            SAMPLE_COUNTS.index(collection.n),
            key=collection.key("samples"),
            bind="query-params",
            help=GLOSSARY["n₀ and n"] + " The literature uses 100,000.",
            width=200,
        )
        alpha = st.selectbox(
            "α",
            ALPHAS,
            ALPHAS.index(0.001),
            key="alpha",
            bind="query-params",
            help=GLOSSARY["α, failure probability"],
            width=110,
        )
        seed = st.number_input(
            "Seed", 0, 2**31, 0, key="seed", bind="query-params", width=110, help="Of all random draws."
        )
    return methods, n, alpha, int(seed)


def page() -> None:
    st.title("Compare", anchor=False)
    st.markdown(
        "The same picture and the same strength of noise under **DSSN**, whose certificate is exact for 8-bit "
        "pictures, and under two related randomized methods, each of whose certificates holds with confidence 1 − α. "
        "Each method has a network of its own, trained for its noise: a difference between radii is not due to the "
        "noise alone, and one picture says nothing about which method is better."
    )
    collection = controls.choose_collection()
    st.page_link(
        BENCHMARK,
        label="The same networks over many pictures",
        icon=":material/leaderboard:",
        query_params={f"bench-models-{collection.task}": list(collection.own.values())},
    )
    model = controls.network(collection.model)
    if model is None:
        return
    tell_first_choices(model, "page")
    pins.prepare()
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = gallery.choose_folded(model, collection)
        if chosen is not None:
            gallery.show(chosen.image, chosen.name)
    with right:
        levels = controls.choose_noise(model, collection)
        wanted, n, alpha, seed = choose_settings(collection)
    section = controls.choose_section(list(SECTIONS), "compare")
    methods = usable(wanted, collection)
    if chosen is None:
        st.info("The comparison appears here as soon as there is a picture.")
    elif not methods:
        st.info("Choose at least one method.")
    else:
        SECTIONS[section](chosen, Settings(collection, levels, methods, n, alpha, seed))
    pins.show()
    with st.expander("Glossary"):
        st.markdown(listed(GLOSSARY))


SECTIONS = {"Side by side": side_by_side, "Run it again": run_it_again, "Sweep over σ": sweep}

page()
