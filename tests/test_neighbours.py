"""The randomized neighbours: the law of their samples."""

import pytest
import torch

from dssn_core.neighbours import NEIGHBOURS, STAGES

IMAGE = torch.tensor([[[0, 51, 255]]], dtype=torch.uint8)
SAMPLERS = {name: neighbour.samples for name, neighbour in NEIGHBOURS.items()}


def test_additive_noise_is_uniform_around_the_pixel():
    samples = SAMPLERS["uniform"](IMAGE, 0.7, 40_000, seed=0)
    noise = samples - IMAGE.float() / 255
    assert noise.abs().max() <= 0.7 + 1e-6
    assert noise.mean(dim=0).abs().max() < 0.01
    assert (noise.var(dim=0) - 0.7**2 / 3).abs().max() < 0.005


def test_additive_noise_is_not_clipped():
    assert SAMPLERS["uniform"](IMAGE, 0.7, 1000, seed=0).min() < -0.5


@pytest.mark.parametrize("lam", [0.05, 0.3, 0.5, 2.0])
def test_split_samples_are_middles_of_intervals_that_hold_the_pixel(lam):
    samples = SAMPLERS["ssn"](IMAGE, lam, 5000, seed=1).double()
    pixels = IMAGE.double() / 255
    assert samples.min() >= 0 and samples.max() <= 1
    assert ((samples - pixels).abs() <= min(lam, 0.5) + 1e-6).all()


def test_split_samples_have_the_mean_of_the_theory():
    # For lambda >= 1/2 the mean of a sample is 1/2 + (x - 1/2)/(4*lambda).
    samples = SAMPLERS["ssn"](IMAGE, 1.0, 200_000, seed=2)
    expected = 0.5 + (IMAGE.float() / 255 - 0.5) / 4
    assert (samples.mean(dim=0) - expected).abs().max() < 0.003


@pytest.mark.parametrize("draw", SAMPLERS.values(), ids=list(SAMPLERS))
def test_draws_are_keyed_by_seed_stage_and_chunk(draw):
    keys = [{"seed": s, "stage": stage, "chunk": c} for s in (0, 1) for stage in STAGES for c in (0, 1)]
    drawn = [draw(IMAGE, 0.5, 4, **key) for key in keys]
    again = [draw(IMAGE, 0.5, 4, **key) for key in keys]
    assert all(torch.equal(a, b) for a, b in zip(drawn, again, strict=True))
    assert len({tuple(sample.flatten().tolist()) for sample in drawn}) == len(keys)


@pytest.mark.parametrize("draw", SAMPLERS.values(), ids=list(SAMPLERS))
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": IMAGE.float()}, "torch.uint8"),
        ({"lam": 0.0}, "lambda must be"),
        ({"lam": float("inf")}, "lambda must be"),
        ({"count": -1}, "negative"),
        ({"stage": "later"}, "known: preview, selection, estimation"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_arguments_are_refused(draw, change, message):
    arguments = {"image": IMAGE, "lam": 0.5, "count": 1, "seed": 0, **change}
    with pytest.raises(ValueError, match=message):
        draw(**arguments)
