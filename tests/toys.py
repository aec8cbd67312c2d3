"""Base classifiers small enough to reason about. Their arithmetic is exact, so no batch size can change a bit.

And a vote without one.
"""

import numpy as np
import torch

from dssn_core.base_classifier import made_of
from dssn_core.counts import Counts
from dssn_core.voting import Tally


class Toy:
    """A deterministic function of (x_tilde, lambda): `kind` "linear" is smooth, "hash" is as rough as can be."""

    def __init__(self, shape, num_classes, seed, kind="linear"):
        size = int(np.prod(shape))
        random = np.random.RandomState(seed)
        self.num_classes = num_classes
        self.made_when_marked = made_of(self)  # or each vote would find it out, in three passes of four
        self.kind = kind
        self.weights = torch.from_numpy(random.randint(-20, 21, size=(size, num_classes)))
        self.bias = torch.from_numpy(random.randint(-3000, 3001, size=num_classes))

    def __call__(self, x, lam):
        numerators = (x * 1020).round().to(torch.int64).flatten(1)
        scores = numerators @ self.weights + self.bias + round(lam * 510) % 7
        if self.kind == "hash":
            scores = (scores * scores) % 101
        return scores.float()  # below 2^24, so exact


class Constant:
    """Votes for one class, whatever it sees."""

    def __init__(self, num_classes, label):
        self.num_classes = num_classes
        self.label = label

    def __call__(self, x, lam):
        return torch.nn.functional.one_hot(torch.full((len(x),), self.label), self.num_classes).float()


class Memory:
    """The worst case for the certificate: votes `label` for the samples it has seen, `other` for everything else."""

    def __init__(self, known, num_classes, label, other):
        self.known = {row.numpy().tobytes() for row in known}
        self.num_classes = num_classes
        self.made_when_marked = made_of(self)
        self.label, self.other = label, other

    def __call__(self, x, lam):
        found = [self.label if row.numpy().tobytes() in self.known else self.other for row in x]
        return torch.nn.functional.one_hot(torch.tensor(found), self.num_classes).float()


class Fixed:
    """Returns what a function makes of (x, lambda): for answers that must be refused."""

    def __init__(self, num_classes, answer):
        self.num_classes = num_classes
        self.answer = answer

    def __call__(self, x, lam):
        return self.answer(x)


def tallied(labels, num_classes, counting="plurality"):
    """The one state of a vote whose samples chose so; each likes all other classes equally little."""
    logits = np.eye(num_classes, dtype=np.float32)[labels]
    return Tally(Counts.of(logits, counting), len(labels), np.arange(len(labels)), np.array(labels), logits)
