"""The curves of the Benchmark page are the figures of the kept records, no more."""

from app.benchmark_curves import best_curves, curves_of, sides, unchosen
from app.collection import COLLECTIONS
from dssn_core.accuracy import CURVE_RHOS, SMALL_RADII, certified_curve
from dssn_core.checkpoints import PRETRAINED
from dssn_core.paper import best_at, published
from dssn_core.records import WHOLE, by_levels
from dssn_core.standings import TABLE_RHOS, Evaluated, Side, chosen

NAME = "cifar10-dssn"


def test_a_thin_curve_is_of_one_network_at_one_noise():
    kept = by_levels(Evaluated.read(PRETRAINED / NAME).test)
    (curve,) = curves_of(NAME, {441}, WHOLE, alone=True, dash="solid")
    assert (curve.name, curve.label) == (f"{NAME}, σ = 0.50", "σ 0.50")
    assert list(curve.shares) == certified_curve(kept[441], CURVE_RHOS)
    assert curves_of(NAME, set(), WHOLE, alone=False, dash="dot") == []


def test_the_radii_of_all_tables_are_among_those_of_the_curves():
    """So `recount` settles images for the tables too."""
    published_at = {
        rho for name in ("cifar10", "imagenet") for row in published(name) for rho in row.certified_accuracy
    }
    of_pages = {rho for collection in COLLECTIONS.values() for rho in collection.rhos}
    assert {*TABLE_RHOS, *SMALL_RADII, *published_at, *of_pages} <= {*CURVE_RHOS}


def test_the_thick_curve_is_of_what_is_chosen_on_held_out_images():
    (curve,) = best_curves([NAME], WHOLE)
    expected = chosen([Evaluated.read(PRETRAINED / NAME)], CURVE_RHOS)
    assert list(curve.shares) == [at.certified for at in expected] and curve.best
    assert list(curve.keys) == [(NAME, at.levels) for at in expected]


def test_sides_are_those_of_the_intervals():
    collection = COLLECTIONS["CIFAR-10"]
    names = ["cifar10-dssn-long", "cifar10-dssn-pair", "cifar10-dssn-blocks"]
    found = sides(names, collection, WHOLE)
    paper = [row for row in published("cifar10") if row.method == "dssn"]
    for at in chosen([Evaluated.read(PRETRAINED / name) for name in names], collection.rhos):
        low, high = at.certified.percent_interval
        theirs = best_at(paper, at.rho).certified_accuracy[at.rho]
        side = Side.ABOVE if low > theirs else Side.BELOW if high < theirs else Side.OPEN
        assert at.rho in found[side]
    assert sum(map(len, found.values())) == len(collection.rhos)


def test_every_network_here_has_held_out_images_to_choose_by():
    assert unchosen([NAME, "cifar10-dssn-pair"], WHOLE) == []
    assert unchosen(["imagenet-bare"], WHOLE) == ["imagenet-bare"]
