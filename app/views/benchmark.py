"""Certified accuracy on many images: our networks beside the paper's, and the images behind the figures."""

from collections.abc import Sequence
from functools import partial
from itertools import cycle
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from app import benchmark_charts as charts
from app import controls, exports, installed, links, sources, state
from app.benchmark_curves import best_curves, curves_of, sides, sigma_of, unchosen
from app.charts import CHART_BAR
from app.collection import COLLECTIONS, Collection
from app.gallery import BUILT_IN, SOURCES
from app.glossary import COUNTED_BY, NETWORKS
from app.strips import filmstrip
from dssn_core import PIXEL_STEPS
from dssn_core.accuracy import Gain
from dssn_core.constants import DSSN, PLURALITY, lambda_from_levels, sigma_from_levels
from dssn_core.paper import published, source
from dssn_core.records import Part, Record, by_levels
from dssn_core.standings import Side
from dssn_core.wording import rounded_down, shown_steps

VIEWS = Path(__file__).parent
MOST_IMAGES = 24
TABLE_ROWS, ROW_HEIGHT = 13, 35  # at most so many rows are seen at once, none of them cut; pixels
IMAGES = "Images"
ALL, GAIN = "all images", "largest gain of DSSN over additive uniform, both classes right"


def table_height(rows: int) -> int:
    return min(rows + 1, TABLE_ROWS) * ROW_HEIGHT + 3


def choose_models(collection: Collection, part: Part) -> list[str]:
    """The models of the collection's classes with records of a part that are to be shown, by name."""
    first = installed.networks_of(collection)  # the others' curves are a click away: all at once are too many
    alike = {*first, *collection.own.values()}
    readable, damaged = installed.models_with_records()
    if damaged:
        st.warning(f"The records of {', '.join(damaged)} cannot be read: restore their folders from the repository.")
    ordered = sorted(readable, key=lambda name: name != collection.model)  # the one that the pages begin with
    known = [name for name in ordered if name in alike and installed.evaluated(name, part).test]
    if not known:
        st.info("No network has records of these pictures yet. Make some: `python -m dssn_core evaluate --record …`.")
        return []
    without = unchosen(known, part)
    shown = [name for name in known if name in first and name not in without] or known[:1]
    about = "\n".join(f"- {name}: {NETWORKS[name]}" for name in known if name in NETWORKS)
    models = controls.choose_several("Our networks", known, f"bench-models-{collection.task}", shown, about=about)
    if not models:
        st.info("Choose at least one network.")
    return models


def choose_part(collection: Collection) -> Part:
    """Which of the test images to report on."""
    if len(collection.parts) == 1:
        return next(iter(collection.parts.values()))
    names = list(collection.parts)
    name = st.segmented_control(
        "Test images", names, default=names[0], required=True, key="bench-part", bind="query-params"
    )
    return collection.parts[str(name)]


# --- curves --------------------------------------------------------------------------------------------------------


def curves(models: Sequence[str], collection: Collection, part: Part) -> None:
    levels = sorted({record.levels for name in models for record in installed.evaluated(name, part).test})
    used = {(at.network, at.levels) for at in installed.chosen_of(models, collection.rhos, part)}
    without = unchosen(models, part)
    seen = st.container()  # before what it can be made of
    methods = controls.choose_methods("The paper's curves", "bench-paper")
    # On a line of its own: in columns and horizontal containers pills run out of a narrow screen.
    more = controls.choose_several(
        "Show every network also at σ",
        levels,
        f"bench-sigmas-{collection.task}",
        [] if used else levels,  # all at once are too many
        sigma_of,
    )
    ours = best_curves(models, part)
    for name, dash in zip(models, cycle(charts.DASHES), strict=False):
        wanted = {n for n in levels if (name, n) in used or name in without or n in more}
        ours += curves_of(name, wanted, part, len(models) == 1, dash)
    theirs = [row for row in published(collection.task) if row.method in methods]
    figure = charts.certified_accuracy(ours, theirs, max([4.5, *map(lambda_from_levels, levels)]))
    with seen:
        tell_sides(models, collection, part)
        draw_curves(figure)
        tell_counting(models, part)
        tell_sampling(models, collection, part)
    rows = [
        {"curve": curve.name, "method": curve.method, "chosen": note, "rho": rho, **share.to_json()}
        for curve in ours
        for rho, share, note in curve.points
    ]
    exports.files("certified-accuracy", rows, {"curves": figure})


