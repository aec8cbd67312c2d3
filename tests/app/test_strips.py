"""Pictures side by side, and bands."""

import torch

from app.strips import bands, filmstrip
from tests.app.test_splitting_charts import IMAGE


def test_captions_are_escaped():
    assert "<i>" not in filmstrip([("<i>", [IMAGE])]).split("</style>")[1]
    assert "<i>" not in bands([("<i>", torch.zeros(4, dtype=torch.uint8))]).split("</style>")[1]


def test_a_cell_of_fewer_pictures_stands_at_the_foot_and_is_of_no_row():
    even = filmstrip([("one", [IMAGE, IMAGE])], rows=("above", "below"))
    uneven = filmstrip([("one", [IMAGE, IMAGE]), ("two", [IMAGE])], rows=("above", "below"))
    assert "align-items: end" in uneven and "align-items: end" not in even
    assert 'alt="two"' in uneven and 'alt="below, one"' in uneven
