"""What a link can say, and what it cannot take away."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_certify import MAIN


@pytest.mark.parametrize(
    "name", ["shown-here", "page-is-new", "open-page", "came-from", "lesson-step", "attack", "kept-sigma", "", "$$ID-x"]
)
def test_a_link_takes_no_state_away_that_pages_rely_on(name):
    page = AppTest.from_file(str(MAIN), default_timeout=900)
    page.query_params[name] = "1"
    for view in ("lesson.py", "why_it_certifies.py", "lesson.py"):
        page.switch_page(f"views/{view}").run()
        assert not page.exception and not page.error
