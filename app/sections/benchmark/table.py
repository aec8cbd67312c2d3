"""The table: our best beside the paper's best."""

from collections.abc import Sequence

import streamlit as st

from app import exports, installed
from app.benchmark_curves import unchosen
from app.collection import Collection
from app.glossary import COUNTED_BY
from app.sections.benchmark.shared import table_height, tell_counting, tell_sampling
from dssn_core.records import Part


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
        "paper_sigma": "paper's σ",
        "paper_training": "paper's training",
        "ours_kept": "ours kept, %",
        "paper_kept": "paper kept, %",
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
        "images that it is reported on. We choose σ, and among a method's networks the one to use at this ρ "
        "(“chosen: yes”, the first rows), on other images. Difference in percentage points. "
        "Kept: of the images answered right at this σ, those certified at ρ. Images: how many were "
        "evaluated; the interval shows the uncertainty that this leaves. The paper trains each network for its σ in "
        "two ways, standard and for stability."
    )
    tell_counting(measured, part)
    tell_sampling(measured, collection, part)
    exports.files("table", rows, {})
