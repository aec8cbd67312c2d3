"""The search for a picture with another answer: what it finds is one, and lies beyond the certificate."""

import operator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dssn_core import SplitNoise, flips, load_model, read_image
from dssn_core.attack import distance
from dssn_core.base_classifier import made_of
from dssn_core.constants import DUELS, PLURALITY
from dssn_core.flips import FIRST, Flip, _moved, nearest_flip
from dssn_core.gallery import built_in_pictures
from dssn_core.voting import certify, complete, tally
from tests.toys import Constant, Toy

SHAPE = (2, 2, 2)


class Slopes:
    """Linear, with a slope; its products and sums are exact in float64."""

    def __init__(self, num_classes, seed, bias=(0.0,)):
        random = np.random.RandomState(seed)
        self.num_classes = num_classes
        self.made_when_marked = made_of(self)
        self.weights = torch.from_numpy(random.randint(-8, 9, size=(8, num_classes))).double()
        self.bias = torch.tensor(bias, dtype=torch.float64)

    def __call__(self, x, lam):
        return (x.double().flatten(1) @ self.weights + self.bias).float()


def an_image(seed=0):
    return torch.randint(0, 256, SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def certified(model, image, noise, counting):
    return complete(tally(model, image, noise, counting=counting)).certificate


@pytest.mark.parametrize("counting", [PLURALITY, DUELS])
@pytest.mark.parametrize("block", [(1, 1, 1), (2, 1, 1), (1, 2, 2)])
@pytest.mark.parametrize("looked", [1, flips.LOOKED])  # chunks: a part of the samples, or all
def test_a_flip_is_another_answer_beyond_the_radius(counting, block, looked, monkeypatch):
    monkeypatch.setattr(flips, "LOOKED", looked)
    found = 0
    for seed in range(12):
        model, image, noise = Slopes(4, seed), an_image(seed), SplitNoise(90 + seed, SHAPE, block=block)
        before, certificate = image.clone(), certified(model, image, noise, counting)
        searches = list(nearest_flip(model, image, noise, certificate, counting))
        assert torch.equal(image, before)
        for flip in {id(search.nearest): search.nearest for search in searches if search.nearest}.values():
            found += 1
            assert certified(model, flip.image, noise, counting).label == flip.label != certificate.label
            assert flip.distance == distance(flip.image, image) > certificate.radius_steps
    assert found >= 12


@pytest.mark.parametrize("bias", [-3, -4])
def test_the_nearest_flip_of_a_single_value_is_found(bias):
    """Of one pixel it matters how far it goes. With a bias of -4 every step moves a vote: no flip can be nearer."""
    image, noise, model = torch.full((1, 1, 1), 250, dtype=torch.uint8), SplitNoise(300, (1, 1, 1)), Slopes(2, 0)
    model.weights, model.bias = (torch.tensor(row, dtype=torch.float64) for row in ([[8, 0]], [bias, 0]))
    certificate = certified(model, image, noise, PLURALITY)
    assert certificate.label == 0
    exact = next(n for n in range(1, 251) if certified(model, image - n, noise, PLURALITY).label)  # the way that helps
    *_, last = nearest_flip(model, image, noise, certificate)
    assert exact <= last.nearest.distance <= exact + 2
    assert (exact == certificate.radius_steps + 1) == (last.done < last.rounds) == (bias == -4)


def test_flips_come_nearer_and_the_search_tells_how_far_it_is():
    model, image, noise = Slopes(4, 3), an_image(3), SplitNoise(120, SHAPE)
    searches = list(nearest_flip(model, image, noise, certified(model, image, noise, PLURALITY), rounds=15))
    assert [search.done for search in searches] == list(range(1, 16))
    assert {search.rounds for search in searches} == {15}
    assert searches[0].distance == 0 and searches[0].nearest is None
    found = [search.nearest.distance for search in searches if search.nearest]
    assert found and found == sorted(found, reverse=True)


def test_nothing_is_looked_for_within_the_radius():
    model, image, noise = Slopes(4, 3), an_image(3), SplitNoise(400, SHAPE)
    certificate = certified(model, image, noise, PLURALITY)
    assert certificate.radius_steps > FIRST
    looked = [search.distance for search in nearest_flip(model, image, noise, certificate)]
    assert min(looked[1:]) > certificate.radius_steps


@pytest.mark.parametrize("model", [Toy(SHAPE, 3, seed=0), Constant(3, 1)])
def test_a_search_without_a_slope_ends(model):
    image, noise = an_image(), SplitNoise(40, SHAPE)
    (only,) = nearest_flip(model, image, noise, certified(model, image, noise, PLURALITY))
    assert only.nearest is None


def test_every_pass_is_given_to_the_worker():
    """An answer too is counted by it: a page's network runs on one thread alone."""
    model, image, noise = Slopes(4, 3), an_image(3), SplitNoise(120, SHAPE)
    certificate, working = certified(model, image, noise, PLURALITY), []

    class Watched(Slopes):
        def __call__(self, x, lam):
            assert working
            return super().__call__(x, lam)

    def work(piece):
        working.append(True)
        try:
            return operator.call(piece)
        finally:
            working.clear()

    *_, last = nearest_flip(Watched(4, 3), image, noise, certificate, work=work)
    assert isinstance(last.nearest, Flip)


@given(st.integers(0, 10_000), st.integers(0, 2500))
def test_steps_are_taken_where_the_slope_is_the_steepest(seed, steps):
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(0, 256, SHAPE, generator=generator, dtype=torch.uint8)
    slope = torch.randint(-3, 4, SHAPE, generator=generator).float()
    moved = _moved(image, slope, steps).int() - image.int()
    room = torch.where(slope > 0, image.int(), 255 - image.int()) * (slope != 0)
    assert int(moved.abs().sum()) == min(steps, int(room.sum()))
    assert (moved * slope <= 0).all()
    left = slope.abs()[moved.abs() < room]
    assert not len(left) or (slope.abs()[moved != 0] >= left.max()).all()


def test_a_network_that_ships_is_flipped_beyond_its_radius():
    model, levels = load_model("cifar10-dssn"), 88
    image = read_image(built_in_pictures()[9].path)
    certificate, noise = certify(model, image, levels), model.manifest.noise_at(levels)
    *_, last = nearest_flip(model, image, noise, certificate)
    assert certify(model, last.nearest.image, levels).label == last.nearest.label != certificate.label
    assert last.nearest.distance > certificate.radius_steps > 0
