"""Draws keyed by what they are for."""

import torch

from dssn_core.draws import keyed_generator


def test_the_same_key_draws_the_same_and_every_part_of_it_counts():
    def drawn(*key):
        return tuple(torch.randint(2**40, (4,), generator=keyed_generator(*key)).tolist())

    assert drawn(0, 1, 2) == drawn(0, 1, 2)
    keys = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 2), (0, 2, 1), (2**40, 0, 0)]
    assert len({drawn(*key) for key in keys}) == len(keys)
