"""What its sections share: how they call each other, and what has to be said beside our figures."""

from collections.abc import Sequence

import streamlit as st

from app import installed
from app.benchmark_curves import sides, sigma_of
from app.collection import Collection
from dssn_core.constants import DSSN, PLURALITY
from dssn_core.paper import published
from dssn_core.records import Part, by_levels
from dssn_core.standings import Side

IMAGES = "Images"

TABLE_ROWS, ROW_HEIGHT = 13, 35  # at most so many rows are seen at once, none of them cut; pixels


def table_height(rows: int) -> int:
    return min(rows + 1, TABLE_ROWS) * ROW_HEIGHT + 3


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


def tell_counting(models: Sequence[str], part: Part) -> None:
    """Of which networks, and at which σ, votes are counted in another way than the paper's."""
    records = {name: [r for r in installed.evaluated(name, part).test if r.counting != PLURALITY] for name in models}
    found = [
        f"{name} at σ = {', '.join(map(sigma_of, by_levels(others)))}" for name, others in records.items() if others
    ]
    if found:
        st.caption(
            f"{'; '.join(found)}: votes are counted by duels, where the paper counts first choices alone. “Why it "
            "certifies”, section “Duels”, shows both."
        )


def tell_sampling(models: Sequence[str], collection: Collection, part: Part) -> None:
    """What our figures of randomized methods rest on, beside the paper's."""
    used = [r.sampling for name in models for r in installed.evaluated(name, part).test if r.sampling]
    if used:
        drawn, alpha = sorted({sampling.n for sampling in used}), max(sampling.alpha for sampling in used)
        theirs = max(row.samples for row in published(collection.task))
        st.caption(
            f"Randomized methods: {' or '.join(f'{n:,}' for n in drawn)} samples per image here, {theirs:,} in the "
            "paper. Fewer samples prove smaller radii, and these radii do not use each rival's votes, as DSSN's do: "
            "the gap to DSSN is larger here than in the paper, and not due to the noise alone. These "
            f"networks are the counterparts of {collection.own[DSSN]}: compare them with its curve, not with a larger "
            f"network's. Each radius may be wrong with a probability of at most α = {alpha:g}."
        )
