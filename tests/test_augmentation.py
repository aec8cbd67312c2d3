"""Augmented pictures, by hand and by property."""

import torch

from dssn_core.augmentation import augment, distorted, magnify
from tests.random_networks import generator

SHAPE = (3, 16, 16)


def test_augment_shows_shifted_reflected_and_mirrored_pixels():
    image = torch.randperm(2 * 6 * 7, generator=generator()).byte().reshape(1, 2, 6, 7)  # every pixel its own value
    padded = torch.nn.functional.pad(image.float(), (2, 2, 2, 2), mode="reflect").byte()
    windows = {}
    for y in range(5):
        for x in range(5):
            window = padded[0, :, y : y + 6, x : x + 7]
            windows[window.numpy().tobytes()] = (y, x, False)
            windows[window.flip(2).contiguous().numpy().tobytes()] = (y, x, True)
    found = {windows[each.numpy().tobytes()] for each in augment(image.expand(1000, -1, -1, -1), 2, generator())}
    assert len(found) == 5 * 5 * 2  # each of them is one of these, and all of them occur


def test_augment_without_a_shift_is_the_image_or_its_mirror_image():
    images = torch.randint(0, 256, (50, *SHAPE), dtype=torch.uint8, generator=generator())
    mirrored = 0
    for before, after in zip(images, augment(images, 0, generator(1)), strict=True):
        same, flipped = torch.equal(after, before), torch.equal(after, before.flip(2))
        assert same or flipped
        mirrored += flipped
    assert 10 < mirrored < 40


def test_augment_leaves_its_input_alone_and_keeps_the_type():
    images = torch.randint(0, 256, (5, *SHAPE), dtype=torch.uint8, generator=generator())
    before = images.clone()
    after = augment(images, 2, generator())
    assert torch.equal(images, before) and after.dtype == torch.uint8 and after.shape == images.shape


def test_distortions_are_decided_by_the_generator_alone():
    images = torch.randint(0, 256, (40, *SHAPE), dtype=torch.uint8, generator=generator(1))
    state = torch.get_rng_state()
    first, again = (distorted(images, 1, generator(5)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.shape == images.shape and first.dtype == torch.uint8
    assert torch.equal(first, again)
    assert not torch.equal(first, distorted(images, 1, generator(6)))
    changed = (first != images).flatten(1).any(dim=1)
    assert 20 < int(changed.sum()) < 40  # one of the operations of RandAugment is none
    assert distorted(images, 0, generator(5)) is images


def test_magnifying_shows_a_part_of_the_picture_at_its_size():
    across = torch.arange(32).repeat(1, 32, 1)[None] * 8  # brightness tells the column
    images = across.expand(200, 3, -1, -1).to(torch.uint8)
    parts = magnify(images, 2.0, generator())
    assert parts.dtype == torch.uint8 and parts.shape == images.shape
    widths = (parts[:, 0, 16, -1].int() - parts[:, 0, 16, 0].int()) / 8 / 31  # of the part, as a share of the whole
    assert 0.45 < float(widths.min()) < 0.6 and 0.9 < float(widths.max()) <= 1
    assert int(parts[:, 0, 16, 0].min()) < 8 and int(parts[:, 0, 16, -1].max()) > 240  # anywhere in the picture
    assert all(torch.equal(part[:, :1].expand(-1, 32, -1), part) for part in parts)  # rows stay rows


def test_no_magnification_is_the_picture_itself():
    images = torch.randint(0, 256, (5, *SHAPE), dtype=torch.uint8, generator=generator())
    assert magnify(images, 1.0, generator()) is images


# --- noise ---
