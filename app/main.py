"""DSSN Explorer: page configuration and navigation. Start it with `python -m streamlit run app/main.py`."""

from pathlib import Path

import streamlit as st

from app import state

VIEWS = Path(__file__).parent / "views"

st.set_page_config(page_title="DSSN Explorer", page_icon="🛡️", layout="wide")
st.html("<style>.stMainBlockContainer {padding-top: 3.5rem}</style>")
page = st.navigation(
    [
        st.Page(VIEWS / "certify.py", title="Certify", icon=":material/verified:", default=True),
        st.Page(VIEWS / "compare.py", title="Compare", icon=":material/balance:"),
        st.Page(VIEWS / "check.py", title="Check a certificate", icon=":material/fact_check:"),
        st.Page(VIEWS / "benchmark.py", title="Benchmark", icon=":material/leaderboard:"),
        st.Page(VIEWS / "lesson.py", title="Lesson", icon=":material/school:"),
        st.Page(VIEWS / "split_and_centre.py", title="Split & centre", icon=":material/straighten:"),
        st.Page(VIEWS / "why_it_certifies.py", title="Why it certifies", icon=":material/lightbulb:"),
        st.Page(VIEWS / "about.py", title="About this build", icon=":material/info:"),
    ],
    position="top",
)
state.open_page(page.url_path)
page.run()
