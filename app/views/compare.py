"""Compare DSSN with its randomized neighbours: one picture, one noise, every method, honest to the decimal."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from app import charts, compare_charts, controls, gallery, pictures, resources
from app.gallery import Chosen
from app.glossary import GLOSSARY
from app.runs import EstimateRun, VoteRun
from dssn_core import certificate_from_votes, levels_from_sigma, list_models
from dssn_core.comparison import (
    LITERATURE_SAMPLES,
    METHODS,
    Outcome,
    display_radius,
    exact_outcome,
    randomized_outcome,
    to_csv,
)
from dssn_core.constants import lambda_from_levels, sigma_from_levels
from dssn_core.images import image_sha256
from dssn_core.monte_carlo import NEIGHBOURS, Plan, randomized_certificate
from dssn_core.voting import noise_for

SECTIONS = ("Side by side", "Run it again", "Sweep over σ")
SAMPLE_COUNTS = (100, 300, 1000, 3000, 10_000, 30_000, LITERATURE_SAMPLES)
ALPHAS = (0.05, 0.01, 0.001, 0.0001)
REPEATS = 5
MOST_PINS = 3
REDRAW_SECONDS = 0.5
CHART_BAR = {"displaylogo": False, "modeBarButtons": [["toImage"]]}

AnyRun = VoteRun | EstimateRun


# --- runs and what they amount to ----------------------------------------------------------------------------------


def run_of(method: str, image: Tensor, levels: int, n: int, alpha: float, seed: int) -> AnyRun:
    if method == "dssn":
        return resources.votes_of(resources.MODEL, image, levels)
    return resources.estimate_of(image, Plan(method, levels, n=n, alpha=alpha, seed=seed))


def outcome_of(run: AnyRun, image: Tensor) -> Outcome:
    """The outcome of a run that has come to its end."""
    digest = image_sha256(image)
    if isinstance(run, VoteRun):
        votes = certificate_from_votes(run.finish().votes, run.total)
        return exact_outcome(votes, resources.MODEL, digest, run.seconds)
    estimate = randomized_certificate(run.finish(), image)
    return randomized_outcome(estimate, resources.model_for(run.plan.method), digest, run.seconds)


def carry_on(runs: list[AnyRun], redraw: Callable[[], None]) -> None:
    """Carry all runs on in turn to their ends; `redraw` is called now and then, and at the end."""
    bar, drawn = st.empty(), 0.0
    total = sum(run.total for run in runs)
    while waiting := [run for run in runs if not run.finished]:
        for run in waiting:
            run.advance()
            # Also where a run ends whose page has moved on: Streamlit stops a script at its next call.
            done, left = sum(r.done for r in runs), sum(r.seconds_left for r in waiting if r.done)
            bar.progress(done / total, f"{done:,} of {total:,} network passes, about {left:.0f} s left")
        if time.monotonic() - drawn > REDRAW_SECONDS:
            redraw()
            drawn = time.monotonic()
    bar.empty()
    redraw()


def largest_radius(levels: int) -> float:
    return lambda_from_levels(levels)


# --- exports -------------------------------------------------------------------------------------------------------


def exports(name: str, rows: list[dict[str, Any]], figures: dict[str, go.Figure]) -> None:
    """Download buttons for everything a section shows."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Take it along:", width="content")
        st.download_button("CSV", to_csv(rows), f"{name}.csv", "text/csv", key=f"{name}-csv", type="tertiary")
        text = json.dumps(rows, indent=1)
        st.download_button("JSON", text, f"{name}.json", "application/json", key=f"{name}-json", type="tertiary")
        for title, figure in figures.items():
            st.download_button(
                f"{title} (HTML)",
                partial(figure.to_html, include_plotlyjs=True),  # made when asked for: 5 MB
                f"{name}-{title.replace(' ', '-')}.html",
                "text/html",
                key=f"{name}-{title}-html",
                type="tertiary",
                on_click="ignore",
            )


# --- side by side --------------------------------------------------------------------------------------------------


