"""Controls that several pages share."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import glossary, installed, resources, state
from app.collection import COLLECTIONS, Collection
from dssn_core import Certificate, levels_from_sigma
from dssn_core.classifier import Classifier
from dssn_core.comparison import METHODS
from dssn_core.constants import COUNTINGS
from dssn_core.manifest import CheckpointError
from dssn_core.splitting import PIXELWISE, Block, Place

NETWORKS_HELP = (
    "“About this build” says how each was trained; “Benchmark” how good it is, where records of it are kept."
)
EITHER = (
    "Each way of counting makes its own smoothed classifier, and a certificate holds for that one alone: taking the "
    "larger radius, picture by picture, describes neither."
)
COUNTING_HELP = (
    "First choices: every sample votes for the one class that it likes best, as in the paper. Duels: for every two "
    "classes it sides with the one that it ranks higher, and the class that wins each of its duels is the answer. "
    f"{EITHER}"
)
CHANNELS = ("red", "green", "blue")
T = TypeVar("T")
PRESET_SIGMAS = (0.15, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)


def choose_collection() -> Collection:
    """CIFAR-10 or ImageNet: the pictures and networks of a page. The choice outlives a change of page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        return _collection()


def choose_network() -> tuple[Collection, str]:
    """A collection, and the name of one of its networks for DSSN. The choice outlives a change of page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        collection = _collection()
        return collection, _network(collection)


def _collection() -> Collection:
    names = list(COLLECTIONS)
    picture = st.query_params.get(state.PICTURE, "")  # of a link: it tells the collection too
    linked = [name for name, found in COLLECTIONS.items() if picture.startswith(f"{found.task}-")]
    if linked and "data" not in st.query_params:
        state.set_chosen("data", linked[0])
    draw = partial(
        st.segmented_control,
        "Pictures and network",
        names,
        default=names[0],
        required=True,
        label_visibility="collapsed",
        width="content",
    )
    collection = COLLECTIONS[state.remembered(draw, "data", names[0], changed=_change_collection)]
    st.caption(collection.about, width="content")
    return collection


def _change_collection(key: str) -> None:
    state.keep(key)
    state.change_kind()


def _network(collection: Collection) -> str:
    names = installed.networks_of(collection)
    if len(names) < 2:
        return names[0] if names else collection.model
    chosen = choose_one("Network", names, collection.network_key, width=220, label_visibility="collapsed")
    about = f"{glossary.networks(names)}\n\n{NETWORKS_HELP}"
    st.caption(glossary.NETWORKS.get(chosen, "network"), width="content", help=about)
    return chosen


def network(name: str) -> Classifier | None:
    """The network `name`; None, and a message on the page, if it is missing or damaged."""
    try:
        return resources.model(name)
    except CheckpointError as error:
        st.error(
            f"The network {name!r} cannot be used: {error}. If that does not help, restore `pretrained/{name}` from "
            "the repository."
        )
        return None


def choose_one(
    label: str,
    options: Sequence[T],
    key: str,
    show: Callable[[T], str] = str,
    width: int | Literal["stretch"] = "stretch",
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> T:
    """One of the options, the first to begin with. The address keeps the choice, and it outlives a change of page."""

    def draw(**binding: Any) -> T:
        chosen: T = st.selectbox(
            label, options, format_func=show, width=width, label_visibility=label_visibility, **binding
        )
        return chosen

    return state.remembered(draw, key, options[0], _one_of(options), show)


def _one_of(options: Sequence[T]) -> Callable[[T], T]:
    """Makes the first of the options of a choice that is none of them here."""
    return lambda value: value if value in options else options[0]


def choose_section(names: Sequence[str], key: str) -> str:
    """The part of a page to show. The address keeps it, and it outlives a change of page."""
    draw = partial(
        st.segmented_control, "Section", names, default=names[0], required=True, label_visibility="collapsed"
    )
    return str(state.remembered(draw, key, names[0], _one_of(names)))


def choose_pixel(shape: tuple[int, ...], key: str = "", row: int = 0, column: int = 0) -> Place:
    """A value of an image (C, H, W), in a row of controls; row and column to begin with. key: begins the address's."""
    channels, height, width = shape
    chosen_row = st.number_input("Row", 0, height - 1, row, key=f"{key}row", bind="query-params", width=110)
    chosen_column = st.number_input("Column", 0, width - 1, column, key=f"{key}column", bind="query-params", width=110)
    names = CHANNELS[:channels]
    channel = st.selectbox("Channel", names, key=f"{key}channel", bind="query-params", width=110)
    return names.index(channel), int(chosen_row), int(chosen_column)


