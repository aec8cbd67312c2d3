"""Check somebody's certificate file: everything it claims, computed again."""

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from app import checking, gallery, pictures
from app.charts import checklist
from app.glossary import COUNTED_BY
from dssn_core.certificate_file import Document, embedded_image, parse, stated_counting
from dssn_core.constants import sigma_from_levels
from dssn_core.findings import Finding, Verdict, verdict
from dssn_core.images import SUFFIXES, read_image
from dssn_core.wording import counted

# Buttons for those who have no file: label, the file, and what it is.
EXAMPLES = {
    "example": ("Check an example", checking.example, "the file that comes with the small network"),
    "forgery": (
        "Check a forgery",
        checking.forgery,
        "the file that comes with the small network, forged: every vote given to the winner, and radius, counts and "
        "digest made to match. Only counting again exposes it",
    ),
}


TELL = {
    Verdict.HOLDS: st.success,
    Verdict.EDITED: st.warning,
    Verdict.ROUNDING: st.warning,
    Verdict.DIFFERS: st.error,
}
COUNTING = "Counting the votes again …"


def choose() -> Document | None:
    """The file to check; it is kept over a change of page."""
    uploader = f"certificate-{st.session_state.setdefault('uploaders', 0)}"
    chosen = st.file_uploader("A certificate file", type=["json"], key=uploader, on_change=forget)
    with st.container(horizontal=True):
        for key, (label, _, about) in EXAMPLES.items():
            st.button(label, key=key, help=about, on_click=take, args=(key,))
    if chosen is not None:
        st.session_state["checked-file"] = pictures.tame(chosen.name), parse(chosen.getvalue())
    elif "checked-example" in st.session_state:
        _, document_of, about = EXAMPLES[st.session_state.pop("checked-example")]
        st.session_state["checked-file"] = about, document_of()
    if "checked-file" in st.session_state:
        name, document = st.session_state["checked-file"]
        st.caption(f"Checking: {name}")
        return dict(document)
    st.info(
        "Certify a picture and download its certificate, or make one with "
        "`python -m dssn_core certify photo.jpg --output certificate.json`.",
        icon=":material/upload_file:",
    )
    return None


def choose_picture() -> bytes | None:
    """The picture of a file without pixels; it is kept as long as that file."""
    chosen = st.file_uploader("The picture it is about", type=SUFFIXES, key="certified", on_change=forget_picture)
    if chosen is not None:
        st.session_state["checked-picture"] = chosen.getvalue()
    kept: bytes | None = st.session_state.get("checked-picture")
    return kept


def take(example: str) -> None:
    """A button's callback: an example in the place of whatever was uploaded, whose uploader is left with it."""
    forget()
    st.session_state["checked-example"] = example
    st.session_state["uploaders"] += 1


def forget() -> None:
    """Another file was chosen, or the one that was is taken away."""
    st.session_state.pop("checked-file", None)
    forget_picture()


def forget_picture() -> None:
    st.session_state.pop("checked-picture", None)


def show(findings: list[Finding], document: Document) -> None:
    claim, result = document["claim"], verdict(findings)
    agreeing = [finding for finding in findings if finding.agrees]
    differing = [finding for finding in findings if not finding.agrees]
    if result in (Verdict.HOLDS, Verdict.EDITED):
        levels, radius = document["noise"]["levels"], counted(claim["radius_steps"], "grey level")
        TELL[result](  # all of it has been computed again: these words are no longer the file's alone
            f"**{result}** Recomputed: “{claim['class']}”, R = {radius}, ρ = {claim['radius']}, by the "
            f"{COUNTED_BY[stated_counting(document)]} of N = {levels:,} samples (σ = {sigma_from_levels(levels):.2f})."
        )
    else:
        differ = "differs" if len(differing) == 1 else "differ"
        named = "; ".join(finding.what for finding in differing)
        TELL[result](f"**{result}** {len(differing)} of {len(findings)} checks {differ}: {named}.")
    picture = embedded_image(document)
    if picture is not None:
        gallery.show(picture, "the picture in the file")
    if differing:
        st.html(checklist(differing))
    # Beside what differs, figures that agree with one another are no approval.
    with st.expander(f"{counted(len(agreeing), 'check')} agree{'s' * (len(agreeing) == 1)}", expanded=not differing):
        st.html(checklist(agreeing))
    with st.expander("Not checked"):
        st.markdown(
            "How and where the file was made, by its own account. `certify --strict GAP` states a radius, where there "
            "is one, that also holds on any machine whose logits differ from this one's by less than GAP/2."
        )
        st.dataframe({"what": list(document["made"]), "stated": [str(v) for v in document["made"].values()]})


def subject() -> tuple[Document, Tensor | None] | None:
    """The file to check, and the picture where it holds none; None while there is something to choose."""
    document = choose()
    if document is None or document["image"]["png"] is not None:
        return None if document is None else (document, None)
    picture = choose_picture()
    if picture is None:
        st.info(
            "This file holds no pixels. To go on, choose the picture that it is about, as cropped and resized: "
            "“Certify” offers that beside such a file."
        )
        return None
    _, height, width = document["image"]["shape"]
    return document, read_image(picture, (height, width))


def page() -> None:
    st.title("Check a certificate", anchor=False)
    st.markdown(
        "A certificate file says which picture, network and noise it is about, how every sample voted, and what "
        "follows. All of that is **recomputed** here, and every difference named."
    )
    try:
        chosen = subject()
        if chosen is None:
            return
        bar, result = st.empty(), st.empty()  # emptied first: the verdict on another file is not to stay
        findings = findings_of(*chosen, bar)
    except (ValueError, OSError) as error:  # of the file, the picture, or a model here
        st.error("This cannot be checked. The reason:")
        st.text(str(error))  # the file's own words may be in it: no Markdown
        return
    with result.container():
        show(findings, chosen[0])


def findings_of(document: Document, image: Tensor | None, bar: DeltaGenerator) -> list[Finding]:
    """What checking finds; the bar is drawn while it is being found."""
    try:
        return checking.verification(document, image, partial(bar.progress, text=COUNTING))
    finally:
        bar.empty()


page()
