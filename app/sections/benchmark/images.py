"""The images behind the figures: which are wrong, which certified how far."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app import benchmark_charts as charts
from app import controls, installed, links, sources, state
from app.benchmark_curves import sigma_of
from app.charts import CHART_BAR
from app.collection import COLLECTIONS, Collection
from app.gallery import BUILT_IN, SOURCES
from app.glossary import COUNTED_BY
from app.sections.benchmark.shared import table_height
from app.strips import filmstrip
from dssn_core import PIXEL_STEPS
from dssn_core.accuracy import Gain
from dssn_core.constants import sigma_from_levels
from dssn_core.records import Part, Record, by_levels
from dssn_core.wording import rounded_down, shown_steps

MOST_IMAGES = 24

ALL, GAIN = "all images", "largest gain of DSSN over additive uniform, both classes right"


def choose_records(models: Sequence[str], part: Part) -> tuple[str, int, list[Record]]:
    """A model, an N, and its records."""
    with st.container(horizontal=True):
        name = controls.choose_one("Network", models, "bench-network")
        groups = by_levels(installed.evaluated(name, part).test)
        levels = controls.choose_one("σ", [*groups], "bench-sigma", sigma_of)
    return name, levels, groups[levels]


def clicked_bar(key: str) -> None:
    """Show the images of the bar that was clicked."""
    points = st.session_state[key]["selection"]["points"]
    kind = points[0]["x"] if points else ALL
    state.choose({"bench-kind": (kind, kind)})


def images(models: Sequence[str], collection: Collection, part: Part) -> None:
    name, levels, records = choose_records(models, part)
    groups = charts.radius_bins(records, levels / 2)
    bars = f"bench-bars-{name}-{levels}"
    st.plotly_chart(
        charts.radius_histogram(groups),
        config=CHART_BAR,
        key=bars,
        on_select=partial(clicked_bar, bars),
        selection_mode="points",
        alt="how many images have which certified radius",
    )
    st.caption("Click a bar, or above it, to see its images.")
    if any(record.at_least for record in records):
        st.caption(
            "For some images duels were not counted: their first choices already settle what they count for at every "
            "ρ of curves and tables, in steps of 0.05. Between those their radii (≥) are lower bounds, and so are bars "
            "and gains."
        )
    gain = installed.gains_over_uniform(name, records, levels)
    kinds = [ALL, *(title for title, _ in groups), *([GAIN] if gain else [])]
    kind = controls.choose_one("Show", kinds, "bench-kind")
    members = {title: [records[place] for place in places] for title, places in groups}
    chosen = members.get(kind, records)
    if kind == GAIN:
        chosen = sorted((r for r in records if r.index in gain), key=lambda record: -gain[record.index].steps)
    show_images(name, collection, chosen, gain if kind == GAIN else {}, total=len(records))


def shown_radius(record: Record) -> str:
    steps = record.radius_in_steps
    return "abstains" if steps is None else "≥ " * record.at_least + shown_steps(steps)


def show_images(
    name: str,
    collection: Collection,
    records: Sequence[Record],
    gains: dict[int, Gain],
    total: int,
) -> None:
    names = installed.manifest_of(name).class_names
    st.markdown(f"**{len(records):,} of {total:,} images**")
    if not records:
        return
    record_table(records, names, gains)
    size, folder = installed.manifest_of(name).input_shape[1:], sources.folder()
    seen = [] if folder is None else [(record, folder.picture_of(record, size)) for record in records[:MOST_IMAGES]]
    known = {record: image for record, image in seen if image is not None}
    if not known:
        st.caption(
            "The images themselves are not part of this project. Where the environment variable "
            f"`{sources.DATA_VARIABLE}` names the zip or folder they were read from, they are shown here."
        )
        return
    cells = [
        (f"{record.index}: {names[record.label]} → {names[record.predicted]}, ρ {shown_radius(record)}", [image])
        for record, image in known.items()
    ]
    if len(records) > MOST_IMAGES:
        st.caption(f"The first {MOST_IMAGES}:")
    st.html(filmstrip(cells, width=110))
    offer_certify(
        name, collection, {record.index: f"{record.index}: {names[record.label]}" for record in known}, records[0]
    )


def record_table(records: Sequence[Record], names: Sequence[str], gains: dict[int, Gain]) -> None:
    """What the records say, a row each; with gains beside the other method's."""
    columns: dict[str, list[object]] = {
        "index": [record.index for record in records],
        "true class": [names[record.label] for record in records],
        "answer": [names[record.predicted] for record in records],
        "ρ": [shown_radius(record) for record in records],
        "first choices" if any(record.wins for record in records) else "votes for it": [
            f"{record.votes[record.predicted]} of {sum(record.votes)}" for record in records
        ],
    }
    if gains:
        found = [gains[record.index] for record in records]
        columns["additive uniform's ρ"] = [shown_radius(each.rival) for each in found]
        columns["larger by"] = [float(rounded_down(each.steps / PIXEL_STEPS)) for each in found]
    st.dataframe(columns, hide_index=True, height=table_height(len(records)))
    if gains:
        drawn = max(sum(each.rival.votes) for each in gains.values())
        st.caption(
            f"Compared with additive uniform noise at the same λ, where both choose the right class: {drawn:,} samples "
            "per image (the paper takes 100,000), and fewer samples prove smaller radii; nor does its radius use each "
            "rival's votes, as DSSN's does. Where it abstains, its radius counts as 0."
        )


def offer_certify(name: str, collection: Collection, titles: dict[int, str], record: Record) -> None:
    """Carry one of the images to Certify, by its index; there that network votes on it, counted as in the record.

    titles: of the images, by index. Where the network is not for DSSN the collection's own one votes; always in the
    network's own number format.
    """
    networks = installed.networks_of(collection)
    if not networks:  # nothing on Certify could vote on it
        return
    voter = name if name in networks else networks[0]
    index = st.selectbox("Image to certify", list(titles), format_func=titles.__getitem__, key="bench-carry")
    own = installed.manifest_of(voter).counting
    unsaid = {
        "counting": COUNTED_BY[own],
        "data": next(iter(COLLECTIONS)),
        collection.network_key: networks[0],
        "source": SOURCES[BUILT_IN],
        collection.sigma_key: f"{collection.sigma:g}",
    }
    wanted = {
        "counting": COUNTED_BY[record.counting if voter == name else own],
        "data": collection.name,
        collection.network_key: voter,
        "source": SOURCES[BUILT_IN],
        state.PICTURE: f"{sources.FOLDER_PICTURE}{index}",
        collection.sigma_key: f"{round(sigma_from_levels(record.levels), 2):g}",
    }
    target = links.needed(wanted, unsaid, links.chosen_before(collection))
    st.page_link(links.VIEWS / "certify.py", label="Certify it", icon=":material/verified:", query_params=target)
