"""Choosing a picture, the same way on every page: a gallery of built-in ones, or one's own.

The choice outlives a change of page, and its address reopens it. A picture of one's own cannot live in an address: the
address keeps its SHA-256, and the page asks for the file again and compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st
from torch import Tensor

from app import pictures, sources, state
from app.collection import Collection
from dssn_core.classifier import Classifier
from dssn_core.gallery import BuiltIn
from dssn_core.images import SUFFIXES, ImageError, image_sha256

BUILT_IN, OWN = "built-in", "own"
AT_ONCE = 12
"""Pictures of a folder that are shown at a time."""

PHONE = 640
"""Width of a window, in CSS pixels, up to which Streamlit puts columns below each other."""

MIDDLE = 50
"""Position of a crop, in percent."""

SOURCES = {BUILT_IN: "A built-in picture", OWN: "My own picture"}


@dataclass(frozen=True)
class Picture:
    """A picture at the model's input size, torch.uint8 (C, H, W); its true class, where that is known; its name."""

    image: Tensor
    truth: int | None
    name: str


def choose(model: Classifier, collection: Collection) -> Picture | None:
    """Show the choice; returns the chosen picture, or None while there is none that can be used."""
    if state.wanted_picture() and "source" not in st.session_state and "source" not in st.query_params:
        state.set_chosen("source", state.chosen("source", OWN))
    named = SOURCES.__getitem__
    draw = partial(
        st.segmented_control,
        "Picture",
        list(SOURCES),
        default=BUILT_IN,
        format_func=named,
        required=True,
        label_visibility="collapsed",
    )
    source = state.remembered(draw, "source", BUILT_IN, show=named)
    return _own(model) if source == OWN else _built_in(model, collection)


def choose_folded(model: Classifier, collection: Collection) -> Picture | None:
    """`choose` in a fold that is open where there is something to do in it."""
    with st.expander("Choose a picture", expanded=state.chosen("source") == OWN):
        return choose(model, collection)


def show(image: Tensor, caption: str, width: int = 150, marks: Sequence[pictures.Mark] = (), alt: str = "") -> None:
    """A picture as it is, sharp; without `output_format` Streamlit would send a JPEG. marks: pixels to frame."""
    st.image(pictures.marked(image, marks, 2 * width), caption or None, width, output_format="PNG", alt=alt or caption)


def beside(image: Tensor, text: str) -> None:
    """A text beside the picture that it is about, once on a page."""
    st.html("<style>.st-key-beside {flex-wrap: nowrap}</style>")  # a long text would go below
    with st.container(horizontal=True, vertical_alignment="center", key="beside"):
        show(image, "", 96, alt="the chosen picture")
        st.markdown(text, width="stretch")


def built_in(task: str, size: tuple[int, int]) -> dict[str, tuple[BuiltIn, Tensor]]:
    """`sources.built_in`; none, and a message on the page, if they are missing."""
    try:
        return sources.built_in(task, size)
    except FileNotFoundError as error:
        st.error(f"There is no picture to show: {error}", icon=":material/broken_image:")
        return {}


def _built_in(model: Classifier, collection: Collection) -> Picture | None:
    state.want_no_picture()
    _forget_link()
    state.take_out_of_address("crop")  # of a link that was given up: the next upload is cut anew
    size = model.input_shape[1:]
    known, folder = built_in(collection.task, size), sources.folder()
    others = {} if folder is None else folder.places
    chosen = state.chosen_picture([*known, *others], collection.first, collection.task)
    titles = {key: f"{model.class_names[one.label]}, picture {key[-2:]}" for key, (one, _) in known.items()}
    _buttons("gallery", {key: (titles[key], image) for key, (_, image) in known.items()}, chosen, collection)
    if folder is not None:
        _folder(folder, model, chosen, others.get(chosen, 0), collection)
        if chosen in others:
            return _folder_picture(folder, model, others[chosen])
    elif problem := sources.folder_problem():
        st.warning(problem, icon=":material/folder_off:")
    if chosen not in known:
        return None
    picture, image = known[chosen]
    return Picture(image, picture.label, f"true class: {model.class_names[picture.label]}")


def _folder(folder: sources.Folder, model: Classifier, chosen: str, place: int, collection: Collection) -> None:
    """Buttons for a few pictures of the folder that the environment names, at first from a place on.

    Unlike a picture's key that is no part of a link: it says where one looks, not what is shown.
    """
    names, label = folder.files.names, f"Pictures of {folder.name}, starting at number"
    first = st.number_input(label, 0, len(names) - 1, place, AT_ONCE, key="folder-from")
    shown = {}
    for at in range(int(first), min(int(first) + AT_ONCE, len(names))):
        image = folder.picture(at, model.input_shape[1:])
        if image is not None:
            title = f"{pictures.tame(names[at].parent.name)}, number {at}"
            shown[f"{sources.FOLDER_PICTURE}{at}"] = (title, image)
    _buttons("folder", shown, chosen, collection)
    if folder.labels(model.class_names) is None:
        st.caption("These are pictures of other classes than this network's: it names one of its own all the same.")


def _folder_picture(folder: sources.Folder, model: Classifier, place: int) -> Picture | None:
    image = folder.picture(place, model.input_shape[1:])
    if image is None:
        st.error(f"{pictures.tame(folder.files.names[place].name)} cannot be read. Choose another picture.")
        return None
    labels, name = folder.labels(model.class_names), f"picture {place} of {folder.name}"
    if labels is None:
        return Picture(image, None, name)
    return Picture(image, labels[place], f"{name}, true class: {model.class_names[labels[place]]}")


