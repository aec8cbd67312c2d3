"""What the address keeps, so that a copied link reopens the same view, and what outlives a change of page."""

import math
import re
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import streamlit as st
from streamlit.errors import StreamlitAPIException

from app.pictures import tame

PICTURE, DIGEST = "picture", "sha256"
T = TypeVar("T")


def open_page(path: str) -> None:
    """At a change of page what its address says counts, not what a widget of that name held on another page."""
    before = st.session_state.get("open-page")
    is_new = before != path
    if is_new:
        _drop_what_says_nothing()
        for key in st.query_params:  # first: it may say anything, these names too
            with suppress(StreamlitAPIException):  # of a name that no state can have
                st.session_state.pop(key, None)
        st.session_state["shown-here"], st.session_state["came-from"] = {}, before
        _choose_again()
        st.session_state["carried-over"] = {}
    st.session_state["page-is-new"], st.session_state["open-page"] = is_new, path


def _drop_what_says_nothing() -> None:
    """Take out of the address what some widgets take for no choice at all, or fail at: empty, and infinite values."""
    unusable = [key for key in st.query_params if any(map(_says_nothing, st.query_params.get_all(key)))]
    for key in unusable:
        del st.query_params[key]
    if unusable:
        st.rerun()  # widgets go by the address that a run began with


def _says_nothing(value: str) -> bool:
    with suppress(ValueError):
        return math.isinf(float(value))
    return not value


def page_is_new() -> bool:
    """Whether this run is the first of the page since it was opened."""
    return bool(st.session_state["page-is-new"])


def first_shown(what: str, kind: str = "") -> bool:
    """Whether a page shows something, or another kind of it, for the first time since it was opened.

    Then what was chosen on an earlier page counts. Later an address without a choice is what the browser's Back leads
    to: the page as it is to begin with.
    """
    shown: dict[str, str] = st.session_state["shown-here"]
    known, shown[what] = shown.get(what), kind
    return known != kind


def chosen_picture(known: Container[str], default: str, kind: str) -> str:
    """The picture named in the address, or else the one chosen before; the default if that is none or unknown.

    kind: of picture; a choice is kept for each. One in the address that is unknown is told, and taken out.
    """
    named = st.query_params.get(PICTURE)
    if named and named not in known:
        st.warning(f"The picture of this link is not available here: {tame(named)}. Another one is shown.")
        del st.query_params[PICTURE]
        named = None
    name = f"{PICTURE}-{kind}"
    first = first_shown(PICTURE, kind)
    key = named or (chosen(name, default) if first else default)
    key = key if key in known else default
    if first and not named:
        _note_carried_over(name, key)
    elif key == default:
        _give_up(name, default)
    set_chosen(name, key)
    if key != default:
        st.query_params[PICTURE] = key
    return key


def choose_picture(key: str, kind: str) -> None:
    set_chosen(f"{PICTURE}-{kind}", key)
    st.query_params[PICTURE] = key


def change_kind() -> None:
    """What the address names is of another kind than the pictures to come: of those the one chosen before counts."""
    st.query_params.pop(PICTURE, None)


def wanted_picture() -> str | None:
    """SHA-256 of the picture that the address speaks of, if it speaks of one."""
    digest = st.query_params.get(DIGEST, "")
    return digest if re.fullmatch("[0-9a-f]{64}", digest) else None


def want_picture(digest: str) -> None:
    st.query_params[DIGEST] = digest


def want_no_picture() -> None:
    st.query_params.pop(DIGEST, None)


def chosen(key: str, default: Any = None) -> Any:
    """What was chosen with a widget, by its key, on whatever page; the default if nothing was."""
    return st.session_state.get(_kept(key), default)


def set_chosen(key: str, value: object) -> None:
    """What is chosen from now on, where no address says anything else."""
    st.session_state[_kept(key)] = value


def _forget(key: str) -> None:
    st.session_state.pop(_kept(key), None)


def _note_carried_over(key: str, value: object) -> None:
    """Note that this page was opened with a choice of an earlier one, for `_give_up`."""
    st.session_state["carried-over"][key] = value


