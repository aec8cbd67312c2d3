"""What pages compute without a network."""

from app import laboratory
from dssn_core import SplitNoise, read_image
from dssn_core.gallery import built_in_pictures
from dssn_core.reconstruction import reconstruction_error


def test_where_colours_are_added_up_the_error_is_that_of_the_brightness():
    image, block = read_image(built_in_pictures()[0].path), (3, 1, 1)
    expected = reconstruction_error(image, SplitNoise(441, (3, 32, 32), block=block), colours=False)
    assert laboratory.brightness_error(image, 441, block) == expected
    assert laboratory.reconstruction_errors(image, 441, block)["r2"] == expected
