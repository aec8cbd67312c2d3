"""About this build: what is installed here, and whether it computes what it should."""

import streamlit as st

from app import controls, resources
from app.charts import checklist
from dssn_core.certificate_file import machine


def page() -> None:
    st.title("About this build", anchor=False)
    st.markdown(
        "DSSN Explorer computes exact L1 robustness certificates with Deterministic Smoothing with Splitting Noise "
        "(Levine & Feizi, [ICML 2021](https://arxiv.org/abs/2103.10834))."
    )
    st.subheader("Self-check", anchor=False)
    st.markdown(
        "Sample values against exact fractions, the radius against trying out, and stored certificates computed again."
    )
    results = resources.self_check()
    failed = [result.what for result in results if not result.passed]
    if failed:
        st.error(f"**This installation does not compute what it should:** {', '.join(failed)}.")
    else:
        st.success(f"**This installation computes what it should**: {len(results)} of {len(results)} checks passed.")
    st.html(checklist([(result.passed, result.what, result.text) for result in results]))
    st.button("Check again", on_click=resources.self_check.clear, icon=":material/refresh:")
    st.subheader("Networks", anchor=False)
    manifests = resources.manifests().values()
    st.dataframe(
        {
            "name": [manifest.name for manifest in manifests],
            "trained for": [manifest.noise for manifest in manifests],
            "split together": [
                controls.block_name(manifest.block) if manifest.noise == "dssn" else "–" for manifest in manifests
            ],
            "σ": ["{:g} to {:g}".format(*manifest.sigma_range) for manifest in manifests],
            "training images seen": [f"{manifest.images_seen:,}" for manifest in manifests],
            "number format": [manifest.precision for manifest in manifests],
            "SHA-256 of the weights": [manifest.weights_sha256 for manifest in manifests],
        },
        hide_index=True,
    )
    st.subheader("Software and machine", anchor=False)
    about = {"streamlit": st.__version__, **machine()}
    st.dataframe({"what": list(about), "version": list(about.values())}, hide_index=True)


page()
