"""Files of what a page shows."""

import csv
import io
import json

import streamlit as st

from app import exports


def test_every_row_is_in_the_files(monkeypatch):
    offered = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, *others, **how: offered.update({label: data}))
    rows = [{"a": 1, "b": 0.1 + 0.2}, {"a": 2, "b": "one, two"}]
    exports.files("x", rows, {})
    read = list(csv.DictReader(io.StringIO(offered["CSV"]())))
    assert [{"a": int(row["a"]), "b": row["b"]} for row in read] == [{**row, "b": str(row["b"])} for row in rows]
    assert json.loads(offered["JSON"]()) == rows


def test_no_rows_make_an_empty_file():
    assert exports.to_csv([]) == ""
