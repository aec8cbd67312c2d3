"""An attack under way on a page, and what the buttons there do to it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from app import resources
from dssn_core import SplitNoise
from dssn_core.attack import Poked, Step, random_step, random_walk, undo
from dssn_core.networks import Classifier


@dataclass(frozen=True)
class Attack:
    """poked: the picture as it is now, and its votes. first: the votes of the original, int64 (N,).

    before: what was there before a whole budget was spent at once, for that has no moves to take back. wanted: a
    picture whose votes are still to be counted. guided: how many guided steps are still to come. seed: of random steps.
    """

    poked: Poked
    first: np.ndarray = field(repr=False)
    before: Poked | None = None
    wanted: Tensor | None = None
    guided: int = 0
    seed: int = 0

    @staticmethod
    def on(image: Tensor, labels: np.ndarray) -> "Attack":
        """Nothing done yet to an image with these votes."""
        return Attack(Poked(image, image, labels), labels)

    @property
    def can_undo(self) -> bool:
        return bool(self.poked.moves) or self.before is not None

    def arrived(self, labels: np.ndarray) -> "Attack":
        """At the wanted picture, whose votes these are."""
        assert self.wanted is not None
        there = Poked(self.poked.original, self.wanted, labels)
        return replace(self, poked=there, before=self.poked, wanted=None)

    def drawing(self) -> tuple["Attack", torch.Generator]:
        """The attack, and a generator that it has not used before."""
        return replace(self, seed=self.seed + 1), torch.Generator().manual_seed(self.seed + 1)


@dataclass(frozen=True)
class Setting:
    """What an attack is fought with. budget: R, in steps. label: the class that won. step: of a button of one step."""

    model: Classifier
    noise: SplitNoise
    budget: int
    label: int
    step: Step | None = None


def _step(attack: Attack, setting: Setting) -> Attack:
    assert setting.step is not None
    with suppress(ValueError):  # a second click, before the page has answered the first, may leave the range
        return replace(attack, poked=resources.poked(setting.model, attack.poked, setting.noise, setting.step))
    return attack


def _random(attack: Attack, setting: Setting) -> Attack:
    attack, generator = attack.drawing()
    step = random_step(attack.poked.image, generator)
    return replace(attack, poked=resources.poked(setting.model, attack.poked, setting.noise, step))


def _spend(attack: Attack, setting: Setting) -> Attack:
    attack, generator = attack.drawing()
    return replace(attack, wanted=random_walk(attack.poked.original, setting.budget, generator))


def _undo(attack: Attack, setting: Setting) -> Attack:
    if attack.poked.moves or attack.before is None:
        return replace(attack, poked=undo(attack.poked))
    return replace(attack, poked=attack.before, before=None)


def _reset(attack: Attack, setting: Setting) -> Attack:
    return replace(Attack.on(attack.poked.original, attack.first), seed=attack.seed)


def _guided(steps: int) -> Callable[[Attack, Setting], Attack]:
    return lambda attack, setting: replace(attack, guided=steps)


BURST = 10
"""Guided steps that one button asks for."""

ACTIONS: dict[str, Callable[[Attack, Setting], Attack]] = {
    "down": _step,
    "up": _step,
    "random": _random,
    "guided": _guided(1),
    "burst": _guided(BURST),
    "spend": _spend,
    "undo": _undo,
    "reset": _reset,
}
"""By the name of a button. What takes many passes of the network is only asked for: `wanted`, and `guided` steps."""


def acted(action: str, attack: Attack, setting: Setting) -> Attack:
    """The attack after a button; whatever was asked for before, and is not done yet, is dropped."""
    return ACTIONS[action](replace(attack, guided=0, wanted=None), setting)


def guided_on(attack: Attack, setting: Setting) -> Attack:
    """The attack after the next of its guided steps; with none left to come where there is none to take."""
    after = resources.guided(setting.model, attack.poked, setting.noise, setting.label)
    return replace(attack, poked=after, guided=0 if after is attack.poked else attack.guided - 1)
