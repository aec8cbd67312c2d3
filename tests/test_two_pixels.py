"""The two-pixel world, against one image at a time."""

import numpy as np
import pytest
import torch

from dssn_core import SplitNoise, certificate_from_votes
from dssn_core.two_pixels import SHAPE, TOYS, Boundary, nearest_other, plane_radii, plane_votes


def one_image(noise, toy, boundary, first, second):
    samples = noise.samples(torch.tensor([[[first, second]]], dtype=torch.uint8), 0, noise.levels)
    return int(TOYS[toy](samples[:, 0, 0, 0], samples[:, 0, 0, 1], boundary).sum())


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("levels", [2, 40, 127, 255, 400])
def test_the_plane_is_what_single_images_give(toy, levels):
    noise, boundary = SplitNoise(levels, SHAPE), Boundary(30, 0.05)
    votes = plane_votes(noise, toy, boundary)
    for first, second in ((0, 0), (255, 0), (17, 200), (128, 127), (255, 255)):
        assert votes[second, first] == one_image(noise, toy, boundary, first, second)


def test_radii_are_the_certificates():
    noise = SplitNoise(100, SHAPE)
    votes = plane_votes(noise, "wave", Boundary())
    radii = plane_radii(votes, 100)
    for first, second in np.ndindex(16, 16):
        ones = int(votes[second * 17, first * 17])
        assert radii[second * 17, first * 17] == certificate_from_votes([100 - ones, ones], 100).radius_steps


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("levels", [7, 64, 300])
def test_no_image_of_the_other_class_lies_within_any_diamond(toy, levels):
    votes = plane_votes(SplitNoise(levels, SHAPE), toy, Boundary(55, -0.03))
    radii = plane_radii(votes, levels)
    for first in range(0, 256, 15):
        for second in range(0, 256, 15):
            other = nearest_other(votes, levels, first, second)
            assert other is None or other[0] > radii[second, first]


def test_an_unknown_toy_is_refused():
    with pytest.raises(ValueError, match="known: straight line"):
        plane_votes(SplitNoise(7, SHAPE), "oracle", Boundary())
