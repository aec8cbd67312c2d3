"""End to end, by brute force: every image in a certified ball is made, voted on and compared."""

from itertools import product

import numpy as np
import pytest
import torch

from dssn_core import SplitNoise
from dssn_core.constants import PLURALITY
from dssn_core.offsets import OFFSET_SCHEMES
from dssn_core.voting import complete, tally
from tests.toys import Memory, Toy

MAX_IMAGES = 1500  # a ball of more images is left to another case


def image_of(pixels, shape):
    return torch.tensor(pixels, dtype=torch.uint8).reshape(shape)


def ball(pixels, steps):
    """All integer images within L1 distance `steps`, pixels clipped to 0..255."""
    ranges = [range(max(0, k - steps), min(255, k + steps) + 1) for k in pixels]
    return [other for other in product(*ranges) if sum(abs(a - b) for a, b in zip(pixels, other, strict=True)) <= steps]


def certified(model, pixels, noise, counting=PLURALITY):
    return complete(tally(model, image_of(pixels, noise.shape), noise, counting=counting)).certificate


def check_ball(model, pixels, noise, counting=PLURALITY):
    """Compare every image in the certified ball; returns the radius that was checked, in steps."""
    certificate = certified(model, pixels, noise, counting)
    images = ball(pixels, certificate.radius_steps)
    if len(images) > MAX_IMAGES:
        images = images[:: len(images) // MAX_IMAGES + 1]
    for other in images:
        assert certified(model, other, noise, counting).label == certificate.label
    return certificate.radius_steps


def cases(count, levels, shapes, kind, blocks=((1, 1, 1),)):
    """Random toys, noises and images, spread over schemes and near the ends of the pixel range too."""
    random = np.random.RandomState(levels[0])
    for case in range(count):
        shape = shapes[case % len(shapes)]
        scheme = OFFSET_SCHEMES[case // len(shapes) % len(OFFSET_SCHEMES)]  # each with every shape
        block = blocks[case % len(blocks)]
        noise = SplitNoise(int(random.choice(levels)), shape, scheme, seed=case, block=block)
        pixels = [int(random.choice([0, 2, 253, 255, random.randint(256)])) for _ in range(int(np.prod(shape)))]
        yield Toy(shape, 2 + case % 3, seed=case, kind=kind), pixels, noise


SHAPES = [(1, 1, 2), (1, 2, 1), (3, 1, 1)]


@pytest.mark.parametrize("kind", ["linear", "hash"])
def test_every_image_in_a_certified_ball_has_the_same_label(kind):
    radii = [check_ball(*case) for case in cases(54, range(5, 21), SHAPES, kind)]
    assert sum(radius > 0 for radius in radii) >= 10  # the test has something to test
    assert max(radii) >= 3


@pytest.mark.parametrize("kind", ["linear", "hash"])
def test_every_image_in_a_certified_ball_has_the_same_label_where_blocks_are_split(kind):
    # Alone, in pairs side by side or over each other, and all channels of a pixel together.
    shapes, blocks = [(1, 1, 2), (1, 2, 1), (3, 1, 1), (2, 1, 2)], [(1, 1, 2), (1, 2, 1), (3, 1, 1), (2, 1, 1)]
    radii = [check_ball(*case) for case in cases(32, range(5, 21), shapes, kind, blocks)]
    assert sum(radius > 0 for radius in radii) >= 10
    assert max(radii) >= 2


def test_every_image_in_a_certified_ball_has_the_same_label_at_many_levels():
    # Below and above N = q, where the formula changes its form. One pixel, so that large balls stay small.
    radii = [check_ball(*case) for case in cases(16, [100, 200, 254, 255, 256, 300], [(1, 1, 1)], "linear")]
    assert max(radii) > 30
    radii = [check_ball(*case) for case in cases(10, [254, 255, 256, 300], [(1, 1, 1)], "hash")]
    assert max(radii) > 0


def test_two_pixels_at_a_level_count_above_the_pixel_range():
    radii = [check_ball(*case) for case in cases(4, [255, 300], [(1, 1, 2)], "hash")]
    assert max(radii) > 0


@pytest.mark.parametrize("levels", [2, 3, 7, 8, 254, 255, 300])
@pytest.mark.parametrize(("label", "other"), [(0, 1), (1, 0), (2, 0), (0, 2)])
def test_one_more_step_than_certified_may_change_the_label(levels, label, other):
    # The certificate cannot be any larger: this classifier votes otherwise on every sample that changes at all.
    noise = SplitNoise(levels, (1, 1, 2), "r2")
    image = image_of([40, 0], noise.shape)
    model = Memory(noise.samples(image, 0, levels), 3, label, other)
    certificate = certified(model, [40, 0], noise)
    steps = certificate.radius_steps
    assert certificate.label == label
    assert steps == (levels // 2 if label == 0 else (levels - 1) // 2)
    assert certified(model, [40 + steps, 0], noise).label == label
    # (At even N, half the votes moved make a tie, which the lower index wins: the radius has counted that in.)
    assert certified(model, [40 + steps + 1, 0], noise).label == other


@pytest.mark.parametrize("levels", [7, 254, 255, 510, 600])
@pytest.mark.parametrize(("label", "other"), [(0, 1), (1, 0)])
def test_one_more_step_than_certified_may_change_the_label_where_blocks_are_split(levels, label, other):
    noise = SplitNoise(levels, (1, 1, 2), "r2", block=(1, 1, 2))
    model = Memory(noise.samples(image_of([40, 0], noise.shape), 0, levels), 3, label, other)
    certificate = certified(model, [40, 0], noise)
    steps = certificate.radius_steps
    assert certificate.label == label and steps == (levels // 2 if label == 0 else (levels - 1) // 2)
    first, second = min(steps, 215), max(0, steps - 215)  # one pixel may not have room for all of them
    assert certified(model, [40 + first, second], noise).label == label
    assert certified(model, [40 + first, second + 1], noise).label == other


def test_steps_spread_over_pixels_count_like_steps_of_one():
    noise = SplitNoise(9, (1, 2, 2), "r2")
    pixels = [10, 20, 30, 40]
    model = Memory(noise.samples(image_of(pixels, noise.shape), 0, 9), 2, 0, 1)
    radius = certified(model, pixels, noise).radius_steps
    labels = [certified(model, other, noise).label for other in ball(pixels, radius + 1)]
    assert radius == 4
    assert sum(labels) > 0  # some image one step outside has the other label
    assert all(certified(model, other, noise).label == 0 for other in ball(pixels, radius))
