"""The low-pass reconstruction: exact where it can be, and better for evenly spread offsets."""

import pytest
import torch

from dssn_core import SplitNoise, read_image
from dssn_core.gallery import built_in_pictures
from dssn_core.reconstruction import mean_response, reconstruct, reconstruction_error


@pytest.mark.parametrize("levels", [2, 50, 127, 200, 254, 255, 441, 3091])
def test_the_mean_response_grows_with_the_pixel(levels):
    assert (mean_response(levels).diff() > 0).all()


@pytest.mark.parametrize("levels", [255, 441])
def test_the_mean_response_is_the_theorys(levels):
    # Where a split falls on the scale, the mean is 1/4 + x/2 (exactly so for half-step splits, all equally often).
    pixels = torch.arange(256) / 255
    assert torch.allclose(mean_response(levels), 0.25 + pixels / 2, atol=1e-5)
    sums = torch.arange(3 * 255 + 1) / 765
    assert torch.allclose(mean_response(3 * levels, 3), 0.25 + sums / 2, atol=1e-5)


@pytest.mark.parametrize("block", [(1, 1, 1), (1, 2, 2)])
def test_all_samples_of_a_flat_picture_average_to_it(block):
    image = torch.full((1, 24, 24), 90, dtype=torch.uint8)
    noise = SplitNoise(64, (1, 24, 24), "white", block=block)
    rebuilt = reconstruct(noise.numerators(image, 0, 64), 64, block_size=noise.block_size)
    assert abs(float(rebuilt.mean()) - 90 / 255) < 0.01


def test_where_a_sample_says_nothing_the_middle_is_taken():
    image = torch.full((1, 24, 24), 90, dtype=torch.uint8)
    noise = SplitNoise(510, (1, 24, 24), "equal")
    assert torch.equal(reconstruct(noise.numerators(image, 300, 301), 510), torch.full((1, 1, 24, 24), 0.5))
    assert reconstruction_error(image, noise) < 90 / 255  # what black would come to in every sample


def test_evenly_spread_offsets_keep_more_of_real_pictures_than_white_noise():
    images = [read_image(picture.path) for picture in built_in_pictures()[:6]]
    for levels in (255, 1766):
        errors = {
            scheme: sum(reconstruction_error(image, SplitNoise(levels, (3, 32, 32), scheme)) for image in images)
            for scheme in ("r2", "white")
        }
        assert errors["r2"] < 0.85 * errors["white"]


@pytest.mark.parametrize("levels", [662, 1766, 3091])
def test_the_sum_of_the_colours_keeps_more_of_the_brightness_of_real_pictures(levels):
    images = [read_image(picture.path) for picture in built_in_pictures()[:6]]
    alone, together = (
        sum(
            reconstruction_error(image, SplitNoise(levels, (3, 32, 32), block=block), colours=False) for image in images
        )
        for block in ((1, 1, 1), (3, 1, 1))
    )
    assert together < 0.95 * alone