def _give_up(key: str, instead: object = None) -> None:
    """Back led to an entry of the history without this choice: it is forgotten, or the one `instead` will be made.

    But a choice that was carried over when the page was opened was no step of its user, who has to pass through its
    entry on the way back: `_choose_again` makes it again when the next page is opened.
    """
    if key in st.session_state["carried-over"] and chosen(key) == st.session_state["carried-over"][key]:
        st.session_state.setdefault("given-up", {})[key] = chosen(key), instead
    _forget(key)


def _choose_again() -> None:
    """What was given up on the way back, and not chosen differently since."""
    for key, (value, instead) in st.session_state.pop("given-up", {}).items():
        if chosen(key) == instead:
            set_chosen(key, value)


def _kept(key: str) -> str:
    return f"kept-{key}"


def keep(key: str) -> None:
    """A widget's callback: what it is set to is chosen."""
    set_chosen(key, st.session_state[key])


def remembered(
    draw: Callable[..., T],
    key: str,
    default: T,
    fit: Callable[[T], T] = lambda value: value,
    show: Callable[[T], str] = str,
    changed: Callable[[str], None] = keep,
) -> T:
    """The value of a widget whose choice the address keeps, and that outlives a change of page.

    draw: makes the widget, given the options that bind it. fit: a choice as near as the widget can show it; what does
    not fit here, as with another network, is kept and comes back where it does. show: what the widget, and so the
    address, calls a value. changed: the widget's callback, given the key; it is to call `keep`.
    """
    asked = st.query_params.get(key) if key not in st.session_state else None
    given = _recall(key, default, fit, show)
    value = draw(key=key, bind="query-params", on_change=changed, args=(key,))
    if asked is not None and not _same(asked, show(value)):
        st.caption(f"The link asks for {key} = {tame(asked)}, which is not available here: {show(value)} is shown.")
    _settle(key, value, given)
    return value


def _same(asked: str, shown: str) -> bool:
    with suppress(ValueError):
        return float(asked) == float(shown)
    return asked == shown


def _recall(key: str, default: T, fit: Callable[[T], T], show: Callable[[T], str]) -> T | None:
    """Before the widget: give it what was chosen, and return that; None if the address decides, which comes first."""
    if key not in st.session_state and key in st.query_params:
        _forget(key)
        return None
    wanted = fit(chosen(key, default))
    st.session_state[key] = wanted
    if page_is_new() and wanted != default and key not in st.query_params:
        _note_carried_over(key, chosen(key))
        put_into_address({key: show(wanted)})
    return wanted


def put_into_address(shown: Mapping[str, str]) -> None:
    """Before the widgets of these keys: have the address say what they show.

    Streamlit does it for a widget that it has seen, but not for one whose value came with a link, or a click.
    """
    with suppress(StreamlitAPIException):  # of a widget that it still knows, for which it does that itself
        st.query_params.update(shown)


def take_out_of_address(key: str) -> None:
    """What an address says of a widget that is not shown, before it ever is."""
    with suppress(StreamlitAPIException):  # of a widget that it has seen, as above
        st.query_params.pop(key, None)


def _settle(key: str, value: T, wanted: T | None) -> None:
    """After the widget: a value that came with the address becomes the choice.

    Where the widget shows something else than `_recall` gave it, its user went Back or Forward and Streamlit followed
    the address, which then counts. Except in a page's first run, where a bare address only means that Streamlit emptied
    it when the page was left: there the choice that was kept is to be shown.
    """
    if wanted is not None and value != wanted and st.session_state["page-is-new"]:
        st.rerun()  # as what it is not, an ordinary run: then it shows what is wanted
    if value == wanted:
        return
    if key in st.query_params:
        set_chosen(key, value)
    else:  # the page as it is to begin with: nothing is chosen
        _give_up(key)


def choose(values: Mapping[str, tuple[object, str]]) -> None:
    """In another widget's callback: set widgets by their keys, as their user would, each to a value.

    With each its name in the address, where all of them come at once: one step for the browser's Back.
    """
    for key, (value, _) in values.items():
        st.session_state[key] = value
        set_chosen(key, value)
    put_into_address({key: shown for key, (_, shown) in values.items()})
