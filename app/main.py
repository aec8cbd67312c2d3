"""DSSN Explorer: page configuration and navigation. Start it with `streamlit run app/main.py`."""

import sys
from pathlib import Path

import streamlit as st

ROOT = str(Path(__file__).parents[1])
if ROOT not in sys.path:  # `streamlit run`, other than `python -m streamlit run`, does not look for packages there
    sys.path.append(ROOT)

from app import garbage, state  # noqa: E402
from app.links import VIEWS  # noqa: E402

st.set_page_config(page_title="DSSN Explorer", page_icon="🛡️", layout="wide")
st.html(
    "<style>.stMainBlockContainer {padding-top: 3.5rem}"
    # Buttons without a frame are not to be taken for text, nor for the ticks of a slider.
    ' [data-testid="stBaseButton-tertiary"] p {text-decoration: underline dotted; text-underline-offset: 3px}</style>'
)
certify = st.Page(VIEWS / "certify.py", title="Certify", icon=":material/verified:", url_path="start", default=True)
lesson = st.Page(VIEWS / "lesson.py", title="Lesson", icon=":material/school:")


def to_certify() -> None:
    """The first page has the bare address; who guesses `/certify`, as all others have theirs, is to get there too."""
    st.switch_page(certify, query_params=st.query_params.to_dict())


page = st.navigation(
    [
        certify,
        st.Page(to_certify, title="Certify", url_path="certify", visibility="hidden"),
        st.Page(VIEWS / "compare.py", title="Compare", icon=":material/balance:"),
        st.Page(VIEWS / "check.py", title="Check a certificate", icon=":material/fact_check:"),
        st.Page(VIEWS / "benchmark.py", title="Benchmark", icon=":material/leaderboard:"),
        lesson,
        st.Page(VIEWS / "split_and_centre.py", title="Split & centre", icon=":material/straighten:"),
        st.Page(VIEWS / "why_it_certifies.py", title="Why it certifies", icon=":material/lightbulb:"),
        st.Page(VIEWS / "about.py", title="About this build", icon=":material/info:"),
    ],
    position="top",
)
state.open_page(page.url_path)
if st.session_state["came-from"] == lesson.url_path:
    step = st.session_state.get("lesson-step", 1)
    st.page_link(lesson, label=f"Back to the lesson, step {step}", icon=lesson.icon, query_params={"step": str(step)})
garbage.tidied()
page.run()
