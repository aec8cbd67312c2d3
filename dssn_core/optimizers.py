"""How weights follow their gradients: the optimizers by name, and the learning rate over a run."""

import math
from functools import partial
from typing import Any

import torch

from .precision import HAS_BFLOAT16

Groups = list[dict[str, Any]]
"""Parameters with options of their own. `use_fallback` says which Muon leaves to NAdamW; the others do not heed it."""


def _sgd(groups: Groups, learning_rate: float, momentum: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, nesterov=momentum > 0)


def _adamw(groups: Groups, learning_rate: float, momentum: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=learning_rate)


def _muon(groups: Groups, learning_rate: float, momentum: float) -> torch.optim.Optimizer:
    from timm.optim import muon  # takes seconds, for which no page should wait

    # By itself it orthogonalizes in bfloat16; where that is only emulated, a step spends most of its time on it.
    usable = torch.bfloat16 if HAS_BFLOAT16 else torch.float32
    if not isinstance(muon.zeropower_via_newtonschulz, partial):  # once
        muon.zeropower_via_newtonschulz = partial(muon.zeropower_via_newtonschulz, dtype=usable)
    optimizer: torch.optim.Optimizer = muon.Muon(groups, lr=learning_rate, momentum=momentum, nesterov=True)
    return optimizer


OPTIMIZERS = {"sgd": _sgd, "adamw": _adamw, "muon": _muon}
"""By name: (groups, peak learning rate, momentum) -> optimizer.

Muon turns its updates of convolutions into orthogonal ones (Jordan 2024) and leaves all other parameters to AdamW with
Nesterov's momentum; its weight decay, as that of AdamW, is times the learning rate.
"""


def learning_rate_factor(progress: float, warmup: float) -> float:
    """Linear rise over `warmup` of the run, then a cosine to zero; progress in [0, 1]."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
