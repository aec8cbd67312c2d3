import hashlib
from fractions import Fraction
from itertools import product

import numpy as np
import oracle
import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from dssn_core import SplitNoise
from dssn_core.offsets import OFFSET_SCHEMES, offset_fractions, offsets_at
from dssn_core.splitting import pixel_sample, samples_from_numerators, split_numerators

LEVELS = [2, 3, 7, 132, 254, 255, 256, 441, 1766, 8192]

levels_of_any_kind = st.one_of(st.sampled_from(LEVELS), st.integers(2, 8192))
pixel_values = st.one_of(st.sampled_from([0, 1, 127, 128, 254, 255]), st.integers(0, 255))
small_shapes = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2))


@st.composite
def noises_and_images(draw):
    """A SplitNoise of pixels or of blocks of them, with drawn offsets or a drawn scheme, and an image for it."""
    levels, shape = draw(levels_of_any_kind), draw(small_shapes)
    block = tuple(draw(st.sampled_from(sorted({1, size}))) for size in shape)
    size, grid = int(np.prod(shape)), tuple(size // of for size, of in zip(shape, block, strict=True))
    blocks = int(np.prod(grid))
    if draw(st.booleans()):
        drawn = draw(st.lists(st.integers(0, levels - 1), min_size=blocks, max_size=blocks))
        noise = SplitNoise(levels, shape, torch.tensor(drawn).reshape(grid), block=block)
    else:
        scheme, seed = draw(st.sampled_from(OFFSET_SCHEMES)), draw(st.integers(0, 3))
        noise = SplitNoise(levels, shape, scheme, seed, block)
    pixels = draw(st.lists(pixel_values, min_size=size, max_size=size))
    return noise, torch.tensor(pixels, dtype=torch.uint8).reshape(shape)


def of_same_block(noise, place):
    """Slices of the pixels that are split together with the one at `place`."""
    return tuple(slice(at // of * of, (at // of + 1) * of) for at, of in zip(place, noise.block, strict=True))


def differing_samples(noise, one, other):
    """Indices of the samples in which two images differ."""
    a, b = noise.numerators(one, 0, noise.levels), noise.numerators(other, 0, noise.levels)
    return torch.nonzero((a != b).flatten(1).any(dim=1)).flatten()


def random_image(shape, seed=0):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


# --- the samples themselves ---


@given(noises_and_images(), st.data())
@effort(max_examples=150)
def test_samples_are_the_oracles(noise_and_image, data):
    noise, image = noise_and_image
    if noise.levels <= 12:
        indices = list(range(noise.levels))
    else:
        indices = data.draw(st.lists(st.integers(0, noise.levels - 1), min_size=1, max_size=6))
    found = noise.numerators_at(image, torch.tensor(indices))
    for place in np.ndindex(*noise.shape):
        pixels = image[of_same_block(noise, place)].flatten().tolist()
        offset = int(noise.offsets[tuple(at // of for at, of in zip(place, noise.block, strict=True))])
        for row, j in enumerate(indices):
            expected = oracle.block_centre(pixels, offset, j, noise.levels) * 1020 * len(pixels)
            assert found[row][place].item() == expected
            if len(pixels) == 1:
                assert expected == oracle.centre(pixels[0], offset, j, noise.levels) * 1020


def test_blocks_side_by_side_are_split_each_by_itself():
    noise, image = SplitNoise(7, (2, 4, 6), "white", 1, (1, 2, 3)), random_image((2, 4, 6))
    found = noise.numerators(image, 0, 7)
    for c, y, x in np.ndindex(*noise.shape):
        pixels = image[c, y // 2 * 2 : y // 2 * 2 + 2, x // 3 * 3 : x // 3 * 3 + 3].flatten().tolist()
        offset = int(noise.offsets[c, y // 2, x // 3])
        expected = [oracle.block_centre(pixels, offset, j, 7) * 1020 * 6 for j in range(7)]
        assert found[:, c, y, x].tolist() == expected


@pytest.mark.parametrize("levels", [2, 5, 100, 254, 255, 256, 441])
def test_every_pixel_value_and_offset_gives_the_oracles_sample(levels):
    # All 256 pixels against some offsets; offset and index enter only through their sum.
    offsets = sorted({0, 1, levels // 3, levels // 2, levels - 2, levels - 1})
    pixels = torch.arange(256, dtype=torch.uint8)
    found = split_numerators(pixels[None], torch.tensor(offsets)[:, None], torch.tensor(0), levels)
    expected = [[oracle.centre(k, v, 0, levels) * 1020 for k in range(256)] for v in offsets]
    assert found.tolist() == expected


@pytest.mark.parametrize("levels", [255, 256, 441, 3091])
def test_the_papers_short_form_holds_from_lambda_one_half_on(levels):
    random = np.random.RandomState(levels)
    for k, v, j in zip(random.randint(256, size=60), *random.randint(levels, size=(2, 60)), strict=True):
        noise = SplitNoise(levels, (1, 1, 1), torch.full((1, 1, 1), int(v)))
        found = noise.numerators(torch.full((1, 1, 1), int(k), dtype=torch.uint8), int(j), int(j) + 1)
        assert Fraction(found.item(), 1020) == oracle.short_form(int(k), int(v), int(j), levels)


def test_the_largest_level_count_does_not_overflow_int16():
    levels = 8192
    offsets = [0, 1, levels - 2, levels - 1]
    noise = SplitNoise(levels, (1, 1, 4), torch.tensor([[offsets]]))
    for image in ([0, 0, 0, 0], [255, 255, 255, 255], [0, 255, 0, 255], [255, 0, 255, 0]):
        found = noise.numerators(torch.tensor([[image]], dtype=torch.uint8), levels - 3, levels)
        for row, j in enumerate(range(levels - 3, levels)):
            expected = [oracle.centre(k, v, j, levels) * 1020 for k, v in zip(image, offsets, strict=True)]
            assert found[row].flatten().tolist() == expected


@pytest.mark.parametrize("block", [(2, 4, 4), (1, 4, 8)])
def test_the_largest_block_does_not_overflow_int16(block):
    for levels, offset in product((2, 255, 8192), (0, 1, 8158, 8159, 8190, 8191)):
        noise = SplitNoise(levels, block, torch.full((1, 1, 1), offset % levels), block=block)
        offset = offset % levels
        for value in (0, 1, 254, 255):
            image = torch.full(block, value, dtype=torch.uint8)
            for j in {0, 31 % levels, levels - 2, levels - 1}:
                expected = oracle.block_centre([value] * 32, offset, j, levels) * 1020 * 32
                assert noise.numerators(image, j, j + 1).unique().tolist() == [expected]


@pytest.mark.parametrize("levels", [2, 132, 254, 255, 441, 8192])
def test_the_interval_can_be_recovered_from_a_sample(levels):
    q = 255
    for k in (0, 1, 100, 254, 255):
        for v in (0, 1, levels // 2, levels - 1):
            low, high = (2 * q * end for end in oracle.clipped_interval(k, v, 0, levels))
            noise = SplitNoise(levels, (1, 1, 1), torch.full((1, 1, 1), v))
            m = noise.numerators(torch.full((1, 1, 1), k, dtype=torch.uint8), 0, 1).item()
            if levels >= q:
                recovered = (0, m) if m < 2 * q else (m - 2 * q, 2 * q) if m > 2 * q else (0, 2 * q)
            elif m < 2 * levels:
                recovered = (0, m)
            elif m > 4 * q - 2 * levels:
                recovered = (m - 2 * q, 2 * q)
            else:
                recovered = (Fraction(m, 2) - levels, Fraction(m, 2) + levels)
            assert recovered == (low, high)


def test_one_call_may_hold_rows_of_different_levels():
    levels = torch.tensor([2, 132, 441, 8192])[:, None, None, None]
    images = torch.stack([random_image((3, 4, 4), seed) for seed in range(4)])
    offsets = offsets_at(offset_fractions("r2", (3, 4, 4)), levels)
    indices = torch.tensor([1, 60, 440, 8191])
    found = split_numerators(images, offsets, indices[:, None, None, None], levels)
    for row, n in enumerate(levels.flatten().tolist()):
        expected = SplitNoise(n, (3, 4, 4)).numerators_at(images[row], indices[row : row + 1])
        assert torch.equal(found[row : row + 1], expected)


@given(noises_and_images())
@effort(max_examples=50)
def test_numerators_are_int16_in_range_and_samples_their_quotients(noise_and_image):
    noise, image = noise_and_image
    numerators = noise.numerators(image, 0, noise.levels)
    assert numerators.dtype == torch.int16 and numerators.shape == (noise.levels, *noise.shape)
    assert numerators.min() >= 0 and numerators.max() <= 1020 * noise.block_size
    assert torch.equal(numerators, noise.numerators_at(image, torch.arange(noise.levels)))
    samples = noise.samples(image, 0, noise.levels)
    assert samples.dtype == torch.float32
    assert torch.equal(
        samples, numerators.float() / (1020 * noise.block_size)
    )  # equal values of floats: equal bits, no -0.0 among them
    assert torch.equal(samples, noise.samples_at(image, torch.arange(noise.levels)))


def test_samples_are_quotients_to_the_last_bit():
    numerators = torch.arange(1021, dtype=torch.int16)
    expected = np.array([np.float32(m / 1020) for m in range(1021)])  # correctly rounded, unlike m * (1/1020)
    assert samples_from_numerators(numerators).numpy().tobytes() == expected.tobytes()


def test_any_order_and_repetition_of_indices():
    noise, image = SplitNoise(100, (1, 3, 3)), random_image((1, 3, 3))
    everything = noise.numerators(image, 0, 100)
    indices = torch.tensor([99, 0, 7, 7])
    assert torch.equal(noise.numerators_at(image, indices), everything[indices])


def test_no_samples_at_all():
    noise, image = SplitNoise(100, (1, 3, 3)), random_image((1, 3, 3))
    assert noise.numerators(image, 5, 5).shape == (0, 1, 3, 3)
    assert noise.samples_at(image, torch.empty(0, dtype=torch.int64)).shape == (0, 1, 3, 3)


def test_the_image_is_left_alone():
    noise, image = SplitNoise(100, (1, 3, 3)), random_image((1, 3, 3))
    before = image.clone()
    noise.samples(image, 0, 100)
    assert torch.equal(image, before)


# --- the property that certifies ---


@given(noises_and_images(), st.data())
@effort(max_examples=100)
def test_one_step_of_one_pixel_changes_exactly_one_sample(noise_and_image, data):
    noise, image = noise_and_image
    place = tuple(data.draw(st.integers(0, size - 1)) for size in noise.shape)
    value = int(image[place])
    poked = image.clone()
    poked[place] = value + (1 if value == 0 or (value < 255 and data.draw(st.booleans())) else -1)
    changed = differing_samples(noise, image, poked)
    assert len(changed) == 1
    differing = (noise.numerators_at(image, changed) != noise.numerators_at(poked, changed))[0]
    expected = torch.zeros(noise.shape, dtype=torch.bool)
    expected[of_same_block(noise, place)] = True
    assert torch.equal(differing, expected)


@pytest.mark.parametrize("levels", [2, 254, 255, 764, 765, 1000])
def test_every_step_of_a_sums_whole_range_changes_one_sample(levels):
    sums = torch.arange(3 * 255 + 1)[:, None]
    numerators = split_numerators(sums, torch.tensor(levels // 3), torch.arange(levels)[None], levels, block_size=3)
    assert (numerators[1:] != numerators[:-1]).sum(dim=1).tolist() == [1] * (3 * 255)


@pytest.mark.parametrize("levels", [2, 7, 254, 255, 256, 441])
def test_every_step_of_a_pixels_whole_range_changes_one_sample(levels):
    numerators = split_numerators(
        torch.arange(256, dtype=torch.uint8)[:, None], torch.tensor(levels // 3), torch.arange(levels)[None], levels
    )
    assert (numerators[1:] != numerators[:-1]).sum(dim=1).tolist() == [1] * 255


@given(noises_and_images(), st.data())
@effort(max_examples=100)
def test_images_at_l1_distance_r_differ_in_at_most_r_samples(noise_and_image, data):
    noise, image = noise_and_image
    other = image.clone()
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, image.numel() - 1))
        step = data.draw(st.sampled_from([-9, -1, 1, 9]))
        other.view(-1)[place] = min(255, max(0, int(other.view(-1)[place]) + step))
    distance = int((image.int() - other.int()).abs().sum())
    assert len(differing_samples(noise, image, other)) <= distance


# --- the object ---


def test_attributes():
    noise = SplitNoise(levels=441, shape=(3, 32, 32), offsets="r2", seed=0)
    assert (noise.levels, noise.shape, noise.scheme, noise.seed) == (441, (3, 32, 32), "r2", 0)
    assert noise.lam == 441 / 510
    assert noise.sigma == pytest.approx(0.5, abs=1e-3)
    assert (noise.block, noise.grid, noise.block_size) == ((1, 1, 1), (3, 32, 32), 1)
    assert repr(noise) == "SplitNoise(levels=441, shape=(3, 32, 32), offsets='r2', seed=0)"


def test_attributes_of_a_noise_of_blocks():
    noise = SplitNoise(441, (3, 32, 32), block=(3, 2, 4))
    assert (noise.block, noise.grid, noise.block_size) == ((3, 2, 4), (1, 16, 8), 24)
    assert noise.offsets.shape == noise.grid
    assert torch.equal(noise.offsets, SplitNoise(441, (1, 16, 8)).offsets)
    assert noise.of_block((2, 5, 7)) == (0, 2, 1)
    assert repr(noise) == "SplitNoise(levels=441, shape=(3, 32, 32), offsets='r2', seed=0, block=(3, 2, 4))"


def test_the_hash_is_of_little_endian_int64_offsets():
    noise = SplitNoise(441, (1, 1, 3), torch.tensor([[[0, 7, 440]]], dtype=torch.int16))
    raw = b"".join(n.to_bytes(8, "little") for n in (0, 7, 440))
    assert noise.offsets_sha256 == hashlib.sha256(raw).hexdigest()


def test_the_hash_knows_the_block():
    noises = [SplitNoise(441, (1, 2, 2), "white", block=block) for block in [(1, 1, 2), (1, 2, 1)]]
    assert torch.equal(noises[0].offsets.flatten(), noises[1].offsets.flatten())
    assert noises[0].offsets_sha256 != noises[1].offsets_sha256
    raw = b"".join(int(n).to_bytes(8, "little") for n in (*noises[0].offsets.flatten(), 1, 1, 2))
    assert noises[0].offsets_sha256 == hashlib.sha256(raw).hexdigest()


def test_own_offsets_are_copied():
    mine = torch.zeros(1, 1, 2, dtype=torch.int64)
    noise = SplitNoise(441, (1, 1, 2), mine)
    mine += 5
    assert noise.scheme == "custom" and noise.offsets.tolist() == [[[0, 0]]]


# --- refusals ---


@pytest.mark.parametrize("levels", [1, 0, -3, 8193, True, 441.0, "441", None])
def test_levels_are_refused(levels):
    with pytest.raises(ValueError, match="levels must be an integer"):
        SplitNoise(levels, (1, 1, 2))


@pytest.mark.parametrize("shape", [(1, 2), (1, 1, 1, 1), (0, 2, 2), (3, -1, 2), (3, 2.0, 2), (), 5, None])
def test_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="shape must be"):
        SplitNoise(441, shape)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ((1, 3, 1), "do not divide images of shape"),
        ((1, 1, 64), "do not divide images of shape"),
        ((3, 4, 4), "at most 32 values"),
        ((1, 2), "block must be"),
        ((1, 0, 1), "block must be"),
        ((1, 2.0, 1), "block must be"),
    ],
)
def test_blocks_are_refused(block, message):
    with pytest.raises(ValueError, match=message):
        SplitNoise(441, (3, 32, 32), block=block)


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        (torch.tensor([[[0, 441]]]), "must lie in 0..440"),
        (torch.tensor([[[-1, 0]]]), "must lie in 0..440"),
        (torch.zeros(1, 1, 2), "torch.float32"),
        (torch.zeros(1, 1, 2, dtype=torch.bool), "torch.bool"),
        (torch.zeros(1, 2, 1, dtype=torch.int64), r"shape \(1, 1, 2\)"),
        (np.zeros((1, 1, 2), dtype=np.int64), "ndarray"),
        (None, "NoneType"),
    ],
)
def test_offsets_are_refused(offsets, message):
    with pytest.raises(ValueError, match=message):
        SplitNoise(441, (1, 1, 2), offsets)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(1, 1, 2), "torch.float32"),
        (torch.zeros(1, 1, 2, dtype=torch.int64), "torch.int64"),
        (np.zeros((1, 1, 2), dtype=np.uint8), "ndarray"),
        (torch.zeros(1, 2, 1, dtype=torch.uint8), r"shape \(1, 1, 2\)"),
        (torch.zeros(1, 1, 1, 2, dtype=torch.uint8), r"shape \(1, 1, 2\)"),
    ],
)
def test_images_are_refused(image, message):
    with pytest.raises(ValueError, match=message):
        SplitNoise(441, (1, 1, 2)).samples(image, 0, 1)


@pytest.mark.parametrize(("start", "stop"), [(3, 2), (-1, 2), (0, 442)])
def test_ranges_are_refused(start, stop):
    with pytest.raises(ValueError, match="0 <= start <= stop <= 441"):
        SplitNoise(441, (1, 1, 2)).numerators(torch.zeros(1, 1, 2, dtype=torch.uint8), start, stop)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (torch.tensor([0, 441]), "must lie in 0..440"),
        (torch.tensor([-1]), "must lie in 0..440"),
        (torch.tensor([0], dtype=torch.int32), "torch.int64"),
        (torch.tensor([0.0]), "torch.int64"),
        (torch.tensor([[0]]), "one-dimensional"),
        ([0], "torch.int64"),
    ],
)
def test_indices_are_refused(indices, message):
    with pytest.raises(ValueError, match=message):
        SplitNoise(441, (1, 1, 2)).numerators_at(torch.zeros(1, 1, 2, dtype=torch.uint8), indices)


@given(st.integers(2, 8192), st.integers(0, 255), st.data())
def test_one_pixels_arithmetic_spelt_out_is_the_tensors(levels, pixel, data):
    offset, index = data.draw(st.integers(0, levels - 1)), data.draw(st.integers(0, levels - 1))
    sample = pixel_sample(pixel, offset, index, levels)
    noise = SplitNoise(levels, (1, 1, 1), torch.tensor([[[offset]]]))
    image = torch.full((1, 1, 1), pixel, dtype=torch.uint8)
    assert sample.numerator == int(noise.numerators(image, index, index + 1))
    assert sample.low < sample.position < sample.high or sample.position in (0, 510)
    assert all(not sample.low < split < sample.high for split in sample.splits)
    assert sample.splits == tuple(s for s in range(1, 510, 2) if (s - sample.split) % (2 * levels) == 0)


@pytest.mark.parametrize("block", [(1, 1, 1), (1, 2, 2)])
@pytest.mark.parametrize("levels", [100, 255, 300, 1021, 1500])
def test_known_is_how_often_a_sample_says_something(levels, block):
    """Where no split falls on the scale, black and white have the same sample value."""
    noise = SplitNoise(levels, block, torch.zeros(1, 1, 1, dtype=torch.int64), block=block)
    black, white = (noise.numerators(torch.full(block, value, dtype=torch.uint8), 0, levels) for value in (0, 255))
    assert noise.known * levels == int((black != white).flatten(1).any(dim=1).sum())
