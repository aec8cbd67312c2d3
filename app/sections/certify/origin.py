"""Where a vote was counted: here, or where the network came from."""

import streamlit as st

from app import votes
from app.runs import VoteRun


def tell_origin(run: VoteRun) -> None:
    """Where a vote came with the network: say so, and offer to count it here; afterwards, whether that agrees."""
    if run.made is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"This vote came with the network, counted in {run.seconds:.1f} s with torch {run.made.get('torch')} "
                f"on {run.made.get('processor')}. It certifies the classifier as computed there: here nearly tied "
                "samples may vote differently, also when its file is checked.",
                width="content",
            )
            st.button(
                "Count it here",
                icon=":material/refresh:",
                key="count-here",
                type="tertiary",
                on_click=votes.count_here,
                args=(run,),
            )
        return
    kept = votes.stored_beside(run)
    if kept is None or kept.made is None:
        return
    differing = int((kept.labels != run.labels).sum())
    if not differing:
        st.caption(
            f"Counted here in {run.seconds:.1f} s: all {run.total:,} votes are those that came with the network."
        )
    else:
        st.caption(
            f"Counted here in {run.seconds:.1f} s: {differing:,} of {run.total:,} votes differ from those that came "
            f"with the network, counted on {kept.made.get('processor')}. Other kinds of machine round differently, "
            "which flips nearly tied samples. The certificate shown was counted here."
        )
