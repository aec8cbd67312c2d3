"""Choosing a picture, the same way on every page: a gallery of built-in ones, or one's own.

The choice outlives a change of page, and its address reopens it. A picture of one's own cannot live in an address: the
address keeps its SHA-256, and the page asks for the file again and compares.
"""

from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from app import pictures, resources, state
from app.resources import Collection
from dssn_core.images import ImageError, image_sha256
from dssn_core.networks import Classifier

SAMPLE, OWN = "sample", "own"
SOURCES = {SAMPLE: "A sample picture", OWN: "My own picture"}


@dataclass(frozen=True)
class Chosen:
    """A picture at the model's input size, torch.uint8 (C, H, W); its true class, where that is known; its name."""

    image: Tensor
    truth: int | None
    name: str


def choose(model: Classifier, collection: Collection) -> Chosen | None:
    """Show the choice; returns the chosen picture, or None while there is none that can be used."""
    if "source" not in st.session_state and "source" not in st.query_params:
        # The widget's default stays the same, or the address would lose a value that has become the default.
        linked = OWN if state.wanted_picture() else SAMPLE
        st.session_state["source"] = st.session_state.get("kept-source", linked)
    source = st.segmented_control(
        "Picture",
        list(SOURCES),
        default=SAMPLE,
        format_func=SOURCES.__getitem__,
        required=True,
        key="source",
        bind="query-params",
        label_visibility="collapsed",
    )
    st.session_state["kept-source"] = source
    return _own(model) if source == OWN else _sample(model, collection)


def choose_folded(model: Classifier, collection: Collection) -> Chosen | None:
    """`choose` in a fold that is open where there is something to do in it."""
    with st.expander("Choose a picture", expanded=st.session_state.get("kept-source") == OWN):
        return choose(model, collection)


def _sample(model: Classifier, collection: Collection) -> Chosen:
    samples = resources.samples(collection.samples, model.input_shape[1:])
    others = resources.test_keys() if model.class_names == resources.CLASS_NAMES else {}
    chosen = state.chosen_picture([*samples, *others], collection.first)
    st.html(_style({key: image for key, (_, image) in samples.items()}, chosen))
    with st.container(horizontal=True, key="gallery", gap="small"):
        for key, (sample, _) in samples.items():
            label = f"{model.class_names[sample.label]}, sample {key[-2:]}{', chosen' * (key == chosen)}"
            st.button(label, key=f"pick-{key}", help=label, on_click=state.choose_picture, args=(key,))
    if chosen not in samples:
        return _test_picture(model, others[chosen])
    sample, image = samples[chosen]
    return Chosen(image, sample.label, f"true class: {model.class_names[sample.label]}")


def _test_picture(model: Classifier, index: int) -> Chosen:
    data = resources.test_images()
    assert data is not None
    label = int(data.labels[index])
    return Chosen(data.images[index], label, f"test image {index}, true class: {model.class_names[label]}")


def _style(images: dict[str, Tensor], chosen: str) -> str:
    """Turns the buttons, whose texts stay there for screen readers, into thumbnails."""
    rules = [
        ".st-key-gallery button {width: 56px; height: 56px; min-height: 0; padding: 0; font-size: 0;"
        " background-size: cover; image-rendering: pixelated}",
        ".st-key-gallery button * {font-size: 0}",
        f".st-key-pick-{chosen} button {{outline: 3px solid #f28e2b; outline-offset: 1px}}",
    ]
    rules += [
        f'.st-key-pick-{key} button {{background-image: url("{pictures.thumbnail_url(image)}")}}'
        for key, image in images.items()
    ]
    return f"<style>{' '.join(rules)}</style>"


def _own(model: Classifier) -> Chosen | None:
    size = model.input_shape[1:]
    linked = st.session_state.setdefault("linked-picture", state.wanted_picture())
    upload = st.file_uploader(
        "PNG, JPEG, WebP or BMP, up to 20 MB", type=["png", "jpg", "jpeg", "webp", "bmp"], key="upload"
    )
    if upload is not None:
        st.session_state["own"] = pictures.tame(upload.name), upload.getvalue()
    if "own" not in st.session_state:
        if linked:
            st.info("This link is about a picture of somebody's own. Choose the same file to see the same view.")
        else:
            st.info("Choose a picture. It stays on the machine that runs this page.", icon=":material/upload:")
        return None
    name, data = st.session_state["own"]
    try:
        image = _cropped(data, size)
    except ImageError as error:
        st.error(f"{name} cannot be used: {error}", icon=":material/broken_image:")
        del st.session_state["own"]
        return None
    if upload is None:
        st.caption(f"Still here: {name}")
    _compare(image_sha256(image))
    return Chosen(image, None, name)


def _cropped(data: bytes, size: tuple[int, int]) -> Tensor:
    """Show which part of an upload is cut out; returns it at `size` = (H, W). ImageError if it cannot be used."""
    width, height = resources.picture_size(data)
    position = 50
    if width != height:
        position = st.slider(
            "Position of the crop, in percent of the longer side", 0, 100, 50, key="crop", bind="query-params"
        )
    image, preview = resources.cropped(data, size, position / 100)
    st.image(
        preview,
        caption=f"{width} × {height}; the bright part is cut out and resized to {size[1]} × {size[0]}",
        output_format="PNG",
        alt="the uploaded picture with the part that is cut out",
    )
    return image


def _compare(digest: str) -> None:
    """Tell whether the picture is the one that the page was opened for; keep it in the address."""
    linked = st.session_state["linked-picture"]
    if linked and linked != digest:
        st.warning(
            f"This is not the picture of the link: the SHA-256 of its pixels is {digest[:16]}…, the link says "
            f"{linked[:16]}…. Another file, or another crop?"
        )
        st.button("Go on with this picture", on_click=state.set_value, args=("linked-picture", None), key="take-own")
        return
    st.session_state["linked-picture"] = None
    state.want_picture(digest)
    st.caption(f"SHA-256 of the pixels: `{digest[:16]}…`")
