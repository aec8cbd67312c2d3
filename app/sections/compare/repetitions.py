"""Run it again: what scatters from one run to the next, and what does not."""

from itertools import chain

import streamlit as st

from app import compare_charts, exports, progress, resources
from app.gallery import Picture
from app.methods import Settings, run_of
from app.sections.compare.canvas import Canvas, named
from dssn_core.comparison import METHODS, Outcome

REPEATS = 5


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
    everything = list(chain(*runs.values()))
    canvas, results = Canvas("again", "radii of repeated runs"), progress.place_for(everything)
    pace = progress.Pace(everything)
    bar = st.empty()  # one for all: a run of the page that is given up may leave that of a later repetition behind

    def outcomes() -> dict[str, list[Outcome]]:
        return {m: [run.outcome(settings.alpha) for run in found if run.finished] for m, found in runs.items()}

    # One repetition after the other, so that points appear from the start.
    for place, repetition in enumerate(zip(*runs.values(), strict=True), 1):
        if not all(run.finished for run in repetition):
            progress.carry_on(repetition, named(f"Repetition {place} of {REPEATS}"), bar=bar, pace=pace)
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
