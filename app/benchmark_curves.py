"""The curves of the Benchmark page, made of kept records: one network at one noise, and the best of several."""

from collections.abc import Container, Sequence

from app import installed
from app.benchmark_charts import Curve
from app.collection import Collection
from dssn_core.accuracy import CURVE_RHOS
from dssn_core.comparison import METHODS
from dssn_core.constants import DSSN, sigma_from_levels
from dssn_core.records import Part
from dssn_core.standings import Side


def sigma_of(levels: int) -> str:
    return f"{sigma_from_levels(levels):.2f}"


def unchosen(models: Sequence[str], part: Part) -> list[str]:
    """Those of which no σ can be chosen, for want of records of held-out images."""
    return [name for name in models if not installed.chosen_of([name], (0.0,), part)]


def curves_of(name: str, wanted: Container[int], part: Part, alone: bool, dash: str) -> list[Curve]:
    """A thin curve for each wanted N of a network.

    alone: whether no other network is shown, so that a curve's label need not tell which one it is of.
    """
    short = "σ" if alone else name.rsplit("-", 1)[-1]
    method = installed.manifest_of(name).noise
    return [
        Curve(
            f"{name}, σ = {sigma_of(levels)}",
            method,
            CURVE_RHOS,
            shares,
            [(name, levels)] * len(CURVE_RHOS),
            label=f"{short} {sigma_of(levels)}",
            dash=dash,
        )
        for levels, shares in installed.certified_curves(name, CURVE_RHOS, part).items()
        if levels in wanted
    ]


def best_curves(models: Sequence[str], part: Part) -> list[Curve]:
    """A thick curve for each method: network and N chosen at every rho on held-out images, reported on test images."""
    curves = []
    for method, names in installed.by_method(models).items():
        found = installed.chosen_of(names, CURVE_RHOS, part)
        if found:
            of = f"{names[0]}, σ" if len(names) == 1 else f"ours: {METHODS[method]}, network and σ"
            notes = [f"{at.network} at σ = {sigma_of(at.levels)}" for at in found]
            shares, keys = [at.certified for at in found], [(at.network, at.levels) for at in found]
            curves.append(Curve(f"{of} chosen", method, [at.rho for at in found], shares, keys, best=True, notes=notes))
    return curves


def sides(models: Sequence[str], collection: Collection, part: Part) -> dict[Side, list[float]]:
    """At which rho the chosen of our networks for DSSN are on which side of the paper's best one."""
    rows = installed.standing_rows(models, collection.task, collection.rhos, part)
    chosen = [row for row in rows if row["best_on_held_out"] and installed.manifest_of(row["network"]).noise == DSSN]
    return {side: [row["rho"] for row in chosen if row["side"] == side] for side in Side}