def draw_curves(figure: go.Figure) -> None:
    st.plotly_chart(
        figure,
        config=CHART_BAR,
        key="bench-curves",
        on_select=clicked_curve,
        selection_mode="points",
        alt="certified accuracy against radius, our networks over the paper's; the table has the figures",
    )
    st.caption(
        "Thick: at each ρ the network and σ whose 95 % interval on held-out training images has the highest lower end, "
        "measured on test images, with a 95 % Wilson interval for each ρ by itself. Where the choice changes it is "
        "another classifier, on another number of images, and the curve may jump, even up. Thin: one network and σ. "
        "Dotted: the paper. Hover over a point to see what it is of; click one of ours to see its images."
    )


def tell_sides(models: Sequence[str], collection: Collection, part: Part) -> None:
    """On which side of the paper's best DSSN the chosen of our networks are, at which ρ."""
    rhos = sides(models, collection, part) if collection.comparable else {}
    said = {Side.ABOVE: "above it at", Side.BELOW: "below it at", Side.OPEN: "no clear difference at"}
    found = "; ".join(
        f"{words} ρ = {', '.join(f'{rho:g}' for rho in rhos[side])}" for side, words in said.items() if rhos.get(side)
    )
    if not found:
        return
    st.markdown(
        f"**Our networks beside the paper's DSSN: {found}.** (By our 95 % interval at each ρ by itself; the paper's "
        "own sampling error is not in it.)"
    )


def clicked_curve() -> None:
    """Carry the curve that was clicked to the images."""
    points = st.session_state["bench-curves"]["selection"]["points"]
    keys = [point["customdata"] for point in points if point.get("customdata")]
    if keys:
        name, levels = keys[0]
        state.choose({"bench-network": (name, name), "bench-sigma": (int(levels), sigma_of(levels))})
        state.choose({"bench-section": (IMAGES, IMAGES)})  # apart: of this widget Streamlit writes the address


# --- table ---------------------------------------------------------------------------------------------------------


def table(models: Sequence[str], collection: Collection, part: Part) -> None:
    missing = unchosen(models, part)
    measured = [name for name in models if name not in missing]
    rows = installed.standing_rows(measured, collection.task, collection.rhos, part)
    if missing:
        st.info(
            f"{', '.join(missing)}: no records of held-out images, on which σ is chosen, so no row here "
            "(`evaluate --held-out --record` makes some). “Curves” shows them."
        )
    if not rows:
        return
    titles = {  # first what a narrow screen should show
        "rho": "ρ",
        "ours": "ours, %",
        "paper": "paper, %",
        "difference": "difference",
        "network": "network",
        "chosen": "chosen",
        "ours_95_low": "95 % from",
        "ours_95_high": "to",
        "ours_sigma": "our σ",
        "votes_by": "votes by",
        "ours_images": "images",
        "paper_sigma": "its σ",
        "paper_training": "its training",
        "ours_kept": "of the right, %",
        "paper_kept": "paper's, %",
    }
    whole = ("rho", "network", "chosen", "votes_by", "ours_images", "paper_training")
    decimals = {titles[name]: st.column_config.NumberColumn(format="%.2f") for name in titles if name not in whole}
    decimals[titles["difference"]] = st.column_config.NumberColumn(format="%+.2f")
    decimals[titles["ours_images"]] = st.column_config.NumberColumn(format="localized")
    shown = [
        {**row, "chosen": "yes" * row["best_on_held_out"], "votes_by": COUNTED_BY[row["ours_counting"]]} for row in rows
    ]
    st.dataframe(
        {title: [row[name] for row in shown] for name, title in titles.items()},
        hide_index=True,
        column_config=decimals,
        height=table_height(len(rows)),
    )
    st.caption(
        "The paper's figure is its best for the same method at this ρ, over all σ and both trainings, chosen on the "
        "images that it is reported on. Our σ is chosen on other images, and so is, among a method's networks, "
        "the one to use at this ρ (“chosen: yes”, the first rows). Difference in percentage points. "
        "Of the right: of the images answered right at this σ, those certified at ρ. Images: how many were "
        "evaluated; the interval shows the uncertainty that this leaves. The paper trains each network for its σ in "
        "two ways, standard and for stability."
    )
    tell_counting(measured, part)
    tell_sampling(measured, collection, part)
    exports.files("table", rows, {})


