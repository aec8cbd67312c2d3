"""The certificate as a file."""

from functools import partial

import streamlit as st

from app.runs import VoteRun
from dssn_core.certificate_file import dumps
from dssn_core.images import image_sha256, png


def file_name(run: VoteRun) -> str:
    """Of a certificate's file, so that several can be told apart."""
    noise = run.noise
    return f"{run.model_name}-sigma-{noise.sigma:.2f}-{run.counting}-{image_sha256(run.image)[:8]}.json"


def offer_file(run: VoteRun) -> None:
    """The certificate as a file that anybody can check."""
    with st.container(horizontal=True, vertical_alignment="center"):
        embed = st.checkbox("include the picture", value=True, key="embed", width="content")
        st.download_button(
            "Download this certificate",
            lambda: dumps(run.document(embed)),
            file_name(run),
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            help="A file with picture, votes and hashes. “Check a certificate” computes all of it again.",
        )
        if not embed:
            st.download_button(
                "Download the picture as cropped",
                partial(png, run.image),
                "picture.png",
                "image/png",
                icon=":material/image:",
                on_click="ignore",
                help="Whoever checks the certificate needs exactly this picture, cropped and resized.",
            )
