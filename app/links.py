"""Links from page to page hold only the parameters that differ from what their page would show anyway.

Streamlit would take the rest out of the address again, and the browser's Back would have to pass every one of those.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app import state
from app.collection import Collection
from app.gallery import SOURCES
from app.glossary import COUNTED_BY

VIEWS = Path(__file__).parent / "views"
"""Where the pages are, which links name by their files."""


def needed(parameters: Mapping[str, str], unsaid: Mapping[str, str], chosen: Mapping[str, str]) -> dict[str, str]:
    """The parameters that a link has to hold.

    unsaid: what the page shows where neither the address nor an earlier choice says anything. chosen: those choices.
    """
    return {
        name: value
        for name, value in parameters.items()
        if value != unsaid.get(name) or chosen.get(name, value) != value
    }


def chosen_before(collection: Collection) -> dict[str, str]:
    """What was chosen, on whatever page, of pictures, network, noise and counting, as an address says it."""
    names: dict[str, Callable[[Any], str]] = {
        "data": str,
        collection.network_key: str,
        collection.sigma_key: "{:g}".format,
        "source": SOURCES.__getitem__,
        "counting": COUNTED_BY.__getitem__,
    }
    kept = {name: state.chosen(name) for name in names}
    shown = {name: names[name](value) for name, value in kept.items() if value is not None}
    if picture := state.chosen(f"{state.PICTURE}-{collection.task}"):
        shown["picture"] = picture
    return shown