def _buttons(name: str, images: dict[str, tuple[str, Tensor]], chosen: str, collection: Collection) -> None:
    """A row of buttons that look like the pictures, each with its title; by the keys of the pictures."""
    st.html(_style(name, {key: image for key, (_, image) in images.items()}, chosen, collection.first))
    with st.container(horizontal=True, key=name, gap="small"):
        for key, (title, _) in images.items():
            label = title + ", chosen" * (key == chosen)
            args = (key, collection.task)
            st.button(label, key=f"pick-{key}", help=label, on_click=state.choose_picture, args=args)


def _style(name: str, images: dict[str, Tensor], chosen: str, first: str) -> str:
    """Turns the buttons, whose texts stay there for screen readers, into thumbnails. first: chosen to begin with."""
    rules = [
        f".st-key-{name} button {{width: 56px; height: 56px; min-height: 0; padding: 0; font-size: 0;"
        " background-size: cover; image-rendering: pixelated}",
        f".st-key-{name} button * {{font-size: 0}}",
        f".st-key-pick-{chosen} button {{outline: 3px solid {pictures.MARK_COLOUR}; outline-offset: 1px}}",
        # On a phone two rows to swipe through, for the answer is to be seen below; the first one in sight.
        f"@media (max-width: {PHONE}px) {{.st-key-{name} {{display: grid; grid: repeat(2, 56px) / auto-flow 56px;"
        f" gap: 10px; overflow-x: auto; padding: 4px}} .st-key-pick-{first} {{order: -1}}}}",
    ]
    rules += [
        f'.st-key-pick-{key} button {{background-image: url("{pictures.thumbnail_url(image)}")}}'
        for key, image in images.items()
    ]
    return f"<style>{' '.join(rules)}</style>"


def _own(model: Classifier) -> Picture | None:
    size = model.input_shape[1:]
    linked = st.session_state.setdefault("linked-picture", state.wanted_picture())
    upload = st.file_uploader(
        "PNG, JPEG, WebP or BMP, up to 20 MB; transparency becomes white",
        type=SUFFIXES,
        key="upload",
        on_change=_forget_removed,
    )
    if upload is not None:
        fresh = pictures.tame(upload.name), upload.getvalue()
        if fresh != st.session_state.get("own"):
            if not st.session_state["linked-picture"]:
                # The crop of the one before says nothing of this one; that of a link says how its picture was cut.
                st.session_state["crop"] = MIDDLE
                state.set_chosen("crop", MIDDLE)
            st.session_state["own"] = fresh
    if "own" not in st.session_state:
        if linked:
            st.info(
                "This link was made with an uploaded picture, which it does not hold. Choose the same file to see the "
                "same view."
            )
        else:
            st.info("Choose a picture. It stays on the machine that runs this page.", icon=":material/upload:")
        return None
    name, data = st.session_state["own"]
    try:
        image = _cropped(data, size)
    except ImageError as error:
        st.error(f"{name} cannot be used: {error}", icon=":material/broken_image:")
        del st.session_state["own"]
        if not linked:
            state.want_no_picture()
        return None
    if upload is None:  # after a change of page, for then the uploader comes back empty
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Using your earlier upload: {name}", width="content")
            st.button("Remove it", on_click=_forget, type="tertiary", key="remove-own")
    _compare(image_sha256(image))
    return Picture(image, None, name)


def _forget_removed() -> None:
    """The uploader's callback: a picture that was taken away is not to stay here."""
    if st.session_state["upload"] is None:
        _forget()


def _forget() -> None:
    """Keep an upload no longer, nor its hash in the address."""
    st.session_state.pop("own", None)
    state.want_no_picture()


def _forget_link() -> None:
    """From now on the picture that is here is the one that the page is about."""
    st.session_state["linked-picture"] = None


def _cropped(data: bytes, size: tuple[int, int]) -> Tensor:
    """Show which part of an upload is cut out; returns it at `size` = (H, W). ImageError if it cannot be used."""
    width, height = sources.uploaded_size(data)
    position = MIDDLE
    if width != height:
        draw = partial(st.slider, "Position of the crop along the longer side, in percent", 0, 100, MIDDLE)
        position = state.remembered(draw, "crop", MIDDLE)
    part = "the unfaded part is kept and" if width != height else "all of it is"
    image, preview = sources.cropped(data, size, position / 100)
    st.image(
        preview,
        caption=f"{width} × {height}; {part} resized to {size[1]} × {size[0]}",
        output_format="PNG",
        alt="the uploaded picture with the part that is kept",
    )
    return image


def _compare(digest: str) -> None:
    """Tell whether the picture is the one that the page was opened for; keep it in the address."""
    linked = st.session_state["linked-picture"]
    if linked and linked != digest:
        st.warning(
            f"This is not the picture of the link: the SHA-256 of its pixels is {digest[:16]}…, the link says "
            f"{linked[:16]}…. Is it another file, or another crop?"
        )
        st.button("Continue with this picture", on_click=_forget_link, key="take-own")
        return
    _forget_link()
    state.want_picture(digest)
    st.caption(f"SHA-256 of the pixels: `{digest[:16]}…`")
