"""The allocator setting takes effect where it exists and is harmless where it does not."""

import sys

from dssn_core import allocator


def test_it_answers_whether_it_took_effect():
    assert allocator.keep_freed_memory() is (sys.platform.startswith("linux"))


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert allocator.keep_freed_memory() is False
