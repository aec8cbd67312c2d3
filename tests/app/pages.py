"""The app's pages through their real widgets, without a browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

MAIN = Path(__file__).parents[2] / "app" / "main.py"
FIRST = "certify"


def open_view(view: str, **parameters: str) -> AppTest:
    """A page of `app/views`, by its file's name, opened by a link with these parameters."""
    page = AppTest.from_file(str(MAIN), default_timeout=900)
    for name, value in parameters.items():
        page.query_params[name] = value
    if view != FIRST:  # of which a test's address is that of the app itself
        page.switch_page(f"views/{view}.py")
    return page.run()


def sound(page: AppTest, title: str | None = None) -> AppTest:
    """The page, which has no stack trace, and this title."""
    assert not page.exception
    assert title is None or page.title[0].value == title
    return page


def by_key(elements, key: str):
    """The element with this key."""
    return next(element for element in elements if element.key == key)


def shown_radius(page: AppTest) -> str:
    return next(metric.value for metric in page.metric if metric.label == "Certified radius ρ")