def column(outcome: Outcome, sample: Tensor, names: tuple[str, ...], truth: int | None) -> None:
    """Everything one method has to say."""
    st.subheader(METHODS[outcome.method], anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{names[outcome.label]}**", width="content")
        if outcome.abstention is not None:
            st.badge("abstains", icon=":material/block:", color="orange", width="content")
        if truth is not None:
            right = truth == outcome.label
            st.badge("right" if right else "wrong", color="green" if right else "red", width="content")
    st.metric("Certified radius ρ", display_radius(outcome.radius), help="L1, pixels from 0 to 1; rounded down.")
    if outcome.method == "dssn":
        st.metric("with box constraints", "–", help=GLOSSARY["box constraints"])
    else:
        st.metric("with box constraints", display_radius(outcome.box_radius), help=GLOSSARY["box constraints"])
    if outcome.abstention is not None:
        st.warning(f"Why did it abstain? {outcome.abstention}")
    exact = outcome.method == "dssn"
    facts = {
        "failure probability": "**0**, exactly" if exact else f"up to **{outcome.failure_probability:g}**",
        "samples": f"all **{outcome.levels:,}**" if exact else f"{outcome.n0} + **{outcome.n:,}**",
        "network passes": f"{outcome.samples:,}",
        "measured here": f"{outcome.seconds:.2f} s",
        "speaks of": "8-bit images" if exact else "real-valued images",
    }
    st.markdown("\n".join(f"- {name}: {fact}" for name, fact in facts.items()))
    st.image(
        pictures.enlarged(pictures.sample_image(sample.clamp(0, 1)), 192),
        caption="one sample" if exact or outcome.method == "ssn" else "one sample, cut off at black and white",
        output_format="PNG",
        width=160,
        alt=f"one sample of {METHODS[outcome.method]}",
    )
    st.html(charts.vote_bars(outcome.votes, names, sum(outcome.votes), most=4))


def costs(outcomes: list[Outcome]) -> None:
    st.markdown("**Costs at a glance**")
    st.dataframe(
        {
            "method": [METHODS[o.method] for o in outcomes],
            "passes run here": [o.samples for o in outcomes],
            "seconds, measured": [round(o.seconds, 2) for o in outcomes],
            "passes in the literature": [o.levels if o.method == "dssn" else LITERATURE_SAMPLES for o in outcomes],
            "seconds for those, an estimate": [round(o.literature_seconds, 1) for o in outcomes],
        },
        hide_index=True,
    )


def side_by_side(chosen: Chosen, levels: int, methods: list[str], n: int, alpha: float, seed: int) -> None:
    model, image = resources.model(resources.MODEL), chosen.image
    runs = {method: run_of(method, image, levels, n, alpha, seed) for method in methods}
    place = st.empty()
    drawn = 0

    def redraw() -> None:
        nonlocal drawn
        drawn += 1
        histories = {method: run.history for method, run in runs.items()}
        totals = {method: run.total for method, run in runs.items()}
        figure = compare_charts.radius_against_samples(histories, totals, largest_radius(levels))
        place.plotly_chart(figure, config=CHART_BAR, key=f"spent-{drawn}", alt="radius against network passes")

    carry_on(list(runs.values()), redraw)
    st.caption(
        "Before its last point a randomized curve is a preview: the certificate counts at the n fixed beforehand. "
        "DSSN's bounds are exact at every moment and meet at N."
    )
    outcomes = [outcome_of(run, image) for run in runs.values()]
    for place_, outcome in zip(st.columns(len(outcomes)), outcomes, strict=True):
        sampler = NEIGHBOURS.get(outcome.method)
        sample = (
            noise_for(model, levels).samples(image, 0, 1)[0]
            if sampler is None
            else sampler.samples(image, lambda_from_levels(levels), 1, seed=seed)[0]
        )
        with place_:
            column(outcome, sample, model.class_names, chosen.truth)
    costs(outcomes)
    rows = [outcome.row(model.class_names) for outcome in outcomes]
    picture = chosen.name.removeprefix("true class: ")
    setting = f"{picture}, σ = {sigma_from_levels(levels):.2f}, n = {n:,}, α = {alpha:g}, seed {seed}"
    pinned = [pin["setting"] for pin in st.session_state["pins"]]
    st.button(
        "Pin this setting",
        icon=":material/keep:",
        key="pin",
        on_click=lambda: st.session_state["pins"].append({"setting": setting, "rows": rows}),
        disabled=len(pinned) >= MOST_PINS or setting in pinned,
        help=f"Up to {MOST_PINS} settings stay in a table below, to compare.",
    )
    histories = {method: run.history for method, run in runs.items()}
    totals = {method: run.total for method, run in runs.items()}
    exports(
        "comparison",
        rows,
        {"chart": compare_charts.radius_against_samples(histories, totals, largest_radius(levels))},
    )


def show_pins() -> None:
    pins = st.session_state["pins"]
    if not pins:
        return
    st.markdown("**Pinned settings**")
    rows = [{"setting": pin["setting"], **row} for pin in pins for row in pin["rows"]]
    shown = ("setting", "method", "class", "radius", "box_radius", "samples", "failure_probability", "seconds")
    st.dataframe({name: [row[name] for row in rows] for name in shown}, hide_index=True)
    with st.container(horizontal=True):
        for place, pin in enumerate(pins):
            st.button(
                f"Unpin: {pin['setting']}", key=f"unpin-{place}", type="tertiary", on_click=pins.pop, args=(place,)
            )
    exports("pinned", rows, {})


# --- run it again --------------------------------------------------------------------------------------------------


def run_it_again(chosen: Chosen, levels: int, methods: list[str], n: int, alpha: float, seed: int) -> None:
    image, model = chosen.image, resources.model(resources.MODEL)
    st.markdown(
        f"{REPEATS} repetitions with fresh seeds. The randomized radii scatter, for every run sees other samples. "
        "DSSN's do not move: there is nothing to draw. Each repetition of DSSN is counted anew."
    )
    if not st.toggle("Run them", key="again", bind="query-params", help="Switch off to stop; what is done is kept."):
        return
    runs: dict[str, list[AnyRun]] = {method: [] for method in methods}
    for repeat in range(1, REPEATS + 1):
        for method in methods:
            runs[method].append(
                resources.repeated_vote(image, levels, repeat)
                if method == "dssn"
                else run_of(method, image, levels, n, alpha, seed + repeat)
            )
    place = st.empty()
    drawn = 0

    def redraw() -> None:
        nonlocal drawn
        drawn += 1
        radii = {m: [outcome_of(run, image).radius for run in found if run.finished] for m, found in runs.items()}
        figure = compare_charts.repeats(radii, largest_radius(levels))
        place.plotly_chart(figure, config=CHART_BAR, key=f"again-{drawn}", alt="radii of repeated runs")

    # One repetition after the other, so that points appear from the start.
    for repetition in zip(*runs.values(), strict=True):
        carry_on(list(repetition), redraw)
    outcomes = [outcome_of(run, image) for found in runs.values() for run in found]
    radii = {m: [outcome_of(run, image).radius or 0.0 for run in found] for m, found in runs.items()}
    st.dataframe(
        {
            "method": [METHODS[m] for m in radii],
            "smallest ρ": [min(found) for found in radii.values()],
            "largest ρ": [max(found) for found in radii.values()],
            "spread": [max(found) - min(found) for found in radii.values()],
        },
        hide_index=True,
    )
    st.caption(
        "To keep the best of five randomized runs would break α: each certificate may fail with that probability, and "
        "the largest radius is the likeliest to have failed."
    )
    exports("repetitions", [outcome.row(model.class_names) for outcome in outcomes], {})


# --- sweep ---------------------------------------------------------------------------------------------------------


def sweep(chosen: Chosen, methods: list[str], n: int, alpha: float, seed: int) -> None:
    image, names = chosen.image, resources.model(resources.MODEL).class_names
    st.markdown(f"Certified radius of this picture at every σ of the paper, all methods, n = {n:,} each.")
    if not st.toggle("Run the sweep", key="sweep", bind="query-params", help="Switch off to stop; it goes on later."):
        return
    radii_place, votes_place = st.empty(), st.empty()
    method = st.segmented_control(
        "Vote shares of", methods, default=methods[0], format_func=METHODS.__getitem__, required=True, key="sweep-votes"
    )
    outcomes: dict[str, list[Outcome]] = {m: [] for m in methods}

    def figures() -> dict[str, go.Figure]:
        return {
            "radii": compare_charts.sweep_radii(outcomes, names),
            "votes": compare_charts.sweep_votes(outcomes[method], names),
        }

    for place, sigma in enumerate(controls.PAPER_SIGMAS):
        runs = {m: run_of(m, image, levels_from_sigma(sigma), n, alpha, seed) for m in methods}
        carry_on(list(runs.values()), lambda: None)
        for m, run in runs.items():
            outcomes[m].append(outcome_of(run, image))
        for where, (title, figure) in zip((radii_place, votes_place), figures().items(), strict=True):
            where.plotly_chart(figure, config=CHART_BAR, key=f"sweep-{title}-{place}", alt=f"sweep: {title}")
    table = {
        METHODS[m]: [f"{names[o.label]}, {display_radius(o.radius)}" for o in found] for m, found in outcomes.items()
    }
    st.dataframe({"σ": [f"{sigma:g}" for sigma in controls.PAPER_SIGMAS], **table}, hide_index=True)
    best = max((o for found in outcomes.values() for o in found), key=lambda o: o.radius or 0.0)
    st.info(
        f"Largest for this picture: {METHODS[best.method]} at σ = {best.sigma:.2f}, ρ = {display_radius(best.radius)}."
    )
    st.warning(
        "Choosing σ by looking at this picture's own radius is exploration. A certificate speaks of a classifier that "
        "was fixed beforehand, σ included."
    )
    exports("sweep", [o.row(names) for found in outcomes.values() for o in found], figures())


# --- the page ------------------------------------------------------------------------------------------------------


def tell_of_missing_models(methods: list[str]) -> None:
    missing = [METHODS[method] for method in methods if resources.model_for(method) != resources.OWN_MODELS[method]]
    if missing:
        st.warning(
            f"There is no network trained for {' and '.join(missing)} yet; the one trained for DSSN votes in its "
            "place, which does not do that method justice."
        )


def page() -> None:
    st.title("Compare", anchor=False)
    st.markdown(
        "The same picture and the same strength of noise under **DSSN**, whose certificate is exact, and under the two "
        "randomized methods around it, whose certificates are estimates that may fail with probability α."
    )
    if resources.MODEL not in list_models():
        st.error(f"The folder `pretrained/{resources.MODEL}` is missing; restore it from the repository.")
        return
    st.session_state.setdefault("pins", [])
    model = resources.model(resources.MODEL)
    left, right = st.columns([2, 3], gap="large")
    with left, st.expander("Choose a picture", expanded=False):
        chosen = gallery.choose(model)
    with right:
        levels = controls.choose_noise(model)
    with left:
        if chosen is not None:
            st.image(pictures.enlarged(chosen.image, 192), caption=chosen.name, output_format="PNG", width=150)
    with right, st.container(horizontal=True):
        methods = st.pills(
            "Methods",
            list(METHODS),
            selection_mode="multi",
            default=list(METHODS),
            format_func=METHODS.__getitem__,
            key="methods",
            bind="query-params",
        )
        n = st.selectbox(
            "n, samples to estimate with",
            SAMPLE_COUNTS,
            SAMPLE_COUNTS.index(3000),
            key="samples",
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
        seed = int(
            st.number_input(
                "Seed", 0, 2**31, 0, key="seed", bind="query-params", width=110, help="Of all random draws."
            )
        )
    section = st.segmented_control(
        "Section",
        SECTIONS,
        default=SECTIONS[0],
        required=True,
        key="compare",
        bind="query-params",
        label_visibility="collapsed",
    )
    if chosen is None:
        return
    methods = [method for method in METHODS if method in methods]
    if not methods:
        st.info("Choose at least one method.")
        return
    tell_of_missing_models(methods)
    if section == SECTIONS[0]:
        side_by_side(chosen, levels, methods, n, alpha, seed)
    elif section == SECTIONS[1]:
        run_it_again(chosen, levels, methods, n, alpha, seed)
    else:
        sweep(chosen, methods, n, alpha, seed)
    show_pins()
    with st.expander("Glossary"):
        st.markdown("\n".join(f"- **{term}**: {text}" for term, text in GLOSSARY.items()))


page()