def tell_counting(models: Sequence[str], part: Part) -> None:
    """Of which networks, and at which σ, votes are counted in another way than the paper's."""
    records = {name: [r for r in installed.evaluated(name, part).test if r.counting != PLURALITY] for name in models}
    found = [
        f"{name} at σ = {', '.join(map(sigma_of, by_levels(others)))}" for name, others in records.items() if others
    ]
    if found:
        st.caption(
            f"{'; '.join(found)}: votes are counted by duels, where the paper counts first choices alone. “Why it "
            "certifies”, section “Duels”, shows both; `standings --plurality` on the command line gives the figures by "
            "first choices, of the same votes."
        )


def tell_sampling(models: Sequence[str], collection: Collection, part: Part) -> None:
    """What our figures of randomized methods rest on, beside the paper's."""
    used = [r.sampling for name in models for r in installed.evaluated(name, part).test if r.sampling]
    if used:
        drawn, alpha = sorted({sampling.n for sampling in used}), max(sampling.alpha for sampling in used)
        theirs = max(row.samples for row in published(collection.task))
        st.caption(
            f"Randomized methods: {' or '.join(f'{n:,}' for n in drawn)} samples per image here, {theirs:,} in the "
            "paper. Fewer samples prove smaller radii, so the difference is not due to the networks alone. These "
            f"networks are the counterparts of {collection.own[DSSN]}: compare them with its curve, not with a larger "
            f"network's. Each radius may be wrong with a probability of at most α = {alpha:g}."
        )


# --- images --------------------------------------------------------------------------------------------------------


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
    return "abstains" if steps is None else shown_steps(steps)


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
        st.caption(f"Of the first {MOST_IMAGES}:")
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
    """Carry one of the images to Certify, by its index; there it is voted on as in the record, by that network.

    titles: of the images, by index. Where the network is not for DSSN the collection's own one votes.
    """
    networks = installed.networks_of(collection)
    if not networks:  # nothing on Certify could vote on it
        return
    voter = name if name in networks else networks[0]
    index = st.selectbox("Open one in Certify", list(titles), format_func=titles.__getitem__, key="bench-carry")
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
    st.page_link(VIEWS / "certify.py", label="Certify it", icon=":material/verified:", query_params=target)


SECTIONS = {"Curves": curves, "Table": table, IMAGES: images}


def page() -> None:
    st.title("Benchmark", anchor=False)
    st.markdown(
        "**Certified accuracy**: the share of test images classified correctly with a certified L1 radius of at "
        "least ρ. From stored records of the networks that come with this page."
    )
    collection = controls.choose_collection()
    section = controls.choose_section([*SECTIONS], "bench-section")
    part = choose_part(collection)
    models = choose_models(collection, part)
    if models:
        SECTIONS[section](models, collection, part)
    st.caption(f"The paper: {source()}. {collection.data}")


page()
