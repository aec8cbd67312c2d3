"""Which samples must turn for a stated vote; `test_verification` checks what is excused."""

import numpy as np

from dssn_core import near_ties


def test_as_many_samples_turn_as_differ_the_closest_first():
    logits = np.array([[0.0, -3, 0], [0, -1, 0], [0, 1, 0], [0, 2, 0]])
    for stated, gap in ((0, 3), (1, 1), (3, 1), (4, 2)):
        assert near_ties._turned(logits, 0, (0, stated, 4), (0, 2, 4)) == gap
    assert near_ties._turned(logits, 0, (0, 2, 3), (0, 2, 4)) == 0  # exactly tied
