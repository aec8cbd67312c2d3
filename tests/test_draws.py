"""Draws keyed by what they are for."""

import ast
from pathlib import Path

import torch

import dssn_core
from dssn_core import draws
from dssn_core.draws import keyed_generator


def test_the_same_key_draws_the_same_and_every_part_of_it_counts():
    def drawn(*key):
        return tuple(torch.randint(2**40, (4,), generator=keyed_generator(*key)).tolist())

    assert drawn(0, 1, 2) == drawn(0, 1, 2)
    keys = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 2), (0, 2, 1), (2**40, 0, 0)]
    assert len({drawn(*key) for key in keys}) == len(keys)


def test_every_draw_names_its_purpose():
    """Else two purposes may share their draws: those of an estimate once were those of a training."""
    sources = [path.read_text("utf-8") for path in Path(dssn_core.__file__).parent.rglob("*.py")]
    calls = [
        node
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "keyed_generator"
    ]
    purposes = {name for name in vars(draws) if name.isupper()}
    assert {ast.unparse(call.args[1]) for call in calls} == purposes
    assert len({getattr(draws, purpose) for purpose in purposes}) == len(purposes)
