"""An attack under way on a page, and what the buttons there do to it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from app import resources
from dssn_core import SplitNoise
from dssn_core.attack import Poked, Step, random_step, random_walk, undo
from dssn_core.certificate import Certificate, certificate_from_labels
from dssn_core.classifier import Classifier


@dataclass
class Held:
    """An attack as a session holds it.

    It is changed in place, without writing to the session: there Streamlit stops a run when another click has come, and
    what the run had just computed would be lost.
    """

    attack: "Attack"


@dataclass(frozen=True)
class Attack:
    """model, noise: what votes. poked: the picture now, and its votes. first: those of the original, int64 (N,).

    before: what was there each time before a whole budget was spent at once, for that has no moves to take back.
    wanted: a picture whose votes are still to be counted. guided: how many guided steps are still to come. seed: of
    random steps.
    """

    model: Classifier
    noise: SplitNoise
    poked: Poked
    first: np.ndarray = field(repr=False)
    before: tuple[Poked, ...] = ()
    wanted: Tensor | None = None
    guided: int = 0
    seed: int = 0

    @staticmethod
    def on(model: Classifier, image: Tensor, noise: SplitNoise, labels: np.ndarray) -> "Attack":
        """Nothing done yet to an image with these votes."""
        return Attack(model, noise, Poked(image, image, labels), labels)

    def is_on(self, model: Classifier, image: Tensor, noise: SplitNoise) -> bool:
        """Whether this is what is attacked."""
        same_network = resources.network_key(self.model) == resources.network_key(model)
        return same_network and repr(self.noise) == repr(noise) and torch.equal(self.poked.original, image)

    @cached_property
    def certificate(self) -> Certificate:
        """Of the original: its class is what is attacked, its radius the budget."""
        return certificate_from_labels(self.first, self.model.num_classes)

    @property
    def now(self) -> Certificate:
        """Of the picture now: its class is the answer."""
        return certificate_from_labels(self.poked.labels, self.model.num_classes)

    @property
    def can_undo(self) -> bool:
        return bool(self.poked.moves or self.before)

    def arrived(self, labels: np.ndarray) -> "Attack":
        """At the wanted picture, whose votes these are."""
        assert self.wanted is not None
        there = Poked(self.poked.original, self.wanted, labels)
        return replace(self, poked=there, before=(*self.before, self.poked), wanted=None)

    def drawing(self) -> tuple["Attack", torch.Generator]:
        """The attack, and a generator that it has not used before."""
        return replace(self, seed=self.seed + 1), torch.Generator().manual_seed(self.seed + 1)


def _poked(attack: Attack, step: Step) -> Attack:
    return replace(attack, poked=resources.poked(attack.model, attack.poked, attack.noise, step))


def _step(attack: Attack, step: Step | None) -> Attack:
    assert step is not None
    try:
        step.applied(attack.poked.image)
    except ValueError:  # a second click, before the page has answered the first, may leave the range
        return attack
    return _poked(attack, step)


def _random(attack: Attack, step: Step | None) -> Attack:
    attack, generator = attack.drawing()
    return _poked(attack, random_step(attack.poked.image, generator))


def _spend(attack: Attack, step: Step | None) -> Attack:
    attack, generator = attack.drawing()
    return replace(attack, wanted=random_walk(attack.poked.original, attack.certificate.radius_steps, generator))


def _undo(attack: Attack, step: Step | None) -> Attack:
    if attack.poked.moves or not attack.before:
        return replace(attack, poked=undo(attack.poked))
    *before, last = attack.before
    return replace(attack, poked=last, before=tuple(before))


def _reset(attack: Attack, step: Step | None) -> Attack:
    return replace(Attack.on(attack.model, attack.poked.original, attack.noise, attack.first), seed=attack.seed)


def _guided(steps: int) -> Callable[[Attack, Step | None], Attack]:
    return lambda attack, step: replace(attack, guided=steps)


BURST = 10
"""Guided steps that one button asks for."""

ACTIONS: dict[str, Callable[[Attack, Step | None], Attack]] = {
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


def acted(action: str, attack: Attack, step: Step | None = None) -> Attack:
    """The attack after a button; whatever was asked for before, and is not done yet, is dropped.

    step: of a button of one step.
    """
    return ACTIONS[action](replace(attack, guided=0, wanted=None), step)


def guided_on(attack: Attack) -> Attack:
    """The attack after the next of its guided steps; with none left to come where there is none to take, or the answer
    has changed."""
    label = attack.certificate.label
    after = resources.guided(attack.model, attack.poked, attack.noise, label)
    stuck, changed = after is attack.poked, attack.now.label == label != replace(attack, poked=after).now.label
    return replace(attack, poked=after, guided=0 if stuck or changed else attack.guided - 1)
