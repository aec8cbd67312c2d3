"""The measurement of speed measures what it says; its figures are for people, not for tests."""

import sys

from dssn_core import load_model, read_image
from dssn_core.gallery import built_in_pictures
from dssn_core.speed import measured


def test_a_system_that_tells_no_memory_measures_the_rest(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    result = measured(load_model("cifar10-dssn"), read_image(built_in_pictures()[0].path), 10, rounds=1)
    assert result.peak_mib is None and "unknown here" in str(result)


def test_all_figures_are_there_and_positive():
    result = measured(load_model("cifar10-dssn"), read_image(built_in_pictures()[0].path), 40, rounds=1, batch_size=16)
    assert (result.levels, result.rows) == (40, 14)
    assert min(result.certify_seconds, result.forward_seconds, result.sampling_share, result.peak_mib) > 0
    assert "N = 40 samples in chunks of 14" in str(result)
