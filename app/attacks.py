"""An attack under way on a page, and what the buttons there do to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from app import resources
from dssn_core import SplitNoise, Vote
from dssn_core.attack import Poked, Step, random_step, random_walk, undo
from dssn_core.certificate import Certificate
from dssn_core.classifier import Classifier
from dssn_core.flips import Flip, Search


@dataclass
class Held:
    """An attack as a session holds it.

    It is changed in place, without writing to the session: there Streamlit stops a run when another click has come, and
    what the run had just computed would be lost. The click's own run begins at once, while that one still computes.
    """

    attack: "Attack"
    lock: Lock = field(default_factory=Lock, repr=False)

    def change(self, change: Callable[["Attack"], "Attack"]) -> None:
        """Make a change of the attack as it is: one at a time, so that of two quick clicks both count."""
        with self.lock:
            self.attack = change(self.attack)

    def follow(self, before: "Attack", after: "Attack") -> None:
        """What has come of the attack `before`; dropped if a click has changed that meanwhile."""
        self.change(lambda now: after if now is before else now)


@dataclass(frozen=True)
class Attack:
    """model, noise: what votes. poked: the picture now, and its votes. first: those of the original, int64 (N,).

    before: what was there each time before many steps were taken at once, for these leave no moves to take back.
    wanted: a picture whose votes are still to be counted. guided: how many guided steps are still to come. searching:
    whether a flip is to be looked for. nearest: flip of the original that is known. seed: of random steps.
    """

    model: Classifier
    noise: SplitNoise
    poked: Poked
    first: np.ndarray = field(repr=False)
    before: tuple[Poked, ...] = ()
    wanted: Tensor | None = None
    guided: int = 0
    searching: bool = False
    nearest: Flip | None = None
    seed: int = 0

    @staticmethod
    def on(model: Classifier, image: Tensor, noise: SplitNoise, labels: np.ndarray) -> "Attack":
        """Nothing done yet to an image with these votes."""
        return Attack(model, noise, Poked(image, image, labels), labels)

    def is_on(self, model: Classifier, image: Tensor, levels: int) -> bool:
        """Whether this is what is attacked."""
        same_network = resources.function_key(self.model) == resources.function_key(model)
        return same_network and self.noise.levels == levels and torch.equal(self.poked.original, image)

    @cached_property
    def certificate(self) -> Certificate:
        """Of the original: its class is what is attacked, its radius the budget."""
        return Vote.of_labels(self.first, self.model.num_classes).certificate

    @property
    def now(self) -> Certificate:
        """Of the picture now: its class is the answer."""
        return Vote.of_labels(self.poked.labels, self.model.num_classes).certificate

    @property
    def can_undo(self) -> bool:
        return bool(self.poked.moves or self.before)

    def arrived(self, labels: np.ndarray) -> "Attack":
        """At the wanted picture, whose votes these are."""
        assert self.wanted is not None
        there = Poked(self.poked.original, self.wanted, labels)
        return replace(self, poked=there, before=(*self.before, self.poked), wanted=None)

    def stepped(self, step: Step) -> "Attack":
        """After a step; as it is where that would leave the range, as a second click may before the first is shown."""
        try:
            step.applied(self.poked.image)
        except ValueError:
            return self
        return replace(self, poked=resources.poked(self.model, self.poked, self.noise, step))

    def _drawn(self) -> tuple[torch.Generator, "Attack"]:
        """A generator that this attack has not used before, and the attack that has."""
        return torch.Generator().manual_seed(self.seed + 1), replace(self, seed=self.seed + 1)

    def stepped_at_random(self) -> "Attack":
        generator, attack = self._drawn()
        return attack.stepped(random_step(self.poked.image, generator))

    def spending(self) -> "Attack":
        """On the way to a picture at random, as far from the original as that is certified."""
        generator, attack = self._drawn()
        return replace(attack, wanted=random_walk(self.poked.original, self.certificate.radius_steps, generator))

    def searches(self) -> Iterator[Search]:
        """The search for a picture with another answer, from the original."""
        return resources.flips(self.model, self.poked.original, self.noise, self.certificate)

    def knowing(self, flip: Flip | None) -> "Attack":
        """With a flip of the original, if that is the nearest so far."""
        nearer = flip is not None and (self.nearest is None or flip.distance < self.nearest.distance)
        return replace(self, nearest=flip) if nearer else self

    def sought(self) -> "Attack":
        """On the way to the nearest flip that is known; on the search for one, where none is."""
        return replace(self, searching=True) if self.nearest is None else replace(self, wanted=self.nearest.image)

    def searched(self) -> "Attack":
        """After its search, if no click has ended that: on the way to the flip that is known by now, if one is."""
        if not self.searching:
            return self
        done = replace(self, searching=False)
        return done if done.nearest is None else done.sought()

    def undone(self) -> "Attack":
        """Without the last step, or the last steps that were taken at once."""
        if self.poked.moves or not self.before:
            return replace(self, poked=undo(self.poked))
        *before, last = self.before
        return replace(self, poked=last, before=tuple(before))

    def anew(self) -> "Attack":
        """Nothing done yet; random draws go on, and what was found is still known."""
        fresh = Attack.on(self.model, self.poked.original, self.noise, self.first)
        return replace(fresh, seed=self.seed, nearest=self.nearest)

    def guided_on(self) -> "Attack":
        """After the next of its guided steps; with none left to come where there is none to take, or the answer has
        changed."""
        label = self.certificate.label
        after = resources.guided(self.model, self.poked, self.noise, label)
        stuck, changed = after is self.poked, self.now.label == label != replace(self, poked=after).now.label
        return replace(self, poked=after, guided=0 if stuck or changed else self.guided - 1)


def acted(change: Callable[[Attack], Attack], attack: Attack) -> Attack:
    """The attack after a button; whatever was asked for before, and is not done yet, is dropped."""
    return change(replace(attack, guided=0, searching=False, wanted=None))
