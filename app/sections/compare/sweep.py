"""A sweep over sigma: the radius of one picture under every method, at every noise."""

from dataclasses import replace
from itertools import chain

import streamlit as st

from app import compare_charts, controls, exports, progress, resources
from app.gallery import Picture
from app.methods import Settings, run_of
from app.sections.compare.canvas import Canvas, named
from dssn_core import levels_from_sigma
from dssn_core.comparison import METHODS, Outcome, largest
from dssn_core.constants import DSSN, sigma_from_levels
from dssn_core.wording import counted

CHECKED = " of a right answer; a hollow point is a wrong answer"


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
    everything = list(chain(*runs.values()))
    results, bar, pace = progress.place_for(everything), st.empty(), progress.Pace(everything)
    outcomes: dict[str, list[Outcome]] = {m: [] for m in settings.methods}
    for place, (sigma, at_sigma) in enumerate(runs.items(), 1):
        fresh = not all(run.finished for run in at_sigma)
        if fresh:
            progress.carry_on(at_sigma, named(f"σ = {sigma:.2f}, {place} of {len(runs)}"), bar=bar, pace=pace)
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
    answers = {
        METHODS[m]: ["abstains" if o.abstention else f"{names[o.label]}, {o.shown_radius}" for o in found]
        for m, found in outcomes.items()
    }
    st.dataframe({"σ": [f"{sigma:.2f}" for sigma in sigmas], **answers}, hide_index=True)
    best = largest((o for found in outcomes.values() for o in found), chosen.truth)
    if best is None:
        right = "" if chosen.truth is None else f" as {names[chosen.truth]}, which it is"
        st.info(f"No certificate for this picture{right}, by any chosen method at any σ.")
    else:
        where = f"{METHODS[best.method]} at σ = {best.sigma:.2f}"
        what = "Largest radius for this picture" if chosen.truth is None else "Largest radius of a right answer"
        st.info(f"{what}: {where}, ρ = {best.shown_radius} ({names[best.label]}).")
    st.warning(
        "Choosing σ by looking at this picture's own radius is exploration. Each DSSN certificate here holds for the "
        "classifier at its σ; taking the best σ for each picture would be another classifier, and that is not "
        "certified. With the randomized methods, keeping the largest radius breaks α too."
    )
