"""The sliders that the sections share: the noise, and places on its cycle of N grey levels."""

import streamlit as st

from app import controls, state
from dssn_core.constants import PIXEL_STEPS, lambda_from_levels, levels_from_lambda, sigma_from_levels

LAMBDA_PRESETS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.5)


# The sliders of such places are not bound to the address by Streamlit, to which one of another range is a new one: it
# would begin where the address still says.


def tell(name: str, place: int) -> None:
    """Have the address say where a slider is, as of all sliders where it is not at their start."""
    if place:
        st.query_params[name] = str(place)
    else:
        st.query_params.pop(name, None)


def keep_phases(key: str) -> None:
    """A change of lambda keeps j/N and v/N, not j and v: the picture changes smoothly under the slider."""
    levels = levels_from_lambda(st.session_state[key])
    for name in ("j", "v") if key == "lam" else ("j",):  # v belongs to the number line, and so to its λ
        tell(name, _share(name, levels))


def set_lambda(key: str, lam: float) -> None:
    st.session_state[key] = lam
    keep_phases(key)


def keep_origin(name: str, place: int, levels: int) -> None:
    """Remember where on the cycle a slider was put, as a fraction of N."""
    st.session_state[f"{name}-origin"] = (place, levels)


def _share(name: str, levels: int) -> int:
    """Where a slider is on a cycle of N, by the fraction that is remembered; at the start to begin with."""
    place, out_of = st.session_state.get(f"{name}-origin", (0, 1))
    return int(place * levels // out_of)


def settle_phase(name: str, levels: int) -> int:
    """Where a slider is: where the address says, or beyond the end of the cycle where its fraction of that is."""
    place, asked = _share(name, levels), st.query_params.get(name, "0")
    if asked.isdecimal() and len(asked) <= len(str(levels)) and int(asked) < levels:
        place = int(asked)
    elif state.page_is_new():  # an entry of the history, as it may be later, Back would not get past if put right
        tell(name, place)
    if place != _share(name, levels):  # as a link says, or the browser's Back
        keep_origin(name, place, levels)
    return place


def put(name: str, place: int, levels: int) -> None:
    """Put a slider somewhere."""
    keep_origin(name, place, levels)
    tell(name, place)


def cyclic_slider(label: str, name: str, levels: int, help_: str) -> int:
    """A slider over 0..N-1 that keeps its share of N when N changes."""
    st.session_state[name] = settle_phase(name, levels)

    def moved() -> None:
        put(name, st.session_state[name], levels)

    return int(st.slider(label, 0, levels - 1, key=name, help=help_, on_change=moved))


def step_index(levels: int, change: int) -> None:
    put("j", (st.session_state["j"] + change) % levels, levels)


def choose_index(levels: int) -> int:
    """The slider of the sample index, and buttons that step it around the cycle."""
    index = cyclic_slider("Sample index j", "j", levels, "Which of the N samples; j + 1 moves every split up by one.")
    with st.container(horizontal=True, gap="xsmall"):
        for change, label in ((-1, "j − 1"), (1, "j + 1")):
            st.button(label, key=f"step{change:+}", type="tertiary", on_click=step_index, args=(levels, change))
    return index


def choose_levels(block_size: int | None = 1, key: str = "lam", first: float = 0.25) -> int:
    """The slider of the noise, and what it means for splits over sums of so many values; nothing for None.

    key: what the address calls it. first: the noise to begin with, at which the section has something to show.
    """
    lam = st.slider(
        "Noise λ",
        0.02,
        6.06,
        first,
        0.01,
        key=key,
        bind="query-params",
        on_change=keep_phases,
        args=(key,),
        help="Splits repeat every 2λ on the [0, 1] scale, that is every N grey levels.",
    )
    controls.offer(LAMBDA_PRESETS, "lam", set_lambda, key)
    levels = levels_from_lambda(lam)
    shown = (
        f"λ = N/510 = **{lambda_from_levels(levels):.4f}** · σ = λ/√3 = **{sigma_from_levels(levels):.4f}** · "
        f"N = **{levels:,}** samples. "
    )
    if block_size is None:
        st.markdown(shown)
        return levels
    scale, what = ("grey scale", "pixel") if block_size == 1 else (f"scale from 0 to {block_size * PIXEL_STEPS}", "sum")
    if levels < PIXEL_STEPS * block_size:
        st.markdown(
            shown + f"The splits lie closer together than the {scale} is long: a sample is a **coarser copy** of the "
            f"{what}. From λ = {block_size / 2:g} on, at most one split falls on that scale."
        )
    else:
        st.markdown(
            shown
            + f"At most **one** split falls on the {scale}: a sample says “darker than the split”, “brighter than "
            "the split”, or, with no split, **nothing** (the centre is 1/2)."
        )
    return levels
