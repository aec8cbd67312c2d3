"""About this build: what is installed here, and whether it computes what it should."""

import streamlit as st

from app import checking, controls, installed
from app.charts import checklist
from app.glossary import NETWORKS
from dssn_core.certificate_file import machine
from dssn_core.comparison import METHODS
from dssn_core.constants import DSSN
from dssn_core.findings import Finding


def self_check() -> None:
    """The checks one after the other, each shown when it is done: all of them may take a minute."""
    st.subheader("Self-check", anchor=False)
    st.markdown(
        "Sample values against exact fractions, the radius against brute force, and one stored certificate of each "
        "network recomputed."
    )
    verdict, listed = st.empty(), st.empty()
    known = checking.self_checks()
    results: list[Finding] = []
    installation = checking.installation()
    for what, check in known:
        verdict.progress(len(results) / len(known), f"Checking this installation: {what} …")
        results.append(checking.checked(what, installation, check))
        listed.html(checklist(results))
    failed = [result.what for result in results if result.at_fault]
    rounded = sum(result.rounding for result in results)
    if failed:
        verdict.error(f"**This installation does not compute what it should:** {', '.join(failed)}.")
    elif rounded:
        verdict.warning(
            f"**This installation computes what it should, except for rounding.** In {rounded} of {len(known)} checks, "
            "marked ≈, a few samples that are nearly tied between two classes vote differently here than where the "
            "certificate was made. Different kinds of processor round the last digits differently, so a certificate "
            "is about the network as one kind computes it."
        )
    else:
        verdict.success(f"**This installation computes what it should**: {len(known)} of {len(known)} checks passed.")
    st.button("Check again", on_click=checking.checked.clear, icon=":material/refresh:")


def networks() -> None:
    st.subheader("Networks", anchor=False)
    manifests = installed.manifests().values()
    st.dataframe(
        {
            "name": [manifest.name for manifest in manifests],
            "what it is": [NETWORKS.get(manifest.name, "") for manifest in manifests],
            "trained for": [
                METHODS[manifest.noise] if manifest.images_seen else "no noise: as pretrained" for manifest in manifests
            ],
            "σ": ["{:g} to {:g}".format(*manifest.sigma_range) for manifest in manifests],
            "images seen": [f"{manifest.images_seen:,}" for manifest in manifests],
            "split together": [
                controls.block_name(manifest.block) if manifest.noise == DSSN else "–" for manifest in manifests
            ],
            "format": [manifest.precision for manifest in manifests],
            "weights' SHA-256": [manifest.weights_sha256 for manifest in manifests],
        },
        hide_index=True,
        column_config={
            "images seen": st.column_config.Column(help="In training, with repeats"),
            "split together": st.column_config.Column(help="What one split of DSSN is laid over"),
            "format": st.column_config.Column(help="Of the numbers in its convolutions"),
            "weights' SHA-256": st.column_config.Column(width=90, help="A double click shows all of it"),
        },
    )


def software() -> None:
    st.subheader("Software and machine", anchor=False)
    about = {"streamlit": st.__version__, **machine()}
    st.dataframe({"what": list(about), "version": list(about.values())}, hide_index=True)


st.title("About this build", anchor=False)
st.markdown(
    "DSSN Explorer computes exact L1 robustness certificates with Deterministic Smoothing with Splitting Noise "
    "(Levine & Feizi, [ICML 2021](https://arxiv.org/abs/2103.10834))."
)
above = st.container()
networks()
software()
with above:  # last, so that nobody waits for it to see the rest
    self_check()