def choose_several(
    label: str,
    options: Sequence[T],
    key: str,
    default: Sequence[T],
    show: Callable[[T], str] = str,
    about: str | None = None,
) -> list[T]:
    """Some of the options. What was chosen of those that are not offered for a while comes back with them."""
    offered = f"offered-{key}"
    if state.page_is_new():  # then what its address says counts
        st.session_state.pop(offered, None)
    before, kept = st.session_state.get(offered, (options, []))
    if options != before:  # Streamlit would drop those that are gone for good
        st.session_state[key] = [option for option in options if option in kept] or list(default)
    pills = st.pills(
        label,
        options,
        selection_mode="multi",
        default=default,
        format_func=show,
        key=key,
        bind="query-params",
        help=about,
    )
    chosen = list(pills or [])
    if options == before:
        kept = [*chosen, *(option for option in kept if option not in options)]
    st.session_state[offered] = options, kept
    return chosen


def choose_methods(label: str, key: str) -> list[str]:
    """Some of the methods of smoothing, all to begin with."""
    return choose_several(label, list(METHODS), key, list(METHODS), METHODS.__getitem__)


def sigmas_for(model: Classifier) -> tuple[float, ...]:
    """Those of the preset sigmas that the network was trained for."""
    return tuple(sigma for sigma in PRESET_SIGMAS if model.manifest.trained_at(levels_from_sigma(sigma)))


def choose_noise(model: Classifier, collection: Collection, row: DeltaGenerator | None = None) -> int:
    """The noise slider and its presets. Returns the number of levels. row: where the slider is to stand."""
    place = row or st.container()
    low, high = model.manifest.sigma_range
    if low == high:  # there is nothing to choose: a slider needs two ends
        place.markdown(f"Noise σ = **{low:g}**, the only one that this network was trained for")
        return levels_from_sigma(low)
    key = collection.sigma_key

    def within(wanted: float) -> float:
        return min(max(wanted, low), high)

    draw = partial(
        place.slider,
        "Noise σ",
        low,
        high,
        within(collection.sigma),  # one out of the range would widen it
        0.05,
        help="σ = λ/√3, the scale that the papers tabulate: the standard deviation of uniform noise on [−λ, λ]. DSSN "
        "adds no such noise; its λ is half the distance between splits. A larger σ allows a larger radius, but each "
        "sample tells less.",
    )
    sigma = state.remembered(draw, key, within(collection.sigma), within, "{:g}".format)  # as Streamlit writes it
    wanted = state.chosen(key, collection.sigma)
    if wanted != within(wanted):
        st.caption(
            f"This network was trained for σ from {low:g} to {high:g}: instead of {wanted:g} the nearest is set."
        )
    offer(sigmas_for(model), "preset", state.set_chosen, key)
    return levels_from_sigma(sigma)


def offer(presets: Sequence[float], name: str, choose: Callable[[str, float], None], key: str) -> None:
    """Buttons for values to try; they call `choose` with key and value. name: begins the buttons' own keys."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.caption("try", width="content")
        for preset in presets:
            own = f"{name}-{preset:g}"
            st.button(f"{preset:g}", key=own, type="tertiary", on_click=choose, args=(key, preset))


def choose_counting(model: Classifier) -> str:
    """How votes are counted, one of `COUNTINGS`: as the network's manifest says, until something else is chosen."""
    named = glossary.COUNTED_BY.__getitem__
    draw = partial(
        st.segmented_control,
        "Votes counted by",
        COUNTINGS,
        format_func=named,
        default=model.counting,
        required=True,
        help=COUNTING_HELP,
    )
    return state.remembered(draw, "counting", model.counting, show=named)


def show_account(certificate: Certificate, class_names: Sequence[str]) -> None:
    """The arithmetic of a certificate, line by line."""
    lines = map(typeset, certificate.account(class_names))
    st.markdown("\n".join(f"{place}. {line}" for place, line in enumerate(lines, 1)))


def typeset(text: str) -> str:
    """Markdown of a text with counts like n_a in it, for KaTeX."""
    return re.sub(r"\bn_([ab]{1,2})\b", r"$n_{\1}$", text)


def block_name(block: Block) -> str:
    """Which pixels are split together, in words."""
    if block == PIXELWISE:
        return "every value by itself"
    channels, rows, columns = block
    area = "one pixel" if rows * columns == 1 else f"{rows} × {columns} pixels"
    return f"{'all colours' if channels > 1 else 'one colour'} of {area}"
