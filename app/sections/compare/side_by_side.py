"""Side by side: what every method proves of one picture."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from torch import Tensor

from app import charts, compare_charts, exports, gallery, pictures, pins, progress, resources
from app.gallery import Picture
from app.methods import Settings, run_of, sample_of
from app.runs import Run
from app.sections.compare.canvas import Canvas, named
from dssn_core.comparison import LITERATURE_SAMPLES, METHODS, Outcome
from dssn_core.constants import lambda_from_levels, sigma_from_levels


def column(outcome: Outcome, sample: Tensor, names: tuple[str, ...], truth: int | None, colours: Sequence[int]) -> None:
    """Everything one method has to say. sample: (1, C, H, W). colours: of the classes, the same for all methods."""
    plan, abstains = outcome.plan, outcome.abstention is not None
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
    st.html(
        charts.vote_bars(outcome.votes, names, sum(outcome.votes), 4, bracket=plan is None and leads, colours=colours)
    )
    if plan is not None and not leads:
        st.caption(
            f"{names[outcome.label]} was chosen from the first {plan.n0} samples; of the {plan.n:,} fresh ones "
            f"that count, {outcome.votes[outcome.label]} are for it and {outcome.votes[most]} for {names[most]}."
        )
    # What differs in height comes after, so that all of this stays in line.
    risk = "nothing is claimed" if abstains else "**0**, exactly" if plan is None else f"up to **{plan.alpha:g}**"
    facts = {
        "network": outcome.model,
        "failure probability": risk,
        "samples": f"all **{outcome.levels:,}**" if plan is None else f"{plan.n0} + **{plan.n:,}**",
        "radius with box constraints": "does not apply" if plan is None else outcome.shown_box_radius,
        "holds for": "8-bit pictures" if plan is None else "real-valued pictures, assuming exact real arithmetic",
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
        "samples in the literature": [o.levels if o.plan is None else LITERATURE_SAMPLES for o in outcomes],
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
    st.html("<style>.st-key-compared h3 {font-size: 1.2rem}</style>")  # in one line: what is below is in line then
    with st.container(key="compared"):
        places = st.columns(len(outcomes), gap="large")
    for place, outcome in zip(places, outcomes, strict=True):
        with place:
            sample = sample_of(outcome.method, chosen.image, settings)
            column(outcome, sample, names, chosen.truth, colours)
    costs(outcomes)
    rows = [outcome.row(names) for outcome in outcomes]
    picture = f"{chosen.name.removeprefix('true class: ')} ({outcomes[0].image_sha256[:6]})"
    noise = f"σ = {sigma_from_levels(levels):.2f}, n = {settings.n:,}, α = {settings.alpha:g}, seed {settings.seed}"
    pins.offer(f"{picture}, {noise}", outcomes, names)
    exports.files("comparison", rows, {"chart": canvas.figure})
