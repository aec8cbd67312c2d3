"""What the folders of the installed networks hold, and what follows from it. What is read is kept until it changes."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from app.collection import Collection
from dssn_core import list_models
from dssn_core.accuracy import Gain, Share, certified_curve, gains
from dssn_core.checkpoints import WEIGHTS, find_model, read_manifest
from dssn_core.constants import DSSN
from dssn_core.manifest import MANIFEST, CheckpointError, Manifest
from dssn_core.paper import published
from dssn_core.record_files import SHELVES
from dssn_core.records import WHOLE, Part, Record, by_levels
from dssn_core.standings import Chosen, Evaluated, chosen, standings
from dssn_core.tasks import TASKS


def manifests() -> dict[str, Manifest]:
    """Of all installed models that can be read, by the names of their folders."""
    found = {}
    for name in list_models():
        with suppress(CheckpointError):  # the self-check says what is wrong with it
            found[name] = manifest_of(name)
    return found


def networks_of(collection: Collection) -> list[str]:
    """Names of the installed networks for DSSN that know the collection's classes; its own first."""
    wanted = (TASKS[collection.task].class_names(), DSSN)
    found = [name for name, manifest in manifests().items() if (manifest.class_names, manifest.noise) == wanted]
    return sorted(found, key=lambda name: name != collection.model)


Stamp = tuple[int, ...]
P = ParamSpec("P")
T = TypeVar("T")


NETWORK_FILES = (MANIFEST, WEIGHTS)
"""The files of a model that say how it votes; `evaluate --record` rewrites the manifest all the same."""
RECORDS = (*NETWORK_FILES, *(shelf.file for shelf in SHELVES))


def stamp_of(name: str, files: tuple[str, ...]) -> Stamp:
    """Changes when one of these files of a model is written."""
    paths = [find_model(name) / file for file in files]
    return tuple(path.stat().st_mtime_ns for path in paths if path.exists())


def stamped(
    *files: str,
) -> Callable[[Callable[Concatenate[Stamp, str, P], T]], Callable[Concatenate[str, P], T]]:
    """Decorates a cached function of a model: its results are forgotten when one of these files changes."""

    def forgetful(cached: Callable[Concatenate[Stamp, str, P], T]) -> Callable[Concatenate[str, P], T]:
        @wraps(cached)
        def of_model(name: str, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return cached(stamp_of(name, files), name, *args, **kwargs)

        return of_model

    return forgetful


@stamped(MANIFEST)
@st.cache_resource(max_entries=16, show_spinner=False)
def manifest_of(stamp: Stamp, name: str) -> Manifest:
    return read_manifest(find_model(name))


@stamped(*RECORDS)
@st.cache_resource(max_entries=32, show_spinner="Reading the records …")
def evaluated(stamp: Stamp, name: str, part: Part) -> Evaluated:
    """A model's kept records of the test images of a part, and of held-out training images."""
    if part == WHOLE:
        return Evaluated.read(find_model(name))
    whole = evaluated(name, WHOLE)
    return replace(whole, test=part.of(whole.test))


@stamped(*RECORDS)
@st.cache_resource(max_entries=32, show_spinner="Counting …")
def certified_curves(stamp: Stamp, name: str, rhos: tuple[float, ...], part: Part) -> dict[int, list[Share]]:
    """Of one model, on test images: a curve for every N."""
    return {levels: certified_curve(group, rhos) for levels, group in by_levels(evaluated(name, part).test).items()}


def by_method(names: Iterable[str]) -> dict[str, list[str]]:
    """The models that are trained for each method; there is no choice between those of different ones."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(manifest_of(name).noise, []).append(name)
    return groups


def chosen_of(names: Iterable[str], rhos: tuple[float, ...], part: Part) -> list[Chosen]:
    """Of some models: for each of their methods the one to use at every rho, and its N."""
    stamps = {name: stamp_of(name, RECORDS) for name in names}
    groups = by_method(stamps).values()
    return [at for of in groups for at in _chosen_of(tuple(of), rhos, part, tuple(stamps[name] for name in of))]


@st.cache_resource(max_entries=64, show_spinner="Counting …")  # of every network alone, too, to see what has a choice
def _chosen_of(names: tuple[str, ...], rhos: tuple[float, ...], part: Part, stamps: tuple[Stamp, ...]) -> list[Chosen]:
    return chosen([evaluated(name, part) for name in names], rhos)


def standing_rows(names: Iterable[str], task: str, rhos: tuple[float, ...], part: Part) -> list[dict[str, Any]]:
    """Rows of a table: of each model at every rho the noise to use, beside the paper; first those of `chosen_of`."""
    best, rows = set(), []
    for method, group in by_method(names).items():
        best |= {(at.network, at.rho) for at in chosen_of(group, rhos, part)}
        rows += [row for name in group for row in _standing_rows(name, method, task, rhos, part)]
    rows = [{**row, "best_on_held_out": (row["network"], row["rho"]) in best} for row in rows]
    return sorted(rows, key=lambda row: (0, row["rho"]) if row["best_on_held_out"] else (1, 0))


@stamped(*RECORDS)
@st.cache_resource(max_entries=64, show_spinner="Counting …")
def _standing_rows(
    stamp: Stamp, name: str, method: str, task: str, rhos: tuple[float, ...], part: Part
) -> list[dict[str, Any]]:
    rivals = [row for row in published(task) if row.method == method]
    return [standing.row() for standing in standings([evaluated(name, part)], rivals, rhos)]


def gains_over_uniform(name: str, records: Sequence[Record], levels: int) -> dict[int, Gain]:
    """Of a network for DSSN, by data set index, where there are records of additive uniform noise at the same N."""
    if manifest_of(name).noise != DSSN:
        return {}
    rivals = by_method(models_with_records()[0]).get("uniform", [])
    found = [record for rival in rivals for record in by_levels(evaluated(rival, WHOLE).test).get(levels, [])]
    return gains(records, found)


def models_with_records() -> tuple[list[str], list[str]]:
    """Names of the models that have records, and of those whose records cannot be read."""
    found, damaged = [], []
    for name in manifests():
        try:
            found += [name] if evaluated(name, WHOLE).test else []
        except (ValueError, OSError):
            damaged.append(name)
    return found, damaged
