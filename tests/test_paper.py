"""The paper's figures, against its best rows as they are quoted everywhere."""

import pytest

from dssn_core.paper import best_at, published, source

BEST = {  # percent at rho 0.5, 1, ..., 4
    ("uniform", ("standard",)): (70.54, 58.43, 50.73, 43.16, 33.24, 25.98, 20.66, 17.12),
    ("uniform", ("standard", "stability")): (71.09, 60.36, 52.86, 47.08, 42.26, 38.55, 33.76, 27.12),
    ("ssn", ("standard", "stability")): (70.85, 60.28, 52.81, 48.21, 43.81, 40.42, 37.42, 34.63),
    ("dssn", ("standard", "stability")): (72.25, 63.07, 56.21, 51.33, 46.76, 42.67, 39.46, 36.46),
}


@pytest.mark.parametrize(("method", "trainings"), list(BEST))
def test_the_best_rows_are_those_of_the_paper(method, trainings):
    rows = [row for row in published("cifar10") if row.method == method and row.training in trainings]
    found = [best_at(rows, rho / 2).certified_accuracy[rho / 2] for rho in range(1, 9)]
    assert found == pytest.approx(BEST[method, trainings])


def test_dssn_needs_as_many_samples_as_levels():
    assert {row.samples for row in published("cifar10") if row.sigma == 2.0 and row.method == "dssn"} == {1766}


def test_the_source_is_named():
    assert "Levine & Feizi" in source() and "10,000" in source()


def test_what_the_paper_does_not_hold_is_refused():
    with pytest.raises(ValueError, match="known: cifar10, imagenet"):
        published("mnist")
    with pytest.raises(ValueError, match=r"no figure at rho = 0\.3"):
        best_at(published("cifar10"), 0.3)
    with pytest.raises(ValueError, match="no classifiers"):
        best_at([], 0.5)
