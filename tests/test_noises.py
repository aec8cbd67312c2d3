import pytest
import torch

from dssn_core import SplitNoise
from dssn_core.neighbours import add_uniform, split_independently
from dssn_core.noises import NOISES, dssn_samples
from dssn_core.offsets import offset_fractions
from dssn_core.splitting import block_grid
from tests.random_networks import generator

SHAPE = (3, 16, 16)


@pytest.mark.parametrize("block", [(1, 1, 1), (3, 1, 1), (1, 4, 2)])
@pytest.mark.parametrize("scheme", ["r2", "white"])
def test_training_samples_are_those_of_split_noise(scheme, block):
    images = torch.randint(0, 256, (6, *SHAPE), dtype=torch.uint8, generator=generator())
    levels = torch.tensor([2, 132, 255, 441, 3091, 8192])
    found = dssn_samples(images, levels, offset_fractions(scheme, block_grid(SHAPE, block), seed=3), generator(7))
    # The index of each is drawn first: a uniform number times its N, rounded down.
    drawn = torch.rand(6, generator=generator(7), dtype=torch.float64)
    for row, (n, u) in enumerate(zip(levels.tolist(), drawn.tolist(), strict=True)):
        expected = SplitNoise(n, SHAPE, scheme, 3, block).samples_at(images[row], torch.tensor([int(u * n)]))
        assert torch.equal(found[row : row + 1], expected)


@pytest.mark.parametrize(("noise", "kernel"), [("uniform", add_uniform), ("ssn", split_independently)])
def test_randomized_training_samples_follow_their_kernel_at_each_lambda(noise, kernel):
    images = torch.randint(0, 256, (4, *SHAPE), dtype=torch.uint8, generator=generator())
    levels = torch.tensor([60, 255, 441, 3091])
    found = NOISES[noise](images, levels, torch.zeros(SHAPE), generator(7))
    draws = torch.rand(images.shape, generator=generator(7))
    for row, n in enumerate(levels.tolist()):
        assert torch.allclose(found[row], kernel(images[row].float() / 255, n / 510, draws[row]), atol=1e-6)
