"""The two-pixel world, against one image at a time."""

import pytest
import torch

from dssn_core import SplitNoise, certificate_from_votes
from dssn_core.two_pixels import SHAPE, TOYS, Boundary, Point, nearest_other, plane_votes


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


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("levels", [7, 64, 300])
def test_no_image_of_the_other_class_lies_within_any_diamond(toy, levels):
    votes = plane_votes(SplitNoise(levels, SHAPE), toy, Boundary(55, -0.03))
    for first in range(0, 256, 15):
        for second in range(0, 256, 15):
            image, ones = Point(first, second), int(votes[second, first])
            other, radius = nearest_other(votes, levels, image), certificate_from_votes([levels - ones, ones], levels)
            assert other is None or image.distance(other) > radius.radius_steps


def test_an_unknown_toy_is_refused():
    with pytest.raises(ValueError, match="known: straight line"):
        plane_votes(SplitNoise(7, SHAPE), "oracle", Boundary())
