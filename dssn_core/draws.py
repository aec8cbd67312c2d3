"""Random draws: each is keyed by what it is for and where, so nothing has to be saved to repeat it."""

import numpy as np
import torch

ORDER, BATCH, HELD_OUT_SPLIT, HELD_OUT_CHECK, WEIGHTS, STATISTICS, ESTIMATE, HALVES = range(8)
"""Purposes of the draws: of a training, of an estimate, and of what is tested of a chunk."""


def keyed_generator(*key: int) -> torch.Generator:
    """A generator seeded by all the numbers of `key`; keys that only differ in zeros at their end are one key."""
    seed = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)
    return torch.Generator().manual_seed(seed)
