"""The offset schemes: their numbers, against an oracle; and what they refuse."""

import hashlib

import numpy as np
import oracle
import pytest
import torch

from dssn_core import SplitNoise
from dssn_core.offsets import OFFSET_SCHEMES, _void_and_cluster, make_offsets, offset_fractions, offsets_at

SHAPES = [(1, 1, 2), (3, 5, 7), (3, 32, 32), (1, 70, 65)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scheme", OFFSET_SCHEMES)
@pytest.mark.parametrize("levels", [2, 441, 8192])
def test_every_scheme_takes_every_shape(scheme, shape, levels):
    offsets = SplitNoise(levels, shape, scheme, seed=1).offsets
    assert offsets.dtype == torch.int64 and tuple(offsets.shape) == shape
    assert offsets.min() >= 0 and offsets.max() < levels
    assert torch.equal(offsets, SplitNoise(levels, shape, scheme, seed=1).offsets)


@pytest.mark.parametrize("scheme", OFFSET_SCHEMES)
def test_only_schemes_that_draw_heed_the_seed(scheme):
    one, other = (SplitNoise(441, (3, 8, 8), scheme, seed=seed).offsets for seed in (0, 1))
    assert torch.equal(one, other) == (scheme in ("r2", "bayer", "equal"))


@pytest.mark.parametrize("scheme", OFFSET_SCHEMES)
def test_the_global_random_state_is_left_alone(scheme):
    before = np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()
    make_offsets(scheme, (1, 4, 4), 441, seed=5)
    assert before == (np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scheme", ["r2", "bayer", "white", "reference"])
def test_offsets_are_the_oracles(scheme, shape):
    found = SplitNoise(441, shape, scheme, seed=3).offsets
    channels, height, width = shape
    places = [(c, y, x) for c in range(channels) for y in range(height) for x in range(width)]
    if scheme in ("white", "reference"):
        places = places[:: max(1, len(places) // 20)]  # the oracle draws everything anew for every place
        one = {"white": oracle.white_offset, "reference": oracle.reference_offset}[scheme]
        expected = [one(*place, shape, 441, 3) for place in places]
    else:
        one = {"r2": oracle.r2_offset, "bayer": oracle.bayer_offset}[scheme]
        expected = [one(*place, channels, 441) for place in places]
    assert [int(found[place]) for place in places] == expected


def test_r2_fractions_are_exact_to_the_last_bit():
    u = offset_fractions("r2", (3, 70, 65))
    assert all(u[c, y, x] == oracle.r2_fraction(c, y, x, 3) for c in range(3) for y in (0, 1, 69) for x in (0, 1, 64))


def test_the_top_of_the_bayer_matrix_is_the_textbooks():
    # The 2x2 and 4x4 matrices every textbook prints, seen in the corner of the 16x16 one.
    ranks = offset_fractions("bayer", (1, 16, 16))[0] >> 24
    assert ranks[:2, :2].tolist() == [[0, 128], [192, 64]]
    assert sorted(ranks.flatten().tolist()) == list(range(256))


def test_equal_offsets_are_one():
    assert not SplitNoise(441, (3, 5, 7), "equal").offsets.any()


def test_reference_is_the_papers_draw():
    expected = np.random.RandomState(7).randint(1766, size=3 * 32 * 32).reshape(3, 32, 32)
    assert np.array_equal(SplitNoise(1766, (3, 32, 32), "reference", seed=7).offsets.numpy(), expected)


def test_channels_of_the_even_schemes_are_shifted_by_a_third():
    for scheme in ("r2", "blue", "bayer"):
        u = offset_fractions(scheme, (3, 6, 6))
        for c in range(3):
            assert torch.equal((u[0] + c * 2**32 // 3) % 2**32, u[c])


@pytest.mark.parametrize("scheme", ["r2", "blue", "bayer", "white", "equal"])
@pytest.mark.parametrize("levels", [2, 441, 8192])
def test_fractions_do_not_depend_on_the_levels(scheme, levels):
    u = offset_fractions(scheme, (3, 5, 7), seed=2)
    expected = [(fraction * levels) >> 32 for fraction in u.flatten().tolist()]
    assert u.min() >= 0 and u.max() < 2**32
    assert SplitNoise(levels, (3, 5, 7), scheme, seed=2).offsets.flatten().tolist() == expected
    assert offsets_at(u, levels).flatten().tolist() == expected


def test_the_blue_tile_has_every_rank_once():
    ranks = offset_fractions("blue", (1, 64, 64)) >> 20
    assert sorted(ranks.flatten().tolist()) == list(range(4096))


def test_the_blue_tile_does_not_hang_on_the_last_bit_of_an_exponential(monkeypatch):
    # Ties are frequent, and another machine's exp may round otherwise.
    here, exp = _void_and_cluster(0), np.exp
    up = np.random.RandomState(0).rand(64, 64) < 0.3
    monkeypatch.setattr(np, "exp", lambda x: np.where(up, np.nextafter(exp(x), 2), exp(x)))
    assert np.array_equal(_void_and_cluster.__wrapped__(0), here)


def test_tiles_repeat():
    for scheme, side in (("blue", 64), ("bayer", 16)):
        u = offset_fractions(scheme, (1, side + 6, side + 1))[0]
        assert torch.equal(u[side:], u[:6]) and torch.equal(u[:, side], u[:, 0])


def test_blue_noise_has_little_power_at_low_frequencies():
    def low_power(scheme):
        u = offset_fractions(scheme, (1, 64, 64))[0].double().numpy()
        spectrum = np.abs(np.fft.fft2(u - u.mean())) ** 2
        frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
        low = (frequency > 0) & (frequency < 0.125)
        return spectrum[low].mean() / spectrum[frequency > 0].mean()

    assert 0.8 < low_power("white") < 1.2
    assert low_power("blue") < 0.05


def test_an_unknown_scheme_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'r3'.*r2, blue, bayer, white, equal, reference"):
        SplitNoise(441, (1, 1, 2), "r3")


def test_reference_has_no_fractions():
    with pytest.raises(ValueError, match="unknown scheme of offset fractions 'reference'"):
        offset_fractions("reference", (1, 1, 2))


def test_the_blue_tile_is_what_it_was():
    """Certificates under it rest on every value of it; none that is kept is one of them."""
    fractions = offset_fractions("blue", (1, 64, 64)).numpy().astype("<i8").tobytes()
    assert hashlib.sha256(fractions).hexdigest().startswith("08b758426b3f2770")
