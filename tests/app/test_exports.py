"""Files of what a page shows."""

import json

import streamlit as st

from app import exports


def test_every_row_is_in_the_files(monkeypatch):
    offered = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, *others, **how: offered.update({label: data}))
    exports.files("x", [{"a": 1}, {"a": 2}], {})
    assert offered["CSV"]().splitlines() == ["a", "1", "2"]
    assert json.loads(offered["JSON"]()) == [{"a": 1}, {"a": 2}]
