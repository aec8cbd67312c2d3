"""The guided lesson: predict, reveal, try it."""

import streamlit as st

from app import gallery, links, player, state
from app.collection import COLLECTIONS
from app.gallery import OWN, SOURCES
from app.lesson import PAGES, PLANE, SHOWN, STEPS, LessonStep
from app.links import VIEWS

PICTURE_SIZE = (32, 32)
OWN_TO_PAGES = ("section", "why", "lam", "offsets-lam", "k", "j", "v", *PLANE)
"""Keys of what the steps speak of and a single page shows."""


def current_step() -> int:
    """The step in the address, 1 to the number of steps. A lesson come back to goes on where it was left."""
    if state.first_shown("lesson") and "step" not in st.query_params and st.session_state.get("lesson-step", 1) > 1:
        go_to(st.session_state["lesson-step"])
    text = st.query_params.get("step", "1")
    step = min(int(text), len(STEPS)) if len(text) < 4 and text.isdecimal() and int(text) > 0 else 1
    st.session_state["lesson-step"] = step
    return step


def go_to(step: int) -> None:
    st.query_params["step"] = str(step)


def start_again() -> None:
    for name in map(str, list(st.session_state)):
        if name.startswith("lesson-"):
            del st.session_state[name]
        elif name.startswith("answer-"):
            st.session_state[name] = None  # deleted, the one that is shown would stay marked in the browser
    go_to(1)


def answers(kind: str = "last") -> dict[int, int]:
    """The options revealed so far, by step; of kind "first" those that count as predictions."""
    chosen = st.session_state.setdefault(f"lesson-{kind}-answers", {})
    assert isinstance(chosen, dict)
    return chosen


def chosen_before() -> dict[str, str]:
    """What was chosen on other pages of that which the steps speak of, as an address says it."""
    # Streamlit keeps the values of widgets that are bound to the address, also while they are not shown.
    set_there = {name: st.session_state.get(name) for name in OWN_TO_PAGES}
    shown = links.chosen_before(COLLECTIONS[SHOWN["data"]])
    return shown | {name: str(value) for name, value in set_there.items() if value is not None}


def reveal(number: int) -> None:
    answers()[number] = st.session_state[f"answer-{number}"]
    answers("first").setdefault(number, answers()[number])


def show_figure(number: int, step: LessonStep) -> None:
    collection = COLLECTIONS[SHOWN["data"]]
    known = gallery.built_in(collection.task, PICTURE_SIZE)
    if not known:
        return
    _, image = known[collection.first]
    figure = step.figure(image, number in answers())
    player.show(figure.film, f"lesson-figure-{number}", figure.alt, figure.play)


def ask(number: int, step: LessonStep) -> None:
    st.markdown(f"**{step.question}**")
    chosen = st.radio(
        "Your prediction",
        range(len(step.options)),
        index=answers().get(number),
        format_func=lambda option: step.options[option],
        key=f"answer-{number}",
        label_visibility="collapsed",
    )
    st.button("Reveal", key="reveal", type="primary", on_click=reveal, args=(number,), disabled=chosen is None)
    if number not in answers():
        return
    if answers()[number] == step.right:
        st.success(step.why, icon=":material/check:")
    else:
        st.error(f"It is: “{step.options[step.right]}”. {step.why}", icon=":material/lightbulb:")
    link = step.link(chosen_before())
    st.page_link(
        VIEWS / step.page,
        label=f"See it on the page “{PAGES[step.page]}”",
        icon=":material/visibility:",
        query_params=link,
    )


def page() -> None:
    number = current_step()
    step = STEPS[number - 1]
    st.title("A short lesson", anchor=False)
    seen = sum(place in answers() for place in range(1, len(STEPS) + 1))
    right = sum(answers("first").get(place) == one.right for place, one in enumerate(STEPS, 1))
    st.progress(number / len(STEPS), f"Step {number} of {len(STEPS)}; {seen} answered, {right} predicted right")
    st.subheader(step.title, anchor=False)
    st.markdown(step.text)
    shown, asked = st.columns(2, gap="large")
    with shown:
        show_figure(number, step)
    with asked:
        ask(number, step)
    with st.container(horizontal=True):
        st.button(
            "Back", key="back", icon=":material/arrow_back:", on_click=go_to, args=(number - 1,), disabled=number == 1
        )
        last = number == len(STEPS)
        label = "Next" if number in answers() else "Skip"
        st.button(label, key="next", icon=":material/arrow_forward:", on_click=go_to, args=(number + 1,), disabled=last)
        if seen:
            st.button("Start again", key="start-again", on_click=start_again)
    if last and seen:
        open_steps = [str(place) for place in range(1, len(STEPS) + 1) if place not in answers()]
        still = f" Still open: step{'s' * (len(open_steps) > 1)} {', '.join(open_steps)}." if open_steps else ""
        st.markdown(f"You predicted {right} of {len(STEPS)} right.{still} Now certify a picture of your own:")
        target = {"source": SOURCES[OWN]}
        st.page_link(VIEWS / "certify.py", label="Certify", icon=":material/verified:", query_params=target)


page()
